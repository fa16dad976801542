"""Locks: one operation at a time on one thing, and releasing them."""
