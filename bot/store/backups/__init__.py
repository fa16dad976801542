"""Backups of a state folder on SQLite: made while the bot runs, proved, and put back."""
