"""The platform's name."""

from slipway.bot.chat.model import Platform

SLACK = Platform("slack")
