"""Capture of a PyTorch program as an operator graph."""
