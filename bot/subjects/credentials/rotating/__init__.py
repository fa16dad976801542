"""Rotation: another credential beside the one that is used, delivered and proven, and the former taken away."""
