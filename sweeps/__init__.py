"""What if: design spaces, vectorised runs, Pareto fronts, sensitivity. Imports cost_models and device_params."""
