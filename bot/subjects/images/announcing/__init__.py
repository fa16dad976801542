"""Announcing what a clean-up will remove: nothing goes before people had the time to object."""
