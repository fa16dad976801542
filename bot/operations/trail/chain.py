"""How an entry of the audit trail is hashed, and whether rows of its table follow on one another.

Knows two formats. Format 1, of Slipway before the column ``format``: the canonical JSON of an object, with the
detail as an object. Format 2: a JSON array of what is stored, to the letter, the format itself first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipway.bot.core.chain import Place
from slipway.bot.core.model import canonical
from slipway.bot.operations.trail.stored import stored_time
from slipway.bot.store.tables import audit

FORMAT = 2
"""The format of new entries."""

COLUMNS = (
    audit.c.number,
    audit.c.key,
    # The time as it is stored: whatever somebody wrote there must be told, not stop the walk.
    stored_time(audit.c.at).label("at"),
    audit.c.actor,
    audit.c.action,
    audit.c.operation_id,
    audit.c.detail,
    audit.c.previous,
    audit.c.hash,
    audit.c.format,
)
"""What :func:`follow` wants of each row, in this order."""

Row = Sequence[Any]
"""A row of :data:`COLUMNS`, of whatever types somebody stored."""

_STORED_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)
"""How :class:`stored_time` gives a time. One that is written otherwise was not written by Slipway."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_quoted = json.encoder.encode_basestring
"""A text as :data:`_encode` writes it."""


@dataclass(frozen=True)
class Broken:
    """The chain does not hold; ``number`` is the first entry that does not fit."""

    number: int
    why: str


def iso(at: datetime) -> str:
    """A time as it is hashed: in UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def hash_of(
    number: object,
    key: object,
    at: str,
    actor: object,
    action: object,
    operation_id: object,
    detail: object,
    previous: str,
) -> str:
    """The hash of an entry of the current format.

    Args:
        number: its place, from 1.
        key: as it is stored, and so are the others.
        at: as :func:`iso` writes it.
        actor: who did it.
        action: what was done.
        operation_id: to which operation; None for none.
        detail: JSON text.
        previous: the hash of the entry before.

    Raises:
        TypeError: something is neither text nor a number nor None.
    """
    text = _encode([FORMAT, number, key, at, actor, action, operation_id, detail, previous])
    return hashlib.sha256(text.encode()).hexdigest()


def follow(rows: Iterable[Row], place: Place) -> Place | Broken:
    """Whether rows follow on a place in the chain, each as it was written to the letter; and where they lead."""
    number, head = place.entries, place.head
    for row in rows:
        number += 1
        if row[0] != number:
            return Broken(number, f"entry {number} is missing")
        if row[7] != head:
            return Broken(number, f"entry {number} does not follow on entry {number - 1}")
        found = _recomputed(row, head)
        if found is None or found != row[8]:
            return Broken(number, f"entry {number} was changed after it was written")
        head = found
    return Place(number, head)


def _recomputed(row: Row, previous: str) -> str | None:
    """The hash that a row should have; None where it is none that Slipway writes."""
    number, key, at, actor, action, operation_id, detail, _, _, written = row
    if type(at) is not str or _STORED_TIME.fullmatch(at) is None or type(detail) is not str:
        return None
    when = f"{at[:10]}T{at[11:]}+00:00"
    try:
        if written == FORMAT:
            if type(key) is type(actor) is type(action) is type(operation_id) is str:
                # As hash_of() does it, at a third of the cost: a trail of years is proved at every head that is told.
                text = (
                    f'[{FORMAT},{number},{_quoted(key)},"{when}",{_quoted(actor)},{_quoted(action)},'
                    f'{_quoted(operation_id)},{_quoted(detail)},"{previous}"]'
                )
                return hashlib.sha256(text.encode()).hexdigest()
            return hash_of(number, key, when, actor, action, operation_id, detail, previous)
        if written == 1:
            return _hash_of_format_1(number, key, when, actor, action, operation_id, detail, previous)
    except (ValueError, TypeError, AttributeError):  # bytes, a lone surrogate, no JSON, no object
        pass
    return None


def _hash_of_format_1(
    number: Any, key: Any, at: str, actor: Any, action: Any, operation_id: Any, detail: str, previous: str
) -> str | None:
    held = json.loads(detail)
    if json.dumps(held, ensure_ascii=False) != detail:
        return None
    text = canonical(
        {
            "action": action,
            "actor": actor,
            "at": at,
            "detail": dict(held.items()),
            "key": key,
            "number": number,
            "operation": operation_id,
            "previous": previous,
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()
