"""Alarms for what did not happen to versions of images: `rules` has them, which are pure."""
