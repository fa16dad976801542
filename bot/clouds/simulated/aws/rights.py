"""What callers of the simulated AWS may not do, and how each protocol of its services says so."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4
from xml.sax.saxutils import escape

from aiohttp import web

DRY_RUN_DONE = ("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
UNAUTHORIZED = ("UnauthorizedOperation", "You are not authorized to perform this operation.")
_DENIED = ("AccessDeniedException", "User is not authorized to perform this action.")

TRIED_BY_LAUNCH = "RunInstances"
"""The one action whose dry run is carried further: it also tells of what else is wrong with a launch."""


def dry_answer(form: Mapping[str, str]) -> tuple[str, str] | None:
    """Code and message for what only asks whether it would be done; None where the launch itself is looked at."""
    if form.get("DryRun") != "true" or form.get("Action") == TRIED_BY_LAUNCH:
        return None
    return DRY_RUN_DONE


def refusal_of_other(request: web.Request) -> web.Response:
    """How a service beside EC2 refuses, in the protocol that it was asked in: JSON, CBOR, or XML."""
    code, message = _DENIED
    if "X-Amz-Target" in request.headers:
        return web.json_response(
            {"__type": code, "message": message}, status=400, content_type="application/x-amz-json-1.1"
        )
    if "/operation/" in request.path:
        body = b"\xa2" + b"".join(map(_text, ("__type", code, "message", message)))
        return web.Response(
            body=body,
            status=400,
            content_type="application/cbor",
            headers={"Smithy-Protocol": "rpc-v2-cbor"},
        )
    error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
    body = f"<ErrorResponse>{error}<RequestId>{uuid4()}</RequestId></ErrorResponse>".encode()
    return web.Response(body=body, status=403, content_type="text/xml", charset="utf-8")


def _text(value: str) -> bytes:
    """A text in CBOR. Source: RFC 8949, section 3.1, major type 3."""
    encoded = value.encode()
    if len(encoded) < 24:
        return bytes((0x60 + len(encoded),)) + encoded
    return bytes((0x78, len(encoded))) + encoded
