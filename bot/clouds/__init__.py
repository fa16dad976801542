"""Hands: ports, and one adapter a cloud."""
