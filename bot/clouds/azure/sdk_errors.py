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
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import format_duration

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}", re.ASCII)

_BY_CODE = {
    "QuotaExceeded": CloudErrorKind.QUOTA,
    "TooManyRequests": CloudErrorKind.THROTTLED,
    "OperationNotAllowed": CloudErrorKind.CONFLICT,
    "AuthorizationFailed": CloudErrorKind.REFUSED,
    "Canceled": CloudErrorKind.CONFLICT,
    "OperationPreempted": CloudErrorKind.CONFLICT,
}
"""What a code says where the status says less: of a request that was refused as such, or an operation that failed."""

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

_SENTENCES = {
    CloudErrorKind.NOT_FOUND: "{azure} could not {action}: it does not know it",
    CloudErrorKind.REFUSED: "{azure} refused to {action}: Slipway's identity may not",
    CloudErrorKind.THROTTLED: "{azure} did not {action}: too many requests",
    CloudErrorKind.CONFLICT: "{azure} did not {action}: the state it is in forbids that",
    CloudErrorKind.QUOTA: "{azure} did not {action}: a quota is used up",
    CloudErrorKind.INVALID: "{azure} did not {action}: it calls the request invalid",
    CloudErrorKind.TIMED_OUT: "{azure} did not answer in time when asked to {action}",
    CloudErrorKind.UNREACHABLE: "{azure} could not be reached to {action}",
    CloudErrorKind.BROKEN: "{azure} failed to {action} by an error of its own",
    CloudErrorKind.UNEXPECTED_ANSWER: "{azure} was asked to {action} and gave an answer that cannot be read",
}


@contextmanager
def translate_errors(account: AzureAccount, action: str) -> Iterator[None]:
    """Turn whatever an SDK call raises into a CloudError. ``action`` completes “Azure refused to …”."""
    try:
        yield
    except AzureError as error:
        raise _translate(error, account, action) from error
    # What the SDK's own reading of an unexpected document ends in; JSON and Unicode errors are ValueErrors.
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _error(CloudErrorKind.UNEXPECTED_ANSWER, account, action) from error


def _translate(error: AzureError, account: AzureAccount, action: str) -> CloudError:
    match error:
        case ServiceRequestTimeoutError() | ServiceResponseTimeoutError():
            return _error(CloudErrorKind.TIMED_OUT, account, action)
        case DecodeError():
            return _error(CloudErrorKind.UNEXPECTED_ANSWER, account, action)
        case ClientAuthenticationError():  # from the token service (any status), or a 401
            code = _said(error).code
            shown = code or (
                f"HTTP {error.status_code}" if error.status_code else "none were found that work"
            )
            sentence = (
                f"{account.title} refused to {action}: it does not accept Slipway's credentials ({shown})."
            )
            return account.error(CloudErrorKind.REFUSED, sentence, code)
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
    shown = said.code or f"HTTP {status}"
    busy = kind is CloudErrorKind.THROTTLED and status != 429
    sentence = (
        f"{account.title} did not {action}: it is too busy ({shown})"
        if busy
        else f"{_SENTENCES[kind].format(azure=account.title, action=action)} ({shown})"
    )
    if kind is CloudErrorKind.THROTTLED and pause is not None:
        left_alone = format_duration(timedelta(seconds=round(pause)))
        sentence += f"; it wants to be left alone for {left_alone}"
    found = account.error(kind, f"{sentence}.", said.code, said.message)
    found.retry_after = pause
    return found


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
    return _by_code(said) or _BY_STATUS.get(status, CloudErrorKind.INVALID)


def _by_code(said: _Said) -> CloudErrorKind | None:
    if said.code == "OperationNotAllowed" and "quota" in said.message.lower():
        return CloudErrorKind.QUOTA
    return _BY_CODE.get(said.code)


def _error(kind: CloudErrorKind, account: AzureAccount, action: str) -> CloudError:
    return account.error(kind, f"{_SENTENCES[kind].format(azure=account.title, action=action)}.")


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
    """What ARM's error body says, or the token service's (“invalid_client”).

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
        return _Said(_plain_code(inner))
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


def _plain_code(code: object) -> str:
    """A code, if it looks like one."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
