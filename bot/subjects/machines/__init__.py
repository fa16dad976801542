"""Machines launched from images: profiles, planners and steps."""
