"""The platform's name."""

from slipway.bot.chat.model import Platform

MATRIX = Platform("matrix")
