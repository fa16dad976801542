"""What Slack's refusals mean, in sentences that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from slack_sdk.errors import SlackApiError

from slipway.bot.chat.slack.ids import is_direct
from slipway.bot.core.errors import ChatError

_CODE = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)
_SCOPES = re.compile(r"[a-z:._, ]{1,200}", re.ASCII)

# Slack's own words for each, from its methods' reference (docs.slack.dev/reference/methods).
_RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})
_NOT_IN_CHANNEL = frozenset({"not_in_channel", "channel_not_found"})
_ARCHIVED = frozenset({"is_archived", "is_inactive"})
_MESSAGE_NOT_FOUND = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
)
_INVALID_TOKEN = frozenset(
    {
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("not_allowed_token_type", "forbidden_team", "team_access_not_granted"),
    }
)
_PASSING = frozenset(
    {
        *("internal_error", "fatal_error", "service_unavailable", "request_timeout", "update_failed"),
        # A workspace or a channel that is being moved: minutes to hours.
        *("team_added_to_org", "org_login_required", "external_channel_migrating"),
    }
)
_ADVICE = {
    "ekm_access_denied": "the workspace's administrators have suspended access to its messages",
    "messages_tab_disabled": "the app's Messages tab is off; make the app as `slipway slack manifest` has it",
    "no_permission": "the app may not do that; see whether it is in the channel, and `slipway doctor`",
    "accesslimited": "Slack does not allow that from this machine's network",
    "plan_upgrade_required": "user groups need a paid plan of Slack",
    "no_such_subteam": "there is no such user group; see `slack_groups` in slipway.toml",
    "user_not_in_channel": "that person is not in the channel",
}


class RefusalKind(StrEnum):
    """The kinds of refusal that callers tell apart."""

    RATE_LIMITED = "rate limited"
    NOT_IN_CHANNEL = "not in channel"  # the bot is not in the channel
    USER_NOT_IN_CHANNEL = "user not in channel"  # the person is not in the channel
    INVALID_BLOCKS = "invalid blocks"  # Slack does not show blocks like these, or not so many
    MESSAGE_NOT_FOUND = "message not found"  # the message is not there any more
    MISSING_SCOPE = "missing scope"
    INVALID_TOKEN = "invalid token"  # noqa: S105 - the token does not work
    OTHER = "other"


_KINDS = {
    "user_not_in_channel": RefusalKind.USER_NOT_IN_CHANNEL,
    **dict.fromkeys(
        ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"), RefusalKind.INVALID_BLOCKS
    ),
}


class RefusedError(ChatError):
    """Slack answered with an error.

    Args:
        sentence: what was not done and what to do about it, with Slack's code.
        kind: what sort of refusal it is.
        passing: whether a later try may succeed.
        code: Slack's own word for it, such as ``is_archived``; empty if it gave none.
        doubtful: whether it may have been done all the same.
        retry_after: seconds that Slack asks to wait; 0 if it does not say.
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
    ) -> None:
        super().__init__(sentence, passing=passing, doubtful=doubtful, retry_after=retry_after)
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
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in _RATE_LIMITED:
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
    kind, advice = _advice(code, data, channel, bot)
    passing = code in _PASSING
    sentence = f"Could not {action}: {advice} ({code})."
    return RefusedError(sentence, kind=kind, passing=passing, code=code, doubtful=passing)


def _advice(code: str, data: Mapping[str, Any], channel: str, bot: str) -> tuple[RefusalKind, str]:
    place = f"the channel {channel}" if channel else "that channel"
    if code in _NOT_IN_CHANNEL and is_direct(channel):
        return (
            RefusalKind.NOT_IN_CHANNEL,
            "I am not in that conversation; ask in a channel, or in a message to me",
        )
    if code in _NOT_IN_CHANNEL:
        return RefusalKind.NOT_IN_CHANNEL, f"I am not in {place}; type `/invite @{bot}` there"
    if code in _ARCHIVED:
        return RefusalKind.OTHER, f"{place} is archived"
    if code in _MESSAGE_NOT_FOUND:
        return RefusalKind.MESSAGE_NOT_FOUND, "the message was deleted, or can no longer be changed"
    if code == "missing_scope":
        needed = data.get("needed")
        scope = needed if isinstance(needed, str) and _SCOPES.fullmatch(needed) else "another one"
        return RefusalKind.MISSING_SCOPE, (
            f"the app lacks the scope `{scope}`; add it under “OAuth & Permissions” as "
            "`slipway slack manifest` has it, and install the app again"
        )
    if code in _INVALID_TOKEN:
        return RefusalKind.INVALID_TOKEN, "Slack does not accept the token; see `slipway doctor`"
    if code.startswith("restricted_action"):
        return RefusalKind.OTHER, f"the workspace's administrators do not let apps do that in {place}"
    return _KINDS.get(code, RefusalKind.OTHER), _ADVICE.get(code, "Slack said no")


def _retry_after(headers: Any) -> float:
    try:
        return max(0.0, float(str(headers["Retry-After"])))
    except (KeyError, TypeError, ValueError):
        return 1.0
