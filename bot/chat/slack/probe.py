"""Tries the connection to Slack, for `slipway doctor`: is the token good, and may it do what the bot does?"""

from __future__ import annotations

from slipway.bot.chat.clocks import clock_problem
from slipway.bot.chat.slack.events.channels import look_at
from slipway.bot.chat.slack.manifest import FOR_USER_GROUPS, SCOPES, needed_scopes
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.settings import SlackSettings, SlackTransport
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.web_api import BotIdentity, WebApi
from slipway.bot.core.errors import ChatError
from slipway.bot.core.probes import Finding, reach
from slipway.bot.core.times import Clock, system_clock

_TOKENS = {
    "bot_token": "copy the bot token (xoxb-…) from “OAuth & Permissions”",
    "app_token": "make an app-level token (xapp-…) with the scope connections:write under “Basic Information”",
}
"""Where Slack shows each token, on the app's page."""

DOCTOR = "then `slipway doctor`"


async def probe(settings: SlackSettings, clock: Clock = system_clock) -> Finding:
    """Who the bot is there, a sentence for everything that is wrong, the machine's clock included, and what to do."""
    api = WebApi(settings, clock=clock)
    token = "bot_token"  # noqa: S105 - the name of a key
    try:
        identity = await api.authenticate()
        if settings.transport is SlackTransport.SOCKET and settings.app_token is not None:
            token, value = "app_token", settings.app_token.get_secret_value()
            await api.call(
                "open a socket",
                lambda client: client.apps_connections_open(app_token=value),
                with_app_token=True,
            )
        installed = (*_workspaces(identity), *_scopes(identity.scopes))
        here, doubts = await _channels(api, settings, identity.name)
        wrong = clock_problem(SLACK, api.platform_clock.ahead)
        here += (wrong,) if wrong else ()
    except ChatError as error:
        return _refused(error, token, settings)
    finally:
        await api.close()
    where = identity.team
    if identity.organisation_wide and identity.teams:
        where += f" ({', '.join(sorted(identity.teams))})"
    manifest = "give Slack what `slipway slack manifest` prints, and install the app again"
    todo = [manifest] if _scopes(identity.scopes) else []
    if here or _workspaces(identity):
        todo.append("do what the other lines say" if todo else "do what the lines above say")
    found = f"@{identity.name} in {where}, by {settings.transport}"
    return Finding(
        SLACK,
        found,
        (*installed, *here),
        "; ".join([*todo, DOCTOR]) if todo else "",
        warnings=(*_groups(identity.scopes), *_surplus(identity.scopes), *doubts),
    )


def _refused(error: ChatError, token: str, settings: SlackSettings) -> Finding:
    if isinstance(error, RefusedError) and error.kind is RefusalKind.INVALID_TOKEN:
        why = f"Slack does not accept slack.{token} ({error.code})."
        step = f"{_TOKENS[token]} of the app at https://api.slack.com/apps; docs/slack.md has every step"
    elif isinstance(error, RefusedError):
        why, step = str(error), "wait a few minutes" if error.passing else "docs/slack.md has every step"
    else:
        why, step = str(error), reach(settings.api_url)
    return Finding(SLACK, "does not work", (why,), f"{step}; {DOCTOR}")


def _workspaces(identity: BotIdentity) -> tuple[str, ...]:
    """What is wrong with an app that is installed for an organisation."""
    if not identity.organisation_wide or identity.teams:
        return ()
    problem = (
        f"The app is installed for the organisation {identity.team}, and Slack names no workspace that it was added "
        "to, so the bot knows nobody: have an administrator of the organisation add it to your workspace "
        "(“Add to workspaces”), or name that in `slack.teams`."
    )
    return (problem,)


def _scopes(granted: frozenset[str]) -> tuple[str, ...]:
    missing = sorted(needed_scopes(user_groups=False) - granted)
    return tuple(
        f"The scope `{scope}` is missing: without it the bot cannot {SCOPES[scope]}." for scope in missing
    )


def _groups(granted: frozenset[str]) -> tuple[str, ...]:
    """Whether user groups can be read, which only counts where roles name some."""
    if FOR_USER_GROUPS in granted:
        return ()
    can = SCOPES[FOR_USER_GROUPS]
    return (f"The scope `{FOR_USER_GROUPS}` is missing, without which the bot cannot {can}, if any does.",)


def _surplus(granted: frozenset[str]) -> tuple[str, ...]:
    more = sorted(granted - set(SCOPES))
    return (
        (f"The app has scopes that the bot never uses; take them away: {', '.join(more)}.",) if more else ()
    )


async def _channels(
    api: WebApi, settings: SlackSettings, bot: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A sentence for each configured channel that the bot cannot work in, and for each that it perhaps cannot."""
    problems, doubts = [], []
    for channel in dict.fromkeys((*settings.channels, *filter(None, (settings.home_channel,)))):
        try:
            await api.call(
                f"read the channel {channel}",
                lambda client, channel=channel: client.conversations_history(channel=channel, limit=1),  # type: ignore[misc]
                channel=channel,
            )
            found = await look_at(api, channel)
        except RefusedError as error:
            outside = error.kind is RefusalKind.NOT_IN_CHANNEL
            absent = f"The bot is not in the channel {channel} ({error.code}): type `/invite @{bot}` there."
            problems.append(absent if outside else str(error))
        else:
            problems += [found.gone] if found.gone else []
            doubts += [found.restricted] if found.restricted else []
    return tuple(problems), tuple(doubts)
