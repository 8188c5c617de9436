"""Whole machines that price an operator graph."""
