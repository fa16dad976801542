"""What commands about schedules and the clock work with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.core.times import Clock

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.schedules.store import ScheduleStore


@dataclass(frozen=True)
class ScheduleServices:
    """What commands about schedules and the clock work with.

    Attributes:
        store: how they ran, and who paused them.
        names: the schedules of the configuration, whether they are enabled or not.
        clock: the present.
        name: a person as people call them, by their id.
    """

    store: ScheduleStore
    names: Sequence[str]
    clock: Clock
    name: Callable[[str], str]
