"""What reviewing emergencies works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.core.times import Clock

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.emergency.store import EmergencyStore


@dataclass(frozen=True)
class EmergencyServices:
    """What reviewing works with."""

    store: EmergencyStore
    clock: Clock
    name: Callable[[str], str]  # of a person, by their id
