"""Cleaning up: what goes and what stays, and how a version is disabled and deleted."""
