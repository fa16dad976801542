"""What commands about locks work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.locks.releasing import Releasing


@dataclass(frozen=True)
class LockServices:
    """What commands about locks work with.

    Attributes:
        releasing: whether a lock can be taken from its holder.
    """

    releasing: Releasing
