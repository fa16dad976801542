"""Freezes as a subject of its own: placing and ending them, which is planned and audited."""
