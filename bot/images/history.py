"""Which versions were rolled back: they are promoted again only when somebody names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.bot.core.steps import Step
from slipway.bot.images.requests import Pin
from slipway.bot.images.steps import SetExcluded

DONE = "done"

TAKEN_BACK = frozenset({"approved", "running", "failed", DONE})
"""The states from which on a rollback counts, also if it failed: people agreed that the version is bad, and the
flag may have been set all the same. A promotion counts once it is done."""


def rolled_back(operations: Iterable[tuple[str, Sequence[Step]]]) -> tuple[Pin, ...]:
    """The versions that rollbacks took back, and that no promotion has named since.

    Args:
        operations: state and steps of rollbacks and promotions, in the order in which they ended, those that
            have not ended last. Other steps and states may be among them, and count for nothing.
    """
    found: dict[tuple[str, str, str], Pin] = {}
    for state, steps in operations:
        for step in steps:
            if not isinstance(step, SetExcluded):
                continue
            pin = Pin(
                definition=step.definition, version=step.version, cloud=step.cloud, qualified=step.qualified
            )
            if step.excluded and state in TAKEN_BACK:
                found[pin.key] = pin
            elif not step.excluded and state == DONE:
                found.pop(pin.key, None)
    return tuple(found.values())
