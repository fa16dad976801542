"""The list of problems as a subject of its own: acknowledging one is an operation, planned and audited."""
