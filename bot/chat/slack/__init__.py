"""Slack: voice and ears on slack-bolt and slack_sdk. Only this package knows them."""

from slipway.bot.chat.slack.chat import SlackChat
from slipway.bot.chat.slack.house import HostCallbacks
from slipway.bot.chat.slack.memory import InMemory, SlackMemory

__all__ = ["HostCallbacks", "InMemory", "SlackChat", "SlackMemory"]
