"""Promoting: which version becomes latest, and setting its flag."""
