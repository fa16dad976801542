"""Promotion rules."""
