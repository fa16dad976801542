"""Freezes: times in which nothing changes."""
