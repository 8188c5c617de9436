"""Arrays of cells with the circuits at their edges."""
