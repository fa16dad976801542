"""How the steps of an episode are drawn from its seed. What they are stands in :mod:`tests.reliability.deeds`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from tests.crash.clouds import CrashTiming
from tests.reliability.deeds import (
    Again,
    Ask,
    Behind,
    Cancel,
    ChatFault,
    CloudFault,
    CutWire,
    Decide,
    Deed,
    Freeze,
    Hand,
    Kill,
    KillAtCommit,
    KillAtRequest,
    MoveClock,
    Outage,
    Question,
    RestartDatabase,
    Round,
    Stop,
    TakeBack,
    Trouble,
    Undermine,
    Way,
)
from tests.reliability.options import ALICE, BOB, CAROL, CHATS, MALLORY, Options
from tests.reliability.orders import ORDERS

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


_SLOWER = 1.5
"""With replicas, so that people go on while one takes over from the other."""

_REPLICA_SHARE = 0.1

_LONGEST_FIRST, _LONGEST_LAST = 4.0, 6.0  # seconds
_MOST_FIRST = 3


def draw(options: Options) -> tuple[Step, ...]:
    """The steps of an episode. The same options give the same steps."""
    rng = random.Random(f"steps {options.name}")
    dice = _Dice(rng, options)
    steps = tuple(
        Step(round(rng.expovariate(1 / options.pause), 2), dice.deed()) for _ in range(options.steps)
    )
    return steps if options.replicas == 1 else tuple(_among_replicas(steps, options))


def _among_replicas(steps: Iterable[Step], options: Options) -> Iterator[Step]:
    """The same steps for two replicas: each death strikes one of them, and between them comes what one process on
    files cannot live through."""
    rng = random.Random(f"replicas {options.name}")
    dice = _ReplicaDice(rng)
    for step in steps:
        yield replace(step, after=round(step.after * _SLOWER, 2), deed=dice.aimed(step.deed))
        if rng.random() < _REPLICA_SHARE:
            yield Step(round(rng.expovariate(1 / options.pause), 2), dice.deed())


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


class _ReplicaDice:
    """Draws what is of replicas alone."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def aimed(self, deed: Deed) -> Deed:
        """The same at one of the replicas, if it strikes one."""
        if isinstance(deed, Kill | KillAtCommit | Stop | Freeze | MoveClock):
            return replace(deed, which=draw_pick(self._rng))
        return deed

    def deed(self) -> Deed:
        draws = {self._pause: 4, self._restart: 3, self._cut: 4}
        (chosen,) = self._rng.choices(tuple(draws), weights=tuple(draws.values()))
        return chosen()

    def _pause(self) -> Deed:
        """For longer than a lease holds (bot.replicas.model.LeaseTiming)."""
        return Freeze(round(self._rng.uniform(11, 16), 2), draw_pick(self._rng))

    def _restart(self) -> Deed:
        seconds = self._rng.choice((0.0, self._rng.uniform(0, 4), self._rng.uniform(11, 15)))
        return RestartDatabase(self._rng.random() < 0.5, round(seconds, 2))

    def _cut(self) -> Deed:
        seconds = self._rng.choice((0.0, 0.0, self._rng.uniform(0, 5), self._rng.uniform(11, 15)))
        silent = seconds > 0 and self._rng.random() < 0.5
        return CutWire(round(seconds, 2), silent, draw_pick(self._rng))


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
