"""Launching: what is decided before a machine comes up."""
