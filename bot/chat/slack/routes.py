"""The requests that Slack makes of the bot, where it speaks HTTP."""

from __future__ import annotations

from slipway.bot.core.http.messages import Method
from slipway.bot.core.http.routes import PublicRoute

REQUEST_PATH = "/slack/events"
"""Where the bot hears Slack's requests."""

REQUESTS = PublicRoute(
    Method.POST,
    REQUEST_PATH,
    body_limit=1024 * 1024,  # Slack's own are far below
    # Slack waits for three seconds and shows a failure then; but a press comes once, and so is not cut off while
    # nothing can be stored.
    answered_within=600.0,
)
"""All of them: events, presses, forms and slash commands, each signed."""
