"""Speed figures of the toolkit, outside the tests: ``make bench`` writes ``bench.json``."""
