"""Restoring: what was disabled or deleted is brought back as a candidate, for as long as its cloud keeps it."""
