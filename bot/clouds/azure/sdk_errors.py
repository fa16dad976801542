"""What an error of the Azure SDK means. Imports azure-core, so only ``arm`` may import this."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
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
    "OperationNotAllowed": CloudErrorKind.CONFLICT,  # galleries: protected until the end of life
    "TooManyRequests": CloudErrorKind.THROTTLED,
    "AuthorizationFailed": CloudErrorKind.REFUSED,
    "Canceled": CloudErrorKind.CONFLICT,
}
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
            code = _code(error)
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
    code = _code(error)
    status = error.status_code or 0
    if isinstance(error.inner_exception, BadResponse):
        return _error(CloudErrorKind.UNEXPECTED_ANSWER, account, action)
    if isinstance(error.inner_exception, OperationFailed) and status < 400:
        kind = _BY_CODE.get(code, CloudErrorKind.BROKEN)
        if kind is CloudErrorKind.CONFLICT and code == "Canceled":
            sentence = f"{account.title} began to {action}, and then somebody or something cancelled it."
        else:
            sentence = f"{account.title} began to {action} and ended in failure ({code or 'no code given'})."
        return account.error(kind, sentence, code)
    if status >= 500:
        kind = CloudErrorKind.BROKEN
    elif status < 400:
        kind = CloudErrorKind.UNEXPECTED_ANSWER
    else:
        kind = _BY_CODE.get(code) or _BY_STATUS.get(status, CloudErrorKind.INVALID)
    pause = _retry_after(error) if kind is CloudErrorKind.THROTTLED else ""
    return _error(kind, account, action, code or f"HTTP {status}", pause, code)


def _error(
    kind: CloudErrorKind,
    account: AzureAccount,
    action: str,
    shown: str = "",
    more: str = "",
    code: str = "",
) -> CloudError:
    sentence = _SENTENCES[kind].format(azure=account.title, action=action)
    sentence += f" ({shown})" if shown else ""
    return account.error(kind, f"{sentence}{more}.", code)


def _retry_after(error: HttpResponseError) -> str:
    """How long Azure wants to be left alone, where it says so."""
    header = getattr(error.response, "headers", {}).get("Retry-After")
    if not header:
        return ""
    try:
        seconds = RetryPolicy().parse_retry_after(header)
    except ValueError:
        return ""
    return f"; it wants to be left alone for {format_duration(timedelta(seconds=round(seconds)))}"


def _code(error: HttpResponseError) -> str:
    """The code in ARM's error body, or in the token service's (“invalid_client”), if it looks like one."""
    try:
        body: Any = json.loads(error.response.text()) if error.response is not None else None
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    inner = body.get("error", body)
    code = inner.get("code") if isinstance(inner, dict) else inner
    if isinstance(code, str) and _CODE.fullmatch(code):
        return code
    return "Canceled" if body.get("status") == "Canceled" else ""
