"""What if: design spaces, vectorised runs, Pareto fronts, sensitivity. Imports the two packages below it."""
