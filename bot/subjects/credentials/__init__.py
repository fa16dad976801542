"""Credentials: what runs out and when, whose it is, and who is reminded. `model` and `reminders` are pure."""
