"""What it costs: operators, devices, circuits, arrays, chips, mapping. Imports only device_params."""
