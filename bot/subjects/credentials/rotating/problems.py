"""Rotations that failed as often as they are tried, for the list of problems, until one succeeds."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look, Mend
from slipway.bot.subjects.credentials.rotating.ledger import Rotation
from slipway.bot.subjects.credentials.services import CredentialServices


async def look_at_rotations(services: Services) -> Look:
    """Every rotation that failed, and what others left over. What is gone from its source is no problem any more."""
    held = services.get(CredentialServices)
    seen = await held.watcher.seen() if held.watcher is not None else {}
    found: list[Found] = []
    for entry in held.inventory.entries:
        rotations = await held.workshop.ledger.of_entry(entry)
        there = seen.get(entry)
        found += (
            problem
            for key, each in rotations.items()
            if there is None or there.problem or key in there.credentials
            for problem in _wrong(entry, key, each, held)
        )
    return Look.of(found, scopes=held.inventory.entries)


def _wrong(entry: str, key: str, rotation: Rotation, held: CredentialServices) -> Iterator[Found]:
    left = f"Left over at its source: {', '.join(rotation.left)}." if rotation.left else ""
    if rotation.failures:
        yield Found(
            key=f"rotation {key}",
            what=f"{rotation.name} could not be rotated, and works on.",
            scope=entry,
            detail=" ".join(filter(None, (rotation.problem, left))),
            owner=held.owner_id(entry),
            move="Put right what kept it from being rotated, and rotate it again.",
            mend=Mend(label="Rotate", command=f"credential rotate {rotation.name}"),
        )
    elif left:
        yield Found(
            key=f"rotation left {key}",
            what=f"{rotation.name} was rotated, and a former try of that is left over.",
            scope=entry,
            detail=left,
            owner=held.owner_id(entry),
            move="Take away what is left over: nothing uses it.",
        )


def _configured(services: Services) -> bool:
    return any(each.deliver for each in services.get(CredentialServices).inventory.entries.values())


ROTATION_SOURCES = (
    ProblemSource("credential-rotations", "rotations of credentials", look_at_rotations, wanted=_configured),
)
