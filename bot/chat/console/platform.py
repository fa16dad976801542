"""The platform's name."""

from slipway.bot.chat.model import Platform

CONSOLE = Platform("console")

PICTURES = "pictures"
"""The folder in the state folder that holds the pictures of cards."""
