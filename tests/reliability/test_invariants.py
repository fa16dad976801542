"""The long harness itself: each invariant finds what it is there for, and a seed gives the same episode again."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from tests.reliability.clouds import Action, Write
from tests.reliability.deeds import Ask, CutWire, RestartDatabase
from tests.reliability.evidence import Evidence, LifeTold, OperationTold, StepTold
from tests.reliability.invariants import INVARIANTS, violations
from tests.reliability.leadership import Absence, Hindrance, Span, absences
from tests.reliability.ledger import Act, Entry
from tests.reliability.logs import lines_by_words
from tests.reliability.machines import MachineAction, MachineWrite
from tests.reliability.messages import Seen, Title
from tests.reliability.options import Options, StorageKind
from tests.reliability.rest import waiting
from tests.reliability.rooms.room import Said
from tests.reliability.senders import Done
from tests.reliability.steps import draw, draw_pick

OPERATION = "op-7k3f"
DEFINITION, VERSION = "Fedora-Cloud-43-x64", "43.20261118.0"
MACHINE = "i-0f1e2d3c4b5a69788"

CARD = Seen("slack", "2", 2.0, f"✔ {OPERATION} promote: done\nAsked by: Alice")
REPORT = Seen("slack", "4", 4.0, f"✔ {OPERATION} promote: done\nEnded", thread="2")
ANSWER = Seen("slack", "6", 6.0, "You are Carol.", thread="5")
TICK = Seen("matrix", "9", 9.0, "You are the schedule.\nAsked by: the schedule ticking: `!whoami`")
SKIPPED = Seen("matrix", "11", 11.0, "⚠ 1 run was skipped: ticking")
ORDER = Entry(Act.ORDER, "alice", "slack", f"!promote {DEFINITION}", Said("1", 1.0))
VOTE = Entry(Act.APPROVE, "bob", "slack", "", Said("3", 3.0), operation=OPERATION)
QUESTION = Entry(Act.QUESTION, "carol", "slack", "!whoami", Said("5", 5.0), thread="5", word="You are")
WRITE = Write(False, Action.PROMOTE, DEFINITION, VERSION, True)
TOLD = OperationTold(
    Title(OPERATION, "promote", "done"),
    "alice",
    f"{VERSION} is latest.",
    (StepTold(f"promote {VERSION} of {DEFINITION}", f"✔ {VERSION} of {DEFINITION} is promoted."),),
)


def _noted(number: int, actor: str, action: str) -> dict[str, Any]:
    return {"number": number, "actor": actor, "action": action, "operation": OPERATION}


TRAIL = [
    _noted(1, "alice", "proposed"),
    _noted(2, "bob", "approval"),
    _noted(3, "bob", "approved"),
    _noted(4, "slipway", "started"),
    _noted(5, "slipway", "step-1:begun"),
    _noted(6, "slipway", "step-1:done"),
    _noted(7, "slipway", "done"),
]

SPAN = Span(1, 1, 0.0, 0.0, 0.0, 1.0, 10.0)

RIGHT = Evidence(
    options=Options.of(1, 1),
    entries=(ORDER, VOTE, QUESTION),
    seen={"console": (), "matrix": (TICK, replace(TICK, id="10")), "slack": (CARD, REPORT, ANSWER)},
    operations={OPERATION: TOLD},
    trail=TRAIL,
    proof="",
    writes=(WRITE,),
    machines={},
    machine_writes=(),
    made_by_strangers=frozenset(),
    bystanders=frozenset(),
    ended_by_strangers=frozenset(),
    policies={"promote": {"approvals": 1}, "launch": {"approvals": 0}},
    undermined=frozenset(),
    lives=(LifeTold(1, -9, False, False, (), turn=1), LifeTold(2, 0, True, True, (), turn=2)),
    done=(Done(1, "PUT"), Done(2, "PUT"), Done(2, "PUT")),
    absences=(Absence(SPAN, 11.0),),
    ticks=frozenset(("2026-11-20T12:01:00+00:00", "2026-11-20T12:02:00+00:00")),
    minutes=2,
    unsettled=(),
    afterwards=(),
)


def _says(*messages: Seen) -> dict[str, Sequence[Seen]]:
    return {**RIGHT.seen, "slack": messages}


def _told(result: str, state: str = "done") -> dict[str, OperationTold]:
    steps = (replace(TOLD.steps[0], result=result),)
    return {OPERATION: replace(TOLD, title=replace(TOLD.title, state=state), steps=steps)}


LAUNCH = StepTold("launch 1 machine from Fedora with slipway-small v2", f"✔ Launched {MACHINE}.")
LAUNCHED = OperationTold(Title("op-9m2c", "launch", "done"), "alice", "1 machine runs.", (LAUNCH,))
REPORTED = Seen("slack", "8", 8.0, "✔ op-9m2c launch: done\nEnded", thread="7")
LAUNCH_CARD = Seen("slack", "7", 7.0, "✔ op-9m2c launch: done\nAsked by: Alice")
UP = Seen("slack", "14", 14.0, f"<@U0ALICE00> ✔ {MACHINE} is up\n`ssh fedora@192.0.2.8`", thread="7")

WRONG: dict[str, tuple[str, Callable[[], Evidence]]] = {
    "a change of which no operation has a step": (
        "approved",
        lambda: replace(RIGHT, writes=(WRITE, replace(WRITE, version="43.20261111.0"))),
    ),
    "too few approvals": (
        "approved",
        lambda: replace(RIGHT, policies={"promote": {"approvals": 2}}),
    ),
    "the approval of whoever asked": (
        "approved",
        lambda: replace(
            RIGHT,
            entries=(*RIGHT.entries, replace(VOTE, who="alice")),
            trail=[TRAIL[0], _noted(2, "alice", "approval"), *TRAIL[2:]],
        ),
    ),
    "an approval that was taken back before": (
        "approved",
        lambda: replace(RIGHT, trail=[*TRAIL, {**_noted(3, "bob", "approval withdrawn")}]),
    ),
    "an approval that nobody gave": ("agreed to", lambda: replace(RIGHT, entries=(ORDER, QUESTION))),
    "an approval from before the card": (
        "agreed to",
        lambda: replace(
            RIGHT,
            entries=(ORDER, QUESTION, replace(VOTE, operation=None, text="!approve", said=Said("0", 1.5))),
        ),
    ),
    "what did not hold any more was carried out": (
        "held",
        lambda: replace(RIGHT, undermined=frozenset((OPERATION,))),
    ),
    "an effect that happened twice": ("once", lambda: replace(RIGHT, writes=(WRITE, WRITE))),
    "a machine too many": (
        "once",
        lambda: replace(
            RIGHT,
            operations={**RIGHT.operations, "op-9m2c": LAUNCHED},
            seen=_says(CARD, REPORT, ANSWER, LAUNCH_CARD, REPORTED),
            entries=(*RIGHT.entries, ORDER),
            machines={key: {"state": "running", "tags": {}} for key in (MACHINE, "i-1111111111111111")},
        ),
    ),
    "a machine beyond what was reserved": (
        "reserved",
        lambda: replace(
            RIGHT,
            machines={
                MACHINE: {"state": "terminated", "tags": {"slipway:token": f"slipway-op-9m2c-{16 * 'a'}-1"}}
            },
        ),
    ),
    "somebody else's machine that was stopped": (
        "untouched",
        lambda: replace(
            RIGHT, machines={MACHINE: {"state": "stopped", "tags": {}}}, bystanders=frozenset((MACHINE,))
        ),
    ),
    "a stop that no operation began": (
        "untouched",
        lambda: replace(RIGHT, machine_writes=(MachineWrite(MachineAction.STOP, MACHINE),)),
    ),
    "an end on Azure that no operation began": (
        "untouched",
        lambda: replace(RIGHT, machine_writes=(MachineWrite(MachineAction.END, "vm-1f3c9a02b7de-1"),)),
    ),
    "a machine that outlives its cap": (
        "outlived",
        lambda: replace(RIGHT, machines={MACHINE: {"state": "running", "tags": {}}}),
    ),
    "a stop that is told and was not": (
        "true",
        lambda: replace(
            RIGHT,
            operations={
                **RIGHT.operations,
                "op-9m2c": replace(LAUNCHED, steps=(StepTold(f"stop {MACHINE}", "✔ ok"),)),
            },
        ),
    ),
    "a write that changed the tags": (
        "unspoiled",
        lambda: replace(RIGHT, writes=(replace(WRITE, spoiled=("tags",)),)),
    ),
    "a question that nobody answered": ("answered", lambda: replace(RIGHT, seen=_says(CARD, REPORT))),
    "a question that was answered twice": (
        "answered",
        lambda: replace(RIGHT, seen=_says(CARD, REPORT, ANSWER, replace(ANSWER, id="7"))),
    ),
    "an order that was answered twice": (
        "answered",
        lambda: replace(RIGHT, seen=_says(CARD, replace(CARD, id="8"), REPORT, ANSWER)),
    ),
    "a schedule's time that was answered twice": (
        "ticked",
        lambda: replace(RIGHT, minutes=None, seen={**RIGHT.seen, "slack": (*RIGHT.seen["slack"], TICK)}),
    ),
    "a schedule's time that led to nothing": (
        "ticked",
        lambda: replace(RIGHT, seen={**RIGHT.seen, "matrix": (TICK,)}),
    ),
    "a schedule's time that was answered and called skipped": (
        "ticked",
        lambda: replace(RIGHT, seen={**RIGHT.seen, "matrix": (*RIGHT.seen["matrix"], SKIPPED)}),
    ),
    "a vote that is noted nowhere": (
        "counted",
        lambda: replace(RIGHT, entries=(*RIGHT.entries, replace(VOTE, act=Act.REJECT, who="alice"))),
    ),
    "a vote that was taken back and stands": (
        "counted",
        lambda: replace(RIGHT, entries=(ORDER, QUESTION, replace(VOTE, taken_back=True))),
    ),
    "an end that nobody told": ("reported", lambda: replace(RIGHT, seen=_says(CARD, ANSWER))),
    "a report outside its thread": (
        "reported",
        lambda: replace(RIGHT, seen=_says(CARD, replace(REPORT, thread="5"), ANSWER)),
    ),
    "done is told, and was not": ("true", lambda: replace(RIGHT, writes=())),
    "done is told, and the cloud only said so": (
        "true",
        lambda: replace(RIGHT, writes=(replace(WRITE, changed=False, so=False),)),
    ),
    "not done is told, and was": (
        "true",
        lambda: replace(RIGHT, operations=_told("- not done")),
    ),
    "a step of which no log is known": (
        "true",
        lambda: replace(
            RIGHT,
            operations={
                OPERATION: replace(TOLD, steps=(*TOLD.steps, StepTold("weigh it", "✔ It is weighed.")))
            },
        ),
    ),
    "a report of another end": (
        "true",
        lambda: replace(
            RIGHT, seen=_says(CARD, replace(REPORT, text=f"{OPERATION} promote: failed"), ANSWER)
        ),
    ),
    "a report that stands there twice": (
        "not twice",
        lambda: replace(RIGHT, seen=_says(CARD, REPORT, replace(REPORT, id="9"), ANSWER)),
    ),
    "a machine that came up twice": (
        "not twice",
        lambda: replace(RIGHT, seen=_says(CARD, REPORT, ANSWER, UP, replace(UP, id="15"))),
    ),
    "a card that still waits": (
        "cards",
        lambda: replace(
            RIGHT,
            seen=_says(replace(CARD, text=f"{OPERATION} promote: running\nAsked by: Alice"), REPORT, ANSWER),
        ),
    ),
    "a card that can still be pressed": (
        "cards",
        lambda: replace(RIGHT, seen=_says(replace(CARD, choices=frozenset(Choice)), REPORT, ANSWER)),
    ),
    "a trail that does not hold": ("trail", lambda: replace(RIGHT, proof="entry 3 does not follow entry 2")),
    "a bot that ended by itself": (
        "alive",
        lambda: replace(RIGHT, lives=(LifeTold(1, 1, False, False, ()), *RIGHT.lives[1:])),
    ),
    "a traceback in its log": (
        "alive",
        lambda: replace(RIGHT, lives=(*RIGHT.lives[:1], LifeTold(2, 0, True, True, ("Traceback",)))),
    ),
    "a process that works again after another one did": (
        "one works",
        lambda: replace(RIGHT, done=(*RIGHT.done, Done(1, "PUT"))),
    ),
    "work that nobody takes over": (
        "taken over",
        lambda: replace(RIGHT, absences=(Absence(SPAN, None),)),
    ),
    "something that never ended": ("ends", lambda: replace(RIGHT, unsettled=("op-7k3f is running",))),
    "a start that says something": ("still", lambda: replace(RIGHT, afterwards=("it said something",))),
}


def test_what_is_right_violates_nothing() -> None:
    assert violations(RIGHT) == []


@pytest.mark.parametrize(("name", "wrong"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_found(name: str, wrong: Callable[[], Evidence]) -> None:
    assert name in {each.partition(":")[0] for each in violations(wrong())}


def test_each_invariant_can_be_violated() -> None:
    assert {name for name, _ in WRONG.values()} == {each.name for each in INVARIANTS}


def test_a_seed_and_a_number_give_the_same_episode_again_and_others_another_one() -> None:
    episodes = [draw(Options.of(seed, number)) for seed in (1, 2) for number in (1, 2)]
    assert episodes == [draw(Options.of(seed, number)) for seed in (1, 2) for number in (1, 2)]
    assert len(set(episodes)) == len(episodes)


@pytest.mark.parametrize("storage", StorageKind)
def test_replicas_live_through_the_same_orders_and_more_faults(storage: StorageKind) -> None:
    options = Options.of(3, 1, storage)
    deeds = [each.deed for each in draw(options)]
    orders = [each for each in deeds if isinstance(each, Ask)]
    assert orders == [
        each.deed for each in draw(Options.of(3, 1, StorageKind.SQLITE)) if isinstance(each.deed, Ask)
    ]
    assert any(isinstance(each, RestartDatabase | CutWire) for each in deeds) is (
        storage is StorageKind.POSTGRES
    )


def test_how_long_nobody_works_after_a_death_counts_where_another_one_stood_ready() -> None:
    died = Span(1, 1, 0.0, 0.0, 0.0, 1.0, 10.0)
    stood = Span(2, 2, 3.0, 5.0, None, None, None)
    assert list(absences([died, stood], [])) == [Absence(died, None)]
    assert list(absences([died, replace(stood, led_at=21.0, works_at=23.5)], [])) == [
        Absence(died, 13.5),
    ]
    late = replace(stood, led_at=21.0, works_at=47.0)
    assert list(absences([died, late], [])) == [Absence(died, None)]
    assert list(absences([died, replace(late, began=-7.0)], [])) == [
        Absence(died, 37.0)
    ]  # no time for anything
    assert list(absences([died, replace(stood, ready_at=12.0)], [])) == []
    assert list(absences([died, stood], [Hindrance(12.0, 14.0, None)])) == []
    assert list(absences([died, stood], [Hindrance(12.0, 14.0, 2)])) == []
    assert list(absences([died, stood], [Hindrance(12.0, 14.0, 1)])) == [Absence(died, None)]


def test_of_a_card_on_the_console_the_one_that_was_changed_last_says_whether_it_waits() -> None:
    waits = Seen("console", "1", 1.0, f"{OPERATION} promote: waits for 1 approval\nAsked by: Bob", life=1)
    over = replace(waits, id="2", text=f"{OPERATION} promote: cancelled\nAsked by: Bob", life=9)
    assert waiting({"console": [waits, over]}) == waiting({"console": [over, waits]}) == []
    assert waiting({"console": [replace(over, life=1), replace(waits, life=2)]}) == [OPERATION]
    assert waiting({"console": [over], "slack": [replace(waits, chat="slack")]}) == [OPERATION]


def test_the_lines_of_a_log_are_counted_by_their_words(tmp_path: Path) -> None:
    (tmp_path / "bot.log").write_text(
        '{"event": "ready", "level": "info"}\nTraceback of a library\n'
        '{"event": "no key for @bob:x.org", "level": "error"}\n{"event": "no key for @eve:x.org", "level": "error"}\n'
        '{"event": "cut o'
    )
    assert lines_by_words(tmp_path / "bot.log") == {
        "info: ready": 1,
        "error: no key for …": 2,
    }


def test_a_pick_always_picks_something() -> None:
    class Greatest(random.Random):
        def random(self) -> float:
            return 1 - 2**-53

    assert draw_pick(Greatest()) < 1
