"""Restoring versions."""
