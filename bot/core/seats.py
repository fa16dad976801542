"""Seats that persons take, each one of those they can: a maximum matching, found person by person.

It decides whether approvals of several roles are enough where one person holds several of them, and whether there are
enough persons at all. Whoever comes never makes anybody who has a seat lose theirs; they may only move.
"""

from __future__ import annotations

from collections.abc import Mapping


class Seats:
    """So many seats of each role, and who has taken which.

    Args:
        sizes: how many of which role.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = dict(sizes)
        self._able: dict[str, frozenset[str]] = {}
        self._taken: dict[str, str] = {}

    @property
    def count(self) -> int:
        """How many seats are taken."""
        return len(self._taken)

    @property
    def roles(self) -> Mapping[str, str]:
        """The role whose seat each has, by their ids; whoever has none is not among them."""
        return dict(self._taken)

    def take(self, person: str, roles: frozenset[str]) -> bool:
        """Let somebody take a seat of one of these roles, others moving for that where they can; false where there is
        none for them. Whoever has a seat keeps one."""
        if person in self._taken:
            return True
        self._able[person] = roles
        return self._seat(person, set())

    def with_another(self, roles: frozenset[str]) -> bool:
        """Whether there is a seat for one person more, who holds these roles."""
        tried = Seats({})
        tried._sizes, tried._able, tried._taken = self._sizes, dict(self._able), dict(self._taken)
        return tried.take("", roles)

    def _seat(self, person: str, tried: set[str]) -> bool:
        """An augmenting path: a free seat, or one whose holder finds another; ``tried`` are roles looked at."""
        for role, size in self._sizes.items():
            if role not in self._able[person] or role in tried:
                continue
            tried.add(role)
            holders = [each for each, taken in self._taken.items() if taken == role]
            if len(holders) < size or any(self._seat(each, tried) for each in holders):
                self._taken[person] = role
                return True
        return False
