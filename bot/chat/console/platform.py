"""The platform's name."""

from slipway.bot.chat.model import Platform

CONSOLE = Platform("console")
