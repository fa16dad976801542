"""Protecting: what is latest cannot be deleted, by others neither, until a clean-up lifts that."""
