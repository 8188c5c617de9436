"""Circuits around an array: small frozen components whose methods are actions that return a cost."""
