"""Trials that are too large for the suite: run by hand, as each says."""
