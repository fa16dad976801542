"""Slack, declared. Loads neither slack_sdk nor Bolt before an adapter is built."""

from __future__ import annotations

from slipway.bot.chat.declaration import ChatContext, ChatDeclaration, TokenFacts
from slipway.bot.chat.model import Chat
from slipway.bot.chat.slack.checks import account_problem, group_problem, room_problem, slack_problems
from slipway.bot.chat.slack.events.trust import introduction
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.routes import REQUESTS
from slipway.bot.chat.slack.settings import SlackSettings, SlackTransport
from slipway.bot.core.probes import Finding
from slipway.bot.core.text import counted


def _build(context: ChatContext[SlackSettings]) -> Chat:
    from slipway.bot.chat.slack.chat import SlackChat

    return SlackChat(
        context.settings,
        context.store,
        context.clock,
        context.callbacks,
        context.http,
        sleep=context.sleep,
        fence=context.fence,
    )


def _describe(settings: SlackSettings) -> str:
    return f"slack by {settings.transport}, changes in {counted(settings.channels, 'channel')}"


async def _probe(settings: SlackSettings, _state_dir: str) -> Finding:
    from slipway.bot.chat.slack.probe import probe

    return await probe(settings)


async def _token(settings: SlackSettings, _state_dir: str) -> TokenFacts:
    from slipway.bot.chat.slack.token import token_facts

    return await token_facts(settings)


async def _members(settings: SlackSettings, _state_dir: str) -> frozenset[str] | None:
    from slipway.bot.chat.slack.members import members_of_channels

    return await members_of_channels(settings)


CHAT = ChatDeclaration(
    platform=SLACK,
    settings=SlackSettings,
    build=_build,
    describe=_describe,
    check=slack_problems,
    account_problem=account_problem,
    room_problem=room_problem,
    notice_rooms=lambda settings: (settings.home,) if settings.home else (),
    probe=_probe,
    token=_token,
    members=_members,
    group_key="slack_groups",
    group_problem=group_problem,
    rooms_key="channels",
    introduction=introduction,
    routes=lambda settings: (REQUESTS,) if settings.transport is SlackTransport.HTTP else (),
    listen=lambda settings: settings.listen or "",
    account_example="slack:U0123456789",
    room_example="slack:C0123456789",
)
