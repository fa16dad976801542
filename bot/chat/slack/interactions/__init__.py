"""Buttons, slash commands, shortcuts and modals."""
