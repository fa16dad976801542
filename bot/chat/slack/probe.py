"""Tries the connection to Slack, for `slipway doctor`: is the token good, and may it do what the bot does?"""

from __future__ import annotations

from slipway.bot.chat.slack.manifest import SCOPES
from slipway.bot.chat.slack.settings import SlackSettings, SlackTransport
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.web_api import WebApi


async def probe(settings: SlackSettings) -> tuple[str, tuple[str, ...]]:
    """Who the bot is there, and a sentence for everything that is wrong.

    Raises:
        ChatError: Slack cannot be reached, or does not accept a token.
    """
    api = WebApi(settings)
    try:
        identity = await api.authenticate()
        problems = _scopes(identity.scopes) + _enterprise(identity.enterprise, settings.teams)
        if settings.transport is SlackTransport.SOCKET and settings.app_token is not None:
            token = settings.app_token.get_secret_value()
            await api.call("open a socket", lambda client: client.apps_connections_open(app_token=token))
        problems += await _channels(api, settings)
        return f"@{identity.name} in {identity.team}, by {settings.transport}", problems
    finally:
        await api.close()


def _scopes(granted: frozenset[str]) -> tuple[str, ...]:
    missing = sorted(set(SCOPES) - granted)
    more = sorted(granted - set(SCOPES))
    problems = [
        f"The scope `{scope}` is missing: without it the bot cannot {SCOPES[scope]}." for scope in missing
    ]
    if more:
        problems.append(f"The app has scopes that the bot never uses; take them away: {', '.join(more)}.")
    return tuple(problems)


def _enterprise(enterprise: str, teams: tuple[str, ...]) -> tuple[str, ...]:
    """On Grid, Slack may name the organisation, or another of its workspaces, where somebody presses."""
    if not enterprise or enterprise in teams:
        return ()
    sentence = (
        f"The workspace is one of the organisation {enterprise}: add that, and its workspaces whose people "
        "press buttons, to slack.teams, or they are taken for strangers."
    )
    return (sentence,)


async def _channels(api: WebApi, settings: SlackSettings) -> tuple[str, ...]:
    """A sentence for each configured channel that the bot cannot work in."""
    problems = []
    for channel in dict.fromkeys((*settings.channels, *filter(None, (settings.home_channel,)))):
        try:
            await api.call(
                f"read the channel {channel}",
                lambda client, channel=channel: client.conversations_history(channel=channel, limit=1),  # type: ignore[misc]
                channel=channel,
            )
        except RefusedError as error:
            problems.append(str(error))
    return tuple(problems)
