"""Answers as Resource Manager gives them: documents, pages, errors, and what a fault leaves of a request."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.azure.errors import ArmError, error_body, invalid
from slipway.bot.clouds.simulated.azure.state import Record
from slipway.bot.clouds.simulated.faults import Fault, FaultKind

_USUAL: dict[FaultKind, tuple[str, str]] = {
    FaultKind.THROTTLE: (
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this subscription.",
    ),
    FaultKind.REFUSE: (
        "AuthorizationFailed",
        (
            "The client '00000000-0000-4000-8000-00000000c1e4' with object id "
            "'00000000-0000-4000-8000-00000000c1e4' does not have authorization to perform this action over scope "
            "'{path}' or the scope is invalid. If access was recently granted, please refresh your credentials."
        ),
    ),
    FaultKind.ERROR: ("InternalServerError", "An error occurred."),
    FaultKind.ERROR_AFTER: ("InternalServerError", "An error occurred."),
    FaultKind.UNAVAILABLE: ("ServiceUnavailable", "The service is unavailable now; try again later."),
    FaultKind.NOT_FOUND: ("ResourceNotFound", "The Resource '{path}' was not found."),
    FaultKind.CONFLICT: ("Conflict", "The request conflicts with the state of '{path}'."),
}
"""Code and words of the faults that are errors; those of recorded answers where there are some."""

_THROTTLE_DETAILS = {
    "code": "TooManyRequests",
    "target": "GetGalleryImageVersion30Min",
    "message": '{"operationGroup":"GetGalleryImageVersion30Min","startTime":"2026-01-01T00:00:00.0000000+00:00",'
    '"endTime":"2026-01-01T00:30:00.0000000+00:00","allowedRequestCount":10000,"measuredRequestCount":12108}',
}
"""Compute tells the group of operations as JSON in a string."""

_GATEWAY = frozenset(
    {
        "AuthorizationFailed",
        "InvalidResourceType",
        "LinkedAuthorizationFailed",
        "MissingApiVersionParameter",
        "ParentResourceNotFound",
        "ResourceGroupNotFound",
        "ResourceNotFound",
        "ScopeLocked",
        "SubscriptionNotFound",
        "TooManyRequests",
    }
)
"""Codes that Resource Manager itself gives, which says so in a header; others come from the provider behind it."""


def failure(error: ArmError) -> web.Response:
    """An error in ARM's shape."""
    return _failure(error.status, error.code, error_body(error.code, error.message, target=error.target))


def faulty(request: web.Request, fault: Fault, status: int) -> web.Response:
    """The error that a fault stands for. A throttle is compute's own unless it names another code."""
    code, words = _USUAL[fault.kind]
    code = fault.code or code
    message = fault.message or words.format(path=request.path)
    details = (
        [_THROTTLE_DETAILS] if (fault.kind, code) == (FaultKind.THROTTLE, "OperationNotAllowed") else None
    )
    answer = _failure(status, code, error_body(code, message, envelope=not fault.bare, details=details))
    if fault.kind in (FaultKind.THROTTLE, FaultKind.UNAVAILABLE) and fault.seconds is not None:
        answer.headers["Retry-After"] = f"{fault.seconds:g}"
    return answer


def _failure(status: int, code: str, body: dict[str, Any]) -> web.Response:
    cause = "gateway" if code in _GATEWAY else "service"
    return web.json_response(body, status=status, headers={"x-ms-failure-cause": cause})


def version_document(record: Record, *, replication: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A version as an answer shows it: with its validation once nothing changes it, and its replication if asked."""
    properties = record.document.get("properties")
    if not isinstance(properties, dict):  # spoiled by a test
        return record.document
    shown: dict[str, Any] = {}
    if record.state == "Succeeded":
        shown["validationsProfile"] = {"validationOperationStatus": "NotExecuted"}
    if replication is not None:
        shown["replicationStatus"] = replication
    return {**record.document, "properties": {**properties, **shown}} if shown else record.document


def page(request: web.Request, entries: list[dict[str, Any]], size: int) -> web.Response:
    """One page of a listing, with the address of the next one if there is more.

    Raises:
        ArmError: the ``$skiptoken`` is none that was given out. (Which code the service gives is not documented.)
    """
    start = _start(request.query.get("$skiptoken"))
    shown: dict[str, Any] = {"value": entries[start : start + size]}
    if start + size < len(entries):
        token = base64.urlsafe_b64encode(f"after:{start + size}".encode()).decode()
        shown["nextLink"] = str(request.url.update_query({"$skiptoken": token}))
    return web.json_response(shown)


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        text = base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii")
        word, _, number = text.partition(":")
        if word == "after" and number.isdecimal():
            return int(number)
    except ValueError:  # not ASCII, not base64, or not text
        pass
    raise invalid("The value of parameter $skiptoken is invalid.")
