"""Revoking versions."""
