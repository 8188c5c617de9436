"""What if: blocks of designs priced at once. Imports device_params and cost_models."""
