"""What is known: numbers with unit, interval, condition and source. Imports nothing of ours."""
