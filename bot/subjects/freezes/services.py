"""What commands about freezes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.core.times import Clock

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.freezing.store import FreezeStore
    from slipway.bot.operations.persistence.repository import OperationRepository


@dataclass(frozen=True)
class FreezeServices:
    """What commands about freezes work with.

    Attributes:
        store: what people said.
        operations: what is under way.
        windows: the names of the windows that hold at a moment.
        name: a person as people call them, by their id.
        clock: the present.
    """

    store: FreezeStore
    operations: OperationRepository
    windows: Callable[[datetime], tuple[str, ...]]
    name: Callable[[str], str]
    clock: Clock
