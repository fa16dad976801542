"""Launching machines: which image, by which profile, under which limits, and what comes up."""
