"""The language of work: typed operators, the operator graph, activity statistics."""
