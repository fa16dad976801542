"""Mistakes in [slack], and in ids of Slack elsewhere in slipway.toml."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.chat.slack.ids import ACCOUNT, CHANNEL, TEAM, USER_GROUP
from slipway.bot.chat.slack.settings import SlackSettings, SlackTransport
from slipway.bot.core.addresses import check_address
from slipway.bot.core.problems import Problem, shown


def slack_problems(slack: SlackSettings, secrets: bool) -> Iterator[Problem]:
    """The mistakes in ``[slack]`` that show from the table alone; keys are given without the table's name.

    Args:
        slack: the table.
        secrets: whether to look for missing secrets; not where one could not be read, which is told already.
    """
    if slack.endpoint is not None:
        yield from check_address("endpoint", slack.endpoint)
    if secrets:
        yield from _secrets(slack)
    ids = (
        ("channels", slack.channels, CHANNEL, "a channel's id, like C0123456789"),
        ("teams", slack.teams, TEAM, "a workspace's id, like T0123456789"),
        ("home_channel", (slack.home_channel,), CHANNEL, "a channel's id, like C0123456789"),
    )
    for key, values, pattern, right in ids:
        for value in values:
            if value is not None and not pattern.fullmatch(value):
                yield Problem(key, f"{shown(value)} is not {right}")
    home = slack.home_channel
    if home is not None and CHANNEL.fullmatch(home) and home not in slack.channels:
        yield Problem(
            "home_channel",
            f"{shown(home)} is not among slack.channels, so no change could be asked for there",
        )


def account_problem(account: str) -> str | None:
    """What is wrong with an account's id, as the rest of a sentence that begins with it."""
    if ACCOUNT.fullmatch(account):
        return None
    return "is not a Slack account; write it like slack:U0123456789"


def room_problem(room: str) -> str | None:
    """What is wrong with a channel's id, as the rest of a sentence that begins with it."""
    if CHANNEL.fullmatch(room):
        return None
    return "is not a channel's id; write it like slack:C0123456789"


def group_problem(group: str) -> str | None:
    """What is wrong with a user group's id, as the rest of a sentence that begins with it."""
    return None if USER_GROUP.fullmatch(group) else "is not a user group's id, like S0123456789"


def _secrets(slack: SlackSettings) -> Iterator[Problem]:
    if slack.bot_token is None:
        yield Problem("bot_token", _missing_secret("bot_token", "the bot token (xoxb-…)"))
    elif not slack.bot_token.get_secret_value().startswith("xoxb-"):
        yield Problem("bot_token", "is not a bot token; that begins with xoxb-")
    if slack.transport is SlackTransport.HTTP and slack.signing_secret is None:
        yield Problem("signing_secret", _missing_secret("signing_secret", "the app's signing secret"))
    if slack.transport is SlackTransport.SOCKET:
        if slack.app_token is None:
            what = "an app-level token (xapp-…) with the scope connections:write"
            yield Problem("app_token", _missing_secret("app_token", what))
        elif not slack.app_token.get_secret_value().startswith("xapp-"):
            yield Problem("app_token", "is not an app-level token; that begins with xapp-")


def _missing_secret(name: str, what: str) -> str:
    return (
        f"is missing: put {what} into a file of its own and name that with {name}_file, or into the "
        f"environment variable SLIPWAY_SLACK_{name.upper()}"
    )
