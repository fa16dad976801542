"""Whether a request really comes from Slack, decided on its raw bytes before anything reads them.

Source: docs.slack.dev/authentication/verifying-requests-from-slack: ``v0=`` and the hexadecimal HMAC-SHA256 of
``v0:TIMESTAMP:BODY`` under the app's signing secret, no older than five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta

MAX_AGE = timedelta(minutes=5)
"""Between the moment of a signature and now, either way."""

_TIMESTAMP = re.compile(r"\d{1,12}", re.ASCII)


def is_genuine(secret: str, *, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """Whether the signature is right and recent; compared in constant time.

    Args:
        secret: the app's signing secret.
        timestamp: the header ``X-Slack-Request-Timestamp``.
        signature: the header ``X-Slack-Signature``.
        body: the request's body, as it came.
        now: the present moment.
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    if abs(now.timestamp() - int(timestamp)) > MAX_AGE.total_seconds():
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))
