"""Mistakes in [slack], and how Slack writes its ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.bot.core.problems import Problem, shown
from slipway.bot.chat.slack.settings import SlackSettings, SlackTransport

CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}", re.ASCII)
TEAM = re.compile(r"[TE][A-Z0-9]{2,20}", re.ASCII)
GROUP = re.compile(r"S[A-Z0-9]{2,20}", re.ASCII)
ACCOUNT = re.compile(r"[UW][A-Z0-9]{2,20}(/[TE][A-Z0-9]{2,20})?", re.ASCII)  # /T…: of another workspace


def slack_problems(slack: SlackSettings, *, secrets: bool) -> Iterator[Problem]:
    """The mistakes in ``[slack]`` that show from the table alone.

    Args:
        slack: the table.
        secrets: whether to look for missing secrets; not where one could not be read, which is told already.
    """
    if secrets:
        yield from _slack_secrets(slack)
    ids = (
        ("channels", slack.channels, CHANNEL, "a channel's id, like C0123456789"),
        ("teams", slack.teams, TEAM, "a workspace's id, like T0123456789"),
        ("home_channel", (slack.home_channel,), CHANNEL, "a channel's id, like C0123456789"),
    )
    for key, values, pattern, right in ids:
        for value in values:
            if value is not None and not pattern.fullmatch(value):
                yield Problem(f"slack.{key}", f"{shown(value)} is not {right}")
    home = slack.home_channel
    if home is not None and CHANNEL.fullmatch(home) and home not in slack.channels:
        said = f"{shown(home)} is not among slack.channels, so no change could be asked for there"
        yield Problem("slack.home_channel", said)


def _slack_secrets(slack: SlackSettings) -> Iterator[Problem]:
    if slack.bot_token is None:
        yield Problem("slack.bot_token", _missing_secret("bot_token", "the bot token (xoxb-…)"))
    elif not slack.bot_token.get_secret_value().startswith("xoxb-"):
        yield Problem("slack.bot_token", "is not a bot token; that begins with xoxb-")
    if slack.transport is SlackTransport.HTTP and slack.signing_secret is None:
        yield Problem("slack.signing_secret", _missing_secret("signing_secret", "the app's signing secret"))
    if slack.transport is SlackTransport.SOCKET:
        if slack.app_token is None:
            said = _missing_secret(
                "app_token", "an app-level token (xapp-…) with the scope connections:write"
            )
            yield Problem("slack.app_token", said)
        elif not slack.app_token.get_secret_value().startswith("xapp-"):
            yield Problem("slack.app_token", "is not an app-level token; that begins with xapp-")


def _missing_secret(name: str, what: str) -> str:
    return (
        f"is missing: put {what} into a file of its own and name that with {name}_file, or into the "
        f"environment variable SLIPWAY_SLACK_{name.upper()}"
    )
