"""Protecting what is latest from deletion."""
