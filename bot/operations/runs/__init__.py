"""Carrying approved operations out: look again, do each step once, verify, say how it ended."""
