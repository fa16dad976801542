"""Copies of versions in regions."""
