"""What Slack's refusals mean, in sentences that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from slack_sdk.errors import SlackApiError

from slipway.bot.chat.shared.payloads import value_at
from slipway.bot.chat.slack.ids import is_direct
from slipway.bot.chat.slack.transport.error_codes import RefusalKind, kind_of, words_of
from slipway.bot.core.errors import ChatError

_CODE = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)
_SCOPES = re.compile(r"[a-z:._, ]{1,200}", re.ASCII)

_ABOUT_BLOCKS = re.compile(r"/(?:blocks|attachments|view)\b|\bblocks?\b", re.ASCII)


class RefusedError(ChatError):
    """Slack answered with an error.

    Args:
        sentence: what was not done and what to do about it, with Slack's code.
        kind: what sort of refusal it is.
        passing: whether a later try may succeed.
        code: Slack's own word for it, such as ``is_archived``; empty if it gave none.
        doubtful: whether it may have been done all the same.
        retry_after: seconds that Slack asks to wait; 0 if it does not say.
        room_gone: whether the channel is archived, or the bot is not in it any more.
        locked_out: whether Slack takes nothing of the kind from the bot, until somebody gives it the right.
    """

    def __init__(
        self,
        sentence: str,
        *,
        kind: RefusalKind,
        passing: bool,
        code: str = "",
        doubtful: bool = False,
        retry_after: float = 0.0,
        room_gone: bool = False,
        locked_out: bool = False,
    ) -> None:
        super().__init__(
            sentence,
            passing=passing,
            doubtful=doubtful,
            retry_after=retry_after,
            room_gone=room_gone,
            locked_out=locked_out,
        )
        self.kind = kind
        self.code = code


def refused_error(action: str, error: SlackApiError, channel: str = "", bot: str = "slipway") -> RefusedError:
    """What an error of the SDK means.

    Args:
        action: what was not done, to follow “Could not”.
        error: as the SDK raised it. Its text holds the whole answer, so it goes nowhere.
        channel: the channel concerned, if there is one.
        bot: the bot's name, for who has to invite it.
    """
    response: Any = error.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    data = data if isinstance(data, Mapping) else {}
    found = data.get("error")
    code = found if isinstance(found, str) and _CODE.fullmatch(found) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or kind_of(code) is RefusalKind.RATE_LIMITED:
        return RefusedError(
            f"Could not {action}: Slack finds that the bot says too much.",
            kind=RefusalKind.RATE_LIMITED,
            passing=True,
            code="ratelimited",
            retry_after=_retry_after(getattr(response, "headers", {})),
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not code:
        return RefusedError(
            f"Could not {action}: Slack failed (HTTP {status}).",
            kind=RefusalKind.OTHER,
            passing=True,
            doubtful=True,
        )
    kind = kind_of(code)
    if code == "invalid_arguments" and _complains_of_blocks(data):
        kind = RefusalKind.INVALID_FORM
    passing = kind is RefusalKind.PASSING
    return RefusedError(
        f"Could not {action}: {_advice(code, kind, data, channel, bot)} ({code}).",
        kind=kind,
        passing=passing,
        code=code,
        doubtful=passing,
        room_gone=kind in (RefusalKind.NOT_IN_CHANNEL, RefusalKind.ARCHIVED) and not is_direct(channel),
        locked_out=kind in (RefusalKind.INVALID_TOKEN, RefusalKind.NOT_ALLOWED),
    )


def _advice(code: str, kind: RefusalKind, data: Mapping[str, Any], channel: str, bot: str) -> str:
    place = f"the channel {channel}" if channel else "that channel"
    if is_direct(channel):  # its id is nobody else's business
        place = "that conversation"
    if kind is RefusalKind.NOT_IN_CHANNEL and is_direct(channel):
        return "I am not in that conversation; ask in a channel, or in a message to me"
    if kind is RefusalKind.NOT_IN_CHANNEL:
        return f"I am not in {place}; type `/invite @{bot}` there"
    if kind is RefusalKind.ARCHIVED:
        return f"{place} is archived"
    if code == "missing_scope":
        needed = data.get("needed")
        scope = needed if isinstance(needed, str) and _SCOPES.fullmatch(needed) else "another one"
        return (
            f"the app lacks the scope `{scope}`; add it under “OAuth & Permissions” as "
            "`slipway slack manifest` has it, and install the app again"
        )
    return words_of(code).replace("that channel", place)


def _complains_of_blocks(data: Mapping[str, Any]) -> bool:
    """Whether Slack's list of what is wrong with the arguments is about blocks."""
    messages = value_at(data, "response_metadata", "messages")
    told = messages if isinstance(messages, list) else []
    return any(isinstance(each, str) and _ABOUT_BLOCKS.search(each) for each in told)


def _retry_after(headers: Any) -> float:
    try:
        return max(0.0, float(str(headers["Retry-After"])))
    except (KeyError, TypeError, ValueError):
        return 1.0
