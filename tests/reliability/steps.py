"""What happens in an episode: a closed union of steps, which are data, and how they are drawn from a seed.

A step names nothing that only a run knows (an operation's id, a message): it holds a number between 0 and 1 that
picks one of those that are there by then. So the steps of an episode follow from its options alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from tests.crash.clouds import CrashTiming
from tests.reliability.options import ALICE, BOB, CAROL, CHATS, MALLORY, Options
from tests.reliability.orders import ORDERS, Order


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
    """``kill -9`` now; the next start comes after a pause of so many seconds."""

    pause: float


@dataclass(frozen=True)
class KillAtCommit:
    """``kill -9`` before or after the n-th commit from now on."""

    timing: CrashTiming
    number: int
    pause: float


@dataclass(frozen=True)
class KillAtRequest:
    """``kill -9`` around the n-th request to a cloud from now on."""

    cloud: Literal["azure", "aws"]
    timing: CrashTiming
    number: int
    pause: float


@dataclass(frozen=True)
class Stop:
    """SIGTERM, as an upgrade does."""

    pause: float


@dataclass(frozen=True)
class Freeze:
    """The bot stands still for so many seconds, as where its machine is suspended or has far too much to do."""

    seconds: float


@dataclass(frozen=True)
class MoveClock:
    """The bot's clock shows so many minutes more or less than the time from now on."""

    minutes: int


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
)


_CLOUD_KINDS = {
    FaultKind.THROTTLE: 1,
    FaultKind.ERROR: 1,
    FaultKind.ERROR_AFTER: 2,
    FaultKind.UNAVAILABLE: 1,
    FaultKind.DROP: 1,
    FaultKind.LOST_ANSWER: 3,
    FaultKind.SLOW: 2,
    FaultKind.NOT_DONE: 1,
}


@dataclass(frozen=True)
class Step:
    """Something that happens, and the seconds that pass before."""

    after: float
    deed: Deed


_LONGEST_FIRST, _LONGEST_LAST = 4.0, 6.0  # seconds
_MOST_FIRST = 3


def draw(options: Options) -> tuple[Step, ...]:
    """The steps of an episode. The same options give the same steps."""
    rng = random.Random(f"steps {options.name}")
    dice = _Dice(rng, options)
    return tuple(
        Step(round(rng.expovariate(1 / options.pause), 2), dice.deed()) for _ in range(options.steps)
    )


def draw_first(options: Options) -> tuple[Step, ...]:
    """What happens before the bot was ever ready: sometimes it is killed in the midst of its first starts, while it
    makes its databases, its keys and its way into the rooms."""
    rng = random.Random(f"first steps {options.name}")
    kills = rng.choice((0, 0, rng.randint(1, _MOST_FIRST))) if options.kills else 0
    return tuple(Step(round(rng.uniform(0, _LONGEST_FIRST), 2), Kill(0.0)) for _ in range(kills))


def draw_last(options: Options) -> tuple[Step, ...]:
    """What happens once all is said: everything that waits is agreed to, and the bot killed while it is at it."""
    rng = random.Random(f"last steps {options.name}")
    faults = _Dice(rng, options).faults() if options.trouble else ()
    rounds = tuple(Step(0.0, Round(chat)) for chat in CHATS)
    return (*faults, *rounds, Step(round(rng.uniform(0, _LONGEST_LAST), 2), Kill(0.0)))


def draw_pick(rng: random.Random) -> float:
    """A number that picks one of several things: below 1, also once it is rounded."""
    return min(round(rng.random(), 4), 0.9999)


class _Dice:
    def __init__(self, rng: random.Random, options: Options) -> None:
        self._rng = rng
        self._options = options
        self._draws = {
            self._ask: 26,
            self._question: 7,
            self._decide: 30,
            self._round: 7,
            self._undermine: 9,
            self._cancel: 4,
            self._take_back: 3,
            self._again: 6,
            self._behind: 5,
            self._cloud_fault: 9 * options.trouble,
            self._chat_fault: 0 if options.days else 11 * options.trouble,
            self._outage: 0 if options.days else 2 * options.trouble,
            self._death: 8 * options.kills,
            self._freeze: 2 * options.trouble,
            self._move_clock: 2,
        }

    def faults(self) -> tuple[Step, ...]:
        """Some that wait for what follows."""
        chats = [] if self._options.days else [self._chat_fault] * 2
        return tuple(Step(0.0, each()) for each in (*[self._cloud_fault] * 2, *chats))

    def deed(self) -> Deed:
        (chosen,) = self._rng.choices(tuple(self._draws), weights=tuple(self._draws.values()))
        return chosen()

    def _ask(self) -> Deed:
        (order,) = self._rng.choices(ORDERS, weights=tuple(each.weight for each in ORDERS))
        who = self._person({ALICE: 10, BOB: 6, CAROL: 1, MALLORY: 0.5})
        return Ask(who, self._chat(), order, self._pick(), self._rng.random() < 0.5)

    def _question(self) -> Deed:
        return Question(self._person({ALICE: 1, BOB: 1, CAROL: 2}), self._chat(), self._rng.random() < 0.6)

    def _decide(self) -> Deed:
        who = self._person({BOB: 10, ALICE: 5, CAROL: 1, MALLORY: 0.5})
        choice = Choice.APPROVE if self._rng.random() < 0.93 else Choice.REJECT
        (way,) = self._rng.choices(tuple(Way), weights=(6, 3, 2, 2))
        return Decide(who, self._chat(), choice, way, self._pick())

    def _round(self) -> Deed:
        return Round(self._chat())

    def _undermine(self) -> Deed:
        return Undermine(self._chat(), self._person({BOB: 2, ALICE: 1}), self._pick())

    def _cancel(self) -> Deed:
        return Cancel(self._person({ALICE: 3, BOB: 2, CAROL: 0.3}), self._chat(), self._pick())

    def _take_back(self) -> Deed:
        return TakeBack(self._pick())

    def _again(self) -> Deed:
        return Again(self._rng.choice(("matrix", "slack")), self._pick())

    def _behind(self) -> Deed:
        hands = {Hand.FLIP: 4, Hand.DELETE: 2, Hand.UPLOAD: 4, Hand.PROTECT: 1, Hand.TERMINATE: 1}
        (hand,) = self._rng.choices(tuple(hands), weights=tuple(hands.values()))
        return Behind(hand, self._pick(), self._pick())

    def _cloud_fault(self) -> Deed:
        (kind,) = self._rng.choices(tuple(_CLOUD_KINDS), weights=tuple(_CLOUD_KINDS.values()))
        cloud = self._rng.choices(("azure", "aws"), weights=(3, 2))[0]
        writes = self._rng.random() < 0.5
        return CloudFault(cloud, kind, writes, self._rng.randint(1, 3), self._seconds(3))  # type: ignore[arg-type]

    def _chat_fault(self) -> Deed:
        chat = self._rng.choices(CHATS, weights=(1, 4, 4))[0]
        trouble = self._rng.choice(tuple(Trouble))
        return ChatFault(chat, trouble, self._pick(), self._rng.randint(1, 3), self._seconds(4))

    def _outage(self) -> Deed:
        return Outage(self._rng.choice(("matrix", "slack", "azure", "aws")), self._seconds(8))

    def _death(self) -> Deed:
        pause = round(self._rng.choice((0.0, 0.0, self._rng.uniform(0, 4))), 2)
        match self._rng.choices(("kill", "commit", "request", "stop"), weights=(4, 5, 3, 1))[0]:
            case "commit":
                timing = self._rng.choice((CrashTiming.BEFORE, CrashTiming.AFTER))
                return KillAtCommit(timing, self._rng.randint(1, 25), pause)
            case "request":
                timing = self._rng.choice((CrashTiming.BEFORE, CrashTiming.AFTER))
                cloud = self._rng.choices(("azure", "aws"), weights=(4, 1))[0]
                return KillAtRequest(cloud, timing, self._rng.randint(1, 12), pause)  # type: ignore[arg-type]
            case "stop":
                return Stop(pause)
        return Kill(pause)

    def _freeze(self) -> Deed:
        return Freeze(self._seconds(8))

    def _move_clock(self) -> Deed:
        if self._options.slack_http:  # a signature is good for five minutes
            return MoveClock(self._rng.choice((-2, -1, 0, 1, 2)))
        by_days = tuple(days * 24 * 60 for days in (-2, -1, 1, 2))
        by_minutes = (-25, -7, -1, 0, 1, 7, 25)
        return MoveClock(self._rng.choice(by_days if self._options.days else by_minutes))

    def _chat(self) -> str:
        return self._rng.choices(CHATS, weights=self._options.chat_weights)[0]

    def _person(self, weights: dict[str, float]) -> str:
        return self._rng.choices(tuple(weights), weights=tuple(weights.values()))[0]

    def _pick(self) -> float:
        return draw_pick(self._rng)

    def _seconds(self, most: float) -> float:
        return round(self._rng.uniform(0.1, most), 2)
