"""What can happen in an episode: a closed union of steps' deeds, which are data.

A deed names nothing that only a run knows (an operation's id, a message): it holds a number between 0 and 1 that
picks one of those that are there by then. So the steps of an episode follow from its options alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from tests.crash.clouds import CrashTiming
from tests.reliability.orders import Order


class Way(StrEnum):
    """How somebody decides on an operation."""

    PRESSED = "pressed"  # a button, or a reaction
    NAMED = "named"  # a line with its id
    BARE = "bare"  # a line without one
    REPLY = "reply"  # a line without one, in the thread of a card


class Trouble(StrEnum):
    """How a chat fails."""

    REFUSED = "refused"  # 503 or 502, nothing done
    THROTTLED = "throttled"  # 429
    SLOW = "slow"  # done late
    LATE = "late"  # done, and told late
    LOST = "lost"  # done, and the connection breaks
    BROKEN = "broken"  # done, and answered with an error
    CUT = "cut"  # its connections break
    UNHEARD = "unheard"  # the next acknowledgement gets lost


class Hand(StrEnum):
    """What somebody else does in a cloud."""

    FLIP = "flip"  # promotes or takes back
    DELETE = "delete"
    UPLOAD = "upload"
    PROTECT = "protect"
    TERMINATE = "terminate"


@dataclass(frozen=True)
class Ask:
    """Somebody wants something changed. ``topic``: in a thread of its own, else in the room itself."""

    who: str
    chat: str
    order: Order
    pick: float
    topic: bool


@dataclass(frozen=True)
class Question:
    """Somebody wants to know something."""

    who: str
    chat: str
    topic: bool


@dataclass(frozen=True)
class Decide:
    """Somebody approves or rejects."""

    who: str
    chat: str
    choice: Choice
    way: Way
    pick: float


@dataclass(frozen=True)
class Round:
    """The release engineers go through a chat, and agree to all that waits there."""

    chat: str


@dataclass(frozen=True)
class Undermine:
    """Somebody else promotes a newer version than one that waits for that, and somebody agrees to the older one."""

    chat: str
    who: str
    pick: float


@dataclass(frozen=True)
class Cancel:
    """Somebody cancels an operation."""

    who: str
    chat: str
    pick: float


@dataclass(frozen=True)
class TakeBack:
    """Somebody takes a reaction back, where a chat has that."""

    pick: float


@dataclass(frozen=True)
class Again:
    """A chat delivers something once more that it delivered before."""

    chat: str
    pick: float


@dataclass(frozen=True)
class Behind:
    """The world changes behind the bot's back."""

    hand: Hand
    pick: float
    which: float


@dataclass(frozen=True)
class CloudFault:
    """The next so many requests to a cloud go wrong; ``seconds`` are of those that are slow."""

    cloud: Literal["azure", "aws"]
    kind: FaultKind
    writes: bool
    times: int
    seconds: float


@dataclass(frozen=True)
class ChatFault:
    """The next so many calls to a chat go wrong; ``place`` picks which kind of call."""

    chat: str
    trouble: Trouble
    place: float
    times: int
    seconds: float


@dataclass(frozen=True)
class Outage:
    """A chat or a cloud is away for a while."""

    what: str
    seconds: float


@dataclass(frozen=True)
class Kill:
    """``kill -9`` now; the next start comes after a pause of so many seconds.

    ``which`` says of two replicas which one, here and below: see :meth:`tests.reliability.bot.Bot.pick`.
    """

    pause: float
    which: float = 0.0


@dataclass(frozen=True)
class KillAtCommit:
    """``kill -9`` before or after the n-th commit from now on."""

    timing: CrashTiming
    number: int
    pause: float
    which: float = 0.0


@dataclass(frozen=True)
class KillAtRequest:
    """``kill -9`` around the n-th request to a cloud from now on, of whichever replica works then."""

    cloud: Literal["azure", "aws"]
    timing: CrashTiming
    number: int
    pause: float


@dataclass(frozen=True)
class Stop:
    """SIGTERM, as an upgrade does."""

    pause: float
    which: float = 0.0


@dataclass(frozen=True)
class Freeze:
    """The bot stands still for so many seconds, as where its machine is suspended or has far too much to do."""

    seconds: float
    which: float = 0.0


@dataclass(frozen=True)
class MoveClock:
    """The bot's clock shows so many minutes more or less than the time from now on."""

    minutes: int
    which: float = 0.0


@dataclass(frozen=True)
class RestartDatabase:
    """The server that has the database stops, and starts again after so many seconds.

    ``crash``: it stops as if it had crashed, and not as an administrator stops it.
    """

    crash: bool
    seconds: float


@dataclass(frozen=True)
class CutWire:
    """A replica's connections to the database break, and for so many seconds it gets no others.

    ``silent``: they do not break, and nothing passes any more.
    """

    seconds: float
    silent: bool
    which: float


Deed = (
    Ask
    | Question
    | Decide
    | Round
    | Undermine
    | Cancel
    | TakeBack
    | Again
    | Behind
    | CloudFault
    | ChatFault
    | Outage
    | Kill
    | KillAtCommit
    | KillAtRequest
    | Stop
    | Freeze
    | MoveClock
    | RestartDatabase
    | CutWire
)
