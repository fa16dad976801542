"""Revoking: one version is out of latest everywhere, now or at a time, and bad."""
