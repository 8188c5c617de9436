"""Ferroelectric devices from physics: switching, gate stacks, junctions, capacitors, disturb and wear."""
