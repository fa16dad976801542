"""An entry as a syslog message. Pure.

Over the network it is RFC 5424. On this machine's own socket it is what the C library's ``syslog`` sends, since that
is what the journal reads there: it takes RFC 5424's header for a part of the text.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime

from slipway.bot.operations.audit import Recorded, document_of

PRIORITY = 13 * 8 + 5
"""Facility 13, log audit, and severity 5, a normal but significant condition. Source: RFC 5424, section 6.2.1."""

APP = "slipway"

LONGEST = 8000
"""Bytes of a message. A receiver must take 480 and should take 2,048 (RFC 5424, section 6.1); rsyslog takes 8 KiB
unless it is told otherwise (``maxMessageSize``), and cuts what is longer."""

_MOST_SEQUENCE = 2**31 - 1
"""Of ``sequenceId``. Source: RFC 5424, section 7.3.1."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def network_message(recorded: Recorded, host: str, process: int) -> bytes:
    """A message of RFC 5424: its structured data have the entry's number, its text is the entry as JSON in ASCII,
    which needs no byte order mark."""
    at = recorded.entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    header = f"<{PRIORITY}>1 {at} {_ascii(host, 255)} {APP} {process} {_ascii(recorded.entry.action, 32)}"
    sequence = (recorded.number - 1) % _MOST_SEQUENCE + 1
    return _whole(f'{header} [meta sequenceId="{sequence}"] ', recorded)


def local_message(recorded: Recorded, now: datetime, process: int) -> bytes:
    """A message as the C library sends it to ``/dev/log``."""
    local = time.localtime(now.timestamp())
    at = f"{_MONTHS[local.tm_mon - 1]} {local.tm_mday:2d} {time.strftime('%H:%M:%S', local)}"
    return _whole(f"<{PRIORITY}>{at} {APP}[{process}]: ", recorded)


def counted(message: bytes) -> bytes:
    """A message behind the count of its octets, as TCP and TLS take it. Source: RFC 6587, section 3.4.1."""
    return b"%d %b" % (len(message), message)


def _whole(head: str, recorded: Recorded) -> bytes:
    """Head and entry; where that is too long, without the detail, of which its hash and number tell."""
    document = document_of(recorded)
    message = (head + json.dumps(document)).encode()
    if len(message) <= LONGEST:
        return message
    left_out = {**document, "detail": {}, "detail_left_out": len(json.dumps(document["detail"]))}
    return (head + json.dumps(left_out)).encode()


def _ascii(text: str, longest: int) -> str:
    """What a header takes of a text: printable ASCII without blanks. Source: RFC 5424, section 6, PRINTUSASCII."""
    return re.sub(r"[^\x21-\x7e]", "-", text)[:longest] or "-"
