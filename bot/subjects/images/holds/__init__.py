"""Holds: people's vetoes on promoting and removing versions."""
