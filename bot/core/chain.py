"""A place in a chain of hashes, such as the audit trail's."""

from __future__ import annotations

from dataclasses import dataclass

GENESIS = "0" * 64
"""Stands before the first entry."""


@dataclass(frozen=True)
class Place:
    """So many entries, the newest with this hash."""

    entries: int = 0
    head: str = GENESIS
