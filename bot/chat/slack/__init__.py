"""Slack: voice and ears on slack-bolt and slack_sdk. Only this package knows them."""

from bot.chat.slack.chat import SlackChat
from bot.chat.slack.house import House
from bot.chat.slack.memory import InMemory, SlackMemory

__all__ = ["House", "InMemory", "SlackChat", "SlackMemory"]
