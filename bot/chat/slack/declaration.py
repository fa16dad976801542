"""Slack, declared. Loads neither slack_sdk nor Bolt before an adapter is built."""

from __future__ import annotations

from slipway.bot.chat.declaration import ChatContext, ChatDeclaration
from slipway.bot.chat.model import Chat
from slipway.bot.chat.slack.checks import account_problem, group_problem, room_problem, slack_problems
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.probes import Finding
from slipway.bot.core.text import counted


def _build(context: ChatContext[SlackSettings]) -> Chat:
    from slipway.bot.chat.slack.chat import SlackChat

    return SlackChat(context.settings, context.store, context.clock, context.callbacks, sleep=context.sleep)


def _describe(settings: SlackSettings) -> str:
    return f"slack by {settings.transport}, changes in {counted(settings.channels, 'channel')}"


async def _probe(settings: SlackSettings, _state_dir: str) -> Finding:
    from slipway.bot.chat.slack.probe import probe

    try:
        detail, problems = await probe(settings)
    except ChatError as error:
        return Finding("slack", "does not work", (str(error),), "`slipway slack manifest`; docs/slack.md")
    fix = "give Slack what `slipway slack manifest` prints, and install the app again" if problems else ""
    return Finding("slack", detail, problems, fix)


CHAT = ChatDeclaration(
    platform=SLACK,
    settings=SlackSettings,
    build=_build,
    describe=_describe,
    check=slack_problems,
    account_problem=account_problem,
    room_problem=room_problem,
    probe=_probe,
    group_key="slack_groups",
    group_problem=group_problem,
    account_example="slack:U0123456789",
    room_example="slack:C0123456789",
)
