"""Times as Resource Manager writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def arm_time(moment: datetime) -> str:
    """With ``+00:00``, and a fraction without its closing zeros, if there is one."""
    utc = moment.astimezone(UTC)
    fraction = f".{utc:%f}".rstrip("0").rstrip(".")
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}+00:00"


def read_arm_time(text: str) -> datetime:
    """A sent time; one without an offset is UTC.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
