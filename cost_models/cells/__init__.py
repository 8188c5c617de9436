"""Memory cells, one file a family: read charge, write energy, area, standby leakage."""
