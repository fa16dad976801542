"""What a homeserver says no with, as one error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from slipway.bot.core.errors import ChatError

_ERRCODE = re.compile(r"[A-Z][A-Z0-9_.]{0,60}", re.ASCII)


_LOCKED_OUT = frozenset(
    {
        *("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED"),
        *("M_CONSENT_NOT_GIVEN", "M_RESOURCE_LIMIT_EXCEEDED"),
    }
)
"""What is said of the account or the homeserver, and not of what was asked for (spec, “Common error codes”)."""


class HomeserverError(ChatError):
    """The homeserver answered with an error.

    Args:
        sentence: what was not done, with Matrix's error code.
        passing: whether a later try may succeed.
        errcode: Matrix's code such as ``M_FORBIDDEN``; empty if the answer had none.
        status: the HTTP status.
        retry_after: seconds that the server asks to wait; 0 if it does not say.
        logged_out: ``soft`` if the token ended and the device lives on, ``hard`` if the device is gone too.
    """

    def __init__(
        self,
        sentence: str,
        *,
        passing: bool,
        errcode: str = "",
        status: int = 0,
        retry_after: float = 0.0,
        logged_out: Literal["", "soft", "hard"] = "",
    ) -> None:
        super().__init__(
            sentence, passing=passing, retry_after=retry_after, locked_out=errcode in _LOCKED_OUT
        )
        self.errcode = errcode
        self.status = status
        self.logged_out = logged_out

    @property
    def rate_limited(self) -> bool:
        """Whether the homeserver finds that too much is asked of it."""
        return self.errcode == "M_LIMIT_EXCEEDED" or self.status == HTTPStatus.TOO_MANY_REQUESTS


def error_from_response(what: str, status: int, answer: Mapping[str, Any]) -> HomeserverError:
    """The error for an answer that is one.

    Args:
        what: what was not done.
        status: the HTTP status.
        answer: the answer's ``errcode``, ``retry_after_ms`` and ``soft_logout``, as far as it has them.
    """
    errcode, retry_after_ms = answer.get("errcode"), answer.get("retry_after_ms")
    code = errcode if isinstance(errcode, str) and _ERRCODE.fullmatch(errcode) else ""
    if code in ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"):
        soft = answer.get("soft_logout") is True
        sentence = (
            f"Could not {what}: the homeserver no longer knows the bot's access token ({code}); "
            "get it a new one with `slipway matrix login`, or set matrix.password, and start Slipway again."
        )
        return HomeserverError(
            sentence, passing=False, errcode=code, status=status, logged_out="soft" if soft else "hard"
        )
    limited = code == "M_LIMIT_EXCEEDED" or status == HTTPStatus.TOO_MANY_REQUESTS
    # Without a code of Matrix's own it was not a homeserver that spoke, but something in front of it.
    passing = limited or status >= HTTPStatus.INTERNAL_SERVER_ERROR or not code
    seconds = retry_after_ms / 1000 if isinstance(retry_after_ms, int) and retry_after_ms > 0 else 0.0
    reason = ", ".join(filter(None, (code, f"HTTP {status}" if status else "")))
    return HomeserverError(
        f"Could not {what}: the homeserver said no ({reason or 'without a reason'}).",
        passing=passing,
        errcode=code,
        status=status,
        retry_after=seconds,
    )
