"""What an error of the Azure SDK means. Imports azure-core, so only ``arm`` may import this."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.policies import RetryPolicy
from azure.core.polling.base_polling import BadResponse, OperationFailed

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.error_codes import PROFILE_CODES, kind_of
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.times import format_duration

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}", re.ASCII)

_TRACE = re.compile(r"\s+Trace ID:")
"""Where the token service's words end, and its ids and the time begin."""

_NO_GALLERY = re.compile(
    r"Parent resource '?[^/']+'? not found|Microsoft\.Compute/galleries/[^/']+'", re.IGNORECASE
)
"""How a 404 names the gallery as what is missing, by a code that it has in common with definitions and versions."""

_SET_RIGHT = Remedy(when="once that is put right")
_PERMITTED = Remedy(when="once it is permitted")

_ACTION = re.compile(r"does not have (?:authorization|permission) to perform action '([A-Za-z./]+)'")
"""How a 403 names the right that is lacking."""

_REPLACED = {
    "Canceled": "somebody or something cancelled it",
    "OperationPreempted": "another operation took its place",
}
"""Ends of an operation that are no failure of what was asked for."""

_BY_STATUS = {
    400: CloudErrorKind.INVALID,
    401: CloudErrorKind.REFUSED,
    403: CloudErrorKind.REFUSED,
    404: CloudErrorKind.NOT_FOUND,
    408: CloudErrorKind.TIMED_OUT,
    409: CloudErrorKind.CONFLICT,
    412: CloudErrorKind.CONFLICT,
    429: CloudErrorKind.THROTTLED,
}

_NO_LOOK = frozenset({401, 403, 404, 408, 429})
"""Statuses that tell of whoever looks, and not of what is looked at."""

_SENTENCES = {
    CloudErrorKind.NOT_FOUND: "{azure} could not {action}: it does not know it",
    CloudErrorKind.REFUSED: "{azure} refused to {action}: Slipway's identity lacks the right {right}",
    CloudErrorKind.THROTTLED: "{azure} did not {action}: too many requests",
    CloudErrorKind.CONFLICT: "{azure} did not {action}: the state it is in forbids that",
    CloudErrorKind.CONFIGURATION: "{azure} could not {action}: the subscription, resource group or gallery that is "
    "configured does not exist there, or cannot be used",
    CloudErrorKind.QUOTA: "{azure} did not {action}: a quota is used up",
    CloudErrorKind.CAPACITY: "{azure} did not {action}: it has no room for it now",
    CloudErrorKind.INVALID: "{azure} did not {action}: it calls the request invalid",
    CloudErrorKind.TIMED_OUT: "{azure} did not answer in time when asked to {action}",
    CloudErrorKind.UNREACHABLE: "{azure} could not be reached to {action}",
    CloudErrorKind.BROKEN: "{azure} failed to {action} by an error of its own",
    CloudErrorKind.UNEXPECTED_ANSWER: "{azure} was asked to {action} and gave an answer that cannot be read",
}

_NAMED_BY_PROFILE = (
    "{azure} could not {action}: what the profile names does not exist there, or cannot be used"
)


@contextmanager
def translate_errors(account: AzureAccount, action: str) -> Iterator[None]:
    """Turn whatever an SDK call raises into a CloudError. ``action`` completes “Azure refused to …”."""
    with account.contact.noting(action.partition(" ")[0]):
        try:
            yield
        except AzureError as error:
            raise _translate(error, account, action) from error
        # What reading of an unexpected document ends in, by the SDK or here: JSON and Unicode errors are ValueErrors,
        # and what is nested without end is a RecursionError.
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise _error(CloudErrorKind.UNEXPECTED_ANSWER, account, action) from error


def _translate(error: AzureError, account: AzureAccount, action: str) -> CloudError:
    match error:
        case ServiceRequestTimeoutError() | ServiceResponseTimeoutError():
            return _error(CloudErrorKind.TIMED_OUT, account, action)
        # Also from the token service: where it is unwell, nothing is said of the credentials.
        case HttpResponseError() if error.response is not None and _is_unwell(error.status_code or 0):
            return _translate_response(error, account, action)
        case DecodeError():
            return _error(CloudErrorKind.UNEXPECTED_ANSWER, account, action)
        case ClientAuthenticationError():  # from the token service (any status), or a 401
            said = _said(error)
            code = said.code
            shown = code or (
                f"HTTP {error.status_code}" if error.status_code else "none were found that work"
            )
            sentence = (
                f"{account.title} refused to {action}: it does not accept Slipway's credentials ({shown})."
            )
            return account.error(CloudErrorKind.REFUSED, sentence, code, said.message)
        case HttpResponseError() if error.response is not None:
            return _translate_response(error, account, action)
        case _:
            return _error(CloudErrorKind.UNREACHABLE, account, action)


def _translate_response(error: HttpResponseError, account: AzureAccount, action: str) -> CloudError:
    """An answer with an error status, or a long-running operation that ended in one."""
    said = _said(error)
    status = error.status_code or 0
    if isinstance(error.inner_exception, BadResponse):
        return _error(CloudErrorKind.UNEXPECTED_ANSWER, account, action)
    if isinstance(error.inner_exception, OperationFailed) and status < 400:
        ended = _REPLACED.get(said.code)
        sentence = (
            f"{account.title} began to {action}, and then {ended}."
            if ended
            else f"{account.title} began to {action} and ended in failure ({said.code or 'no code given'})."
        )
        return account.error(_by_code(said) or CloudErrorKind.BROKEN, sentence, said.code, said.message)
    pause = _retry_after(error)
    kind = _kind(status, said, pause)
    named = kind is CloudErrorKind.CONFIGURATION and said.code in PROFILE_CODES
    words = _NAMED_BY_PROFILE if named else _SENTENCES[kind]
    shown = said.code or f"HTTP {status}"
    busy = kind is CloudErrorKind.THROTTLED and status != 429
    sentence = (
        f"{account.title} did not {action}: it is too busy ({shown})"
        if busy
        else f"{words.format(azure=account.title, action=action, right=_right(said))} ({shown})"
    )
    if kind is CloudErrorKind.THROTTLED and pause is not None:
        left_alone = format_duration(timedelta(seconds=round(pause)))
        sentence += f"; it wants to be left alone for {left_alone}"
    found = account.error(kind, f"{sentence}.", said.code, said.message)
    found.retry_after = pause
    if kind is CloudErrorKind.CONFIGURATION:
        found.remedy = _SET_RIGHT
    elif kind is CloudErrorKind.REFUSED:
        found.remedy = _PERMITTED
    return found


def is_end(error: CloudError) -> bool:
    """Whether an error that following an operation ended in is the operation's own end, and not of a look at it.

    An operation that is followed by its ``Location`` alone tells its failure by the status, too.
    """
    cause = error.__cause__
    if not isinstance(cause, HttpResponseError):
        return False
    status = cause.status_code or 0
    if isinstance(cause.inner_exception, OperationFailed) and status < 400:
        return True
    return 400 <= status < 500 and status not in _NO_LOOK


def _kind(status: int, said: _Said, pause: float | None) -> CloudErrorKind:
    """What an answer means. Its status outranks its code: compute throttles by 429 and ``OperationNotAllowed``.

    Source: “Troubleshooting API throttling errors” of Azure's compute; the same code with 409 is a quota or a
    state that forbids it.
    """
    if is_throttle(status, pause):
        return CloudErrorKind.THROTTLED
    if status >= 500:
        return CloudErrorKind.BROKEN
    if status < 400:
        return CloudErrorKind.UNEXPECTED_ANSWER
    if status == 404 and _NO_GALLERY.search(said.message):
        return CloudErrorKind.CONFIGURATION
    return _by_code(said) or _BY_STATUS.get(status, CloudErrorKind.INVALID)


def _is_unwell(status: int) -> bool:
    """Whether a service cannot answer now, whatever it was asked."""
    return status == 429 or status >= 500


def _by_code(said: _Said) -> CloudErrorKind | None:
    return kind_of(said.code, said.message)


def _right(said: _Said) -> str:
    """Which right is lacking, as Azure names it (``Microsoft.Compute/galleries/images/versions/write``)."""
    named = _ACTION.search(said.message)
    return named[1] if named else "to do that"


def _error(kind: CloudErrorKind, account: AzureAccount, action: str) -> CloudError:
    sentence = _SENTENCES[kind].format(azure=account.title, action=action, right="to do that")
    return account.error(kind, f"{sentence}.")


def _retry_after(error: HttpResponseError) -> float | None:
    """For how many seconds Azure wants to be left alone, where it says so."""
    return retry_after(getattr(error.response, "headers", {}))


def is_throttle(status: int, pause: float | None) -> bool:
    """Whether an answer asks to come back later: 429, or a 503 that says when."""
    return status == 429 or (status == 503 and pause is not None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer's Retry-After asks for; None where there is none, or it cannot be read."""
    header = headers.get("Retry-After")
    if not header:
        return None
    try:
        return float(RetryPolicy().parse_retry_after(header))
    except ValueError:
        return None


@dataclass(frozen=True)
class _Said:
    """Code and message of an error's body."""

    code: str = ""
    message: str = ""


def _said(error: HttpResponseError) -> _Said:
    """What ARM's error body says, or the token service's (“invalid_client”, and a description).

    Compute's throttle comes with the ``error`` envelope and without, and its telling code stands in the details.
    """
    try:
        body: Any = json.loads(error.response.text()) if error.response is not None else None
    except ValueError:
        return _Said()
    if not isinstance(body, dict):
        return _Said()
    inner = body.get("error", body)
    if not isinstance(inner, dict):
        described = body.get("error_description")
        words = _TRACE.split(described, 1)[0] if isinstance(described, str) else ""
        return _Said(_plain_code(inner), words)
    if inner.get("code") in _WRAPPERS:
        inner = _innermost(inner)
    message = inner.get("message")
    details = inner.get("details")
    throttled = any(
        isinstance(each, dict) and each.get("code") == "TooManyRequests"
        for each in (details if isinstance(details, list) else ())
    )
    code = "TooManyRequests" if throttled else _plain_code(inner.get("code"))
    if not code and body.get("status") == "Canceled":
        code = "Canceled"
    return _Said(code, message if isinstance(message, str) else "")


_WRAPPERS = frozenset({"InvalidTemplateDeployment", "DeploymentFailed", "ResourceDeploymentFailure"})
"""Codes of a deployment around the error of what it deploys."""

_DEPTH = 5


def _innermost(error: dict[str, Any]) -> dict[str, Any]:
    """The first error that a deployment wraps, or the deployment's own where it holds none."""
    for _ in range(_DEPTH):
        details = error.get("details")
        inner = (
            next((each for each in details if isinstance(each, dict)), None)
            if isinstance(details, list)
            else None
        )
        if inner is None or error.get("code") not in _WRAPPERS:
            break
        error = inner
    return error


def _plain_code(code: object) -> str:
    """A code, if it looks like one."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
