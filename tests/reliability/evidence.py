"""What can be seen from outside once an episode is over. The invariants look at nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.bot.operations.model import operation_of
from tests.reliability.clouds import Action, Write
from tests.reliability.leadership import Absence
from tests.reliability.ledger import Act, Entry
from tests.reliability.machines import MachineAction, MachineWrite
from tests.reliability.messages import MACHINE, OPERATION, Seen, Title
from tests.reliability.options import Options
from tests.reliability.senders import Done

PROMOTED = re.compile(r"promote (?P<version>[\d.]+) of (?P<definition>[\w-]+)", re.ASCII)
"""A step of a promotion, in the words of cards."""

_STEP = (
    (Action.PROMOTE, PROMOTED),
    (Action.TAKE_BACK, re.compile(r"take (?P<version>[\d.]+) of (?P<definition>\S+) back from latest")),
    (Action.RESTORE, re.compile(r"restore (?P<version>[\d.]+) of (?P<definition>\S+) as a candidate")),
    (Action.DELETE, re.compile(r"delete (?P<version>[\d.]+) of (?P<definition>\S+)")),
)
_LAUNCH = re.compile(r"launch (?P<count>\d+) machines? from ")
_TERMINATE = re.compile(rf"terminate (?P<machine>{MACHINE})")
_CHANGES = (
    (MachineAction.END, _TERMINATE),
    (MachineAction.STOP, re.compile(rf"stop (?P<machine>{MACHINE})")),
    (MachineAction.START, re.compile(rf"start (?P<machine>{MACHINE})")),
    (MachineAction.REMOVE, re.compile(r"remove the [a-z ]+ (?P<machine>\S+)")),
)
_TEST = re.compile(r"see whether \S+ comes up|terminate the machine of ")
"""Steps of a boot test that change nothing, and that end what its own launch made."""
_ADOPT = re.compile(rf"take (?P<machine>{MACHINE}) in as ")
_STORED = re.compile(
    rf"let {MACHINE} live until |give {MACHINE} to |(?:add|remove) SHA256:\S+ \(|record that |hold |lift the hold "
)
"""Steps that change what is stored, and of a cloud tags at most."""
_MACHINE = re.compile(rf"\b{MACHINE}\b")


@dataclass(frozen=True)
class StepTold:
    """A step of a plan, and what `!op` tells of it in the end."""

    title: str
    result: str

    @property
    def done(self) -> bool:
        """Whether it is told as done by this operation."""
        return self.result.startswith("✔") and not self.already

    @property
    def already(self) -> bool:
        """Whether it is told that it was so already."""
        return self.result.startswith("✔ already so")

    @property
    def untouched(self) -> bool:
        """Whether it is told that nothing of it was done."""
        return self.result.startswith("-")

    @property
    def unsure(self) -> bool:
        """Whether it is told that it failed, or that nobody knows."""
        return self.result.startswith(("?", "✘"))

    @property
    def change(self) -> tuple[Action, str, str] | None:
        """The change of a version that it is."""
        for action, pattern in _STEP:
            if found := pattern.fullmatch(self.title):
                return action, found["definition"], found["version"]
        return None

    @property
    def launches(self) -> int:
        """How many machines it launches."""
        found = _LAUNCH.match(self.title)
        return int(found["count"]) if found else 0

    @property
    def terminates(self) -> str | None:
        """The machine that it ends."""
        found = _TERMINATE.match(self.title)
        return found["machine"] if found else None

    @property
    def is_known(self) -> bool:
        """Whether the invariants know what it does, and so in which log to look for it."""
        stored = any(each.match(self.title) for each in (_STORED, _TEST)) or self.adopts is not None
        return self.change is not None or bool(self.launches) or self.machine_write is not None or stored

    @property
    def machine_write(self) -> MachineWrite | None:
        """The request by which it changes a machine, or removes what belongs to none."""
        for action, pattern in _CHANGES:
            if found := pattern.match(self.title):
                return MachineWrite(action, found["machine"])
        return None

    @property
    def adopts(self) -> str | None:
        """The machine that it takes in."""
        found = _ADOPT.match(self.title)
        return found["machine"] if found else None

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that its result names."""
        return tuple(dict.fromkeys(_MACHINE.findall(self.result)))


@dataclass(frozen=True)
class OperationTold:
    """An operation as ``!op`` shows it in the end."""

    title: Title
    requester: str
    summary: str
    steps: tuple[StepTold, ...]

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> OperationTold:
        """Read the console's JSON."""
        title = Seen("console", "", 0.0, str(line["title"])).title
        assert title is not None, line["title"]
        fields = {each["label"]: each["value"] for each in line["fields"]}
        rows = [row for table in line["tables"] for row in table["rows"]]
        steps = tuple(StepTold(row[1], row[2]) for row in rows)
        return cls(title, fields["Asked by"].casefold(), line["text"], steps)


@dataclass(frozen=True)
class LifeTold:
    """How a process of the bot ended, and what stands in its log that never should.

    Attributes:
        number: of all, in the order of their starts.
        asked_to_stop: whether it got SIGTERM.
        at_rest: whether it was told to stop when nothing was left to do, not in the midst of things.
        turn: which it was of those that worked, one after the other; 0 for one that never did.
        lost: whether it says that another one works by now.
        in_vain: whether it ended before it was ready, while it could not reach the database.
    """

    number: int
    code: int | None
    asked_to_stop: bool
    at_rest: bool
    tracebacks: tuple[str, ...]
    turn: int = 0
    lost: bool = False
    in_vain: bool = False


@dataclass(frozen=True)
class Evidence:
    """All of it.

    Attributes:
        options: of the episode.
        entries: what people did.
        seen: the bot's messages, by chat.
        operations: every operation that anybody ever saw or that the trail knows, as ``!op`` shows it.
        trail: `slipway audit show`.
        proof: what is wrong with the trail by `slipway audit verify`; empty for nothing.
        writes: the gallery's own log.
        machines: this deployment's machines in both clouds, and ``bystanders``.
        machine_writes: the clouds' own logs of what was to be changed.
        ended_by_strangers: machines that somebody else ended; ``made_by_strangers``: that somebody else made, with
            this deployment's tags.
        bystanders: machines without the deployment's tag.
        policies: ``[policy.KIND]`` of the configuration, by kind.
        undermined: promotions behind which a newer version was made latest before anybody had agreed to them.
        lives: the bot's processes.
        done: what was changed or said by which of them, in the order in which it arrived.
        absences: how long nobody worked after each death of the one that did, where another one stood ready.
        ticks: the times at which the schedule asked for something.
        minutes: how many times of the schedule there were at most; None where the bot's clock was moved.
        unsettled: what had not come to its end within the time that there is for that.
        afterwards: what the bot said or changed when it was started again, with nothing left to do.
    """

    options: Options
    entries: Sequence[Entry]
    seen: Mapping[str, Sequence[Seen]]
    operations: Mapping[str, OperationTold]
    trail: Sequence[Mapping[str, Any]]
    proof: str
    writes: Sequence[Write]
    machines: Mapping[str, Mapping[str, Any]]
    machine_writes: Sequence[MachineWrite]
    ended_by_strangers: frozenset[str]
    made_by_strangers: frozenset[str]
    bystanders: frozenset[str]
    policies: Mapping[str, Mapping[str, Any]]
    undermined: frozenset[str]
    lives: Sequence[LifeTold]
    done: Sequence[Done]
    absences: Sequence[Absence]
    ticks: frozenset[str]
    minutes: int | None
    unsettled: Sequence[str]
    afterwards: Sequence[str]

    def shown(self) -> str:
        """All of it, to be read."""
        parts = [f"{self.options}"]
        for chat, messages in self.seen.items():
            parts += [f"\n== said in {chat}", *(str(each) for each in messages)]
        parts += ["\n== operations", *(str(each) for each in self.operations.values())]
        parts += ["\n== trail", *(json.dumps(each) for each in self.trail)]
        parts += ["\n== gallery", *(str(each) for each in self.writes)]
        parts += ["\n== machines", *(json.dumps(each) for each in self.machines.values())]
        parts += ["\n== asked of machines", *(str(each) for each in self.machine_writes)]
        parts += ["\n== processes", *(str(each) for each in self.lives)]
        parts += ["\n== done by", *(f"{each.life} {each.what}" for each in self.done)]
        parts += ["\n== absences", *(str(each) for each in self.absences)]
        return "\n".join(parts) + "\n"

    def noted(self, operation: str, *actions: str) -> list[Mapping[str, Any]]:
        """The trail's entries of an operation with one of these actions, in order."""
        mine = [each for each in self.trail if each["operation"] == operation]
        return [each for each in mine if each["action"] in actions]

    def begun(self, operation: str, number: int) -> bool:
        """Whether the trail has that a step was begun."""
        return bool(self.noted(operation, f"step-{number}:begun"))

    @property
    def undone(self) -> frozenset[str]:
        """The machines of launches that are not told as done: what was made of these is taken away again."""
        done = {
            operation
            for operation, told in self.operations.items()
            if any(step.launches and step.done for step in told.steps)
        }
        tokens = {key: str(each["tags"].get("slipway:token", "")) for key, each in self.launched.items()}
        return frozenset(key for key, token in tokens.items() if operation_of(token) not in done)

    @property
    def launched(self) -> Mapping[str, Mapping[str, Any]]:
        """The machines that the bot launched."""
        others = self.bystanders | self.made_by_strangers
        return {key: each for key, each in self.machines.items() if key not in others}

    @property
    def tested(self) -> frozenset[str]:
        """Those of them that boot tests launched: the same operation ends them, and names the image instead."""
        found = set()
        for key, machine in self.launched.items():
            told = self.operations.get(operation_of(str(machine["tags"].get("slipway:token", ""))) or "")
            if told is not None and told.title.kind == "test":
                found.add(key)
        return frozenset(found)

    def acts(self, *acts: Act) -> list[Entry]:
        """What people did of these kinds."""
        return [each for each in self.entries if each.act in acts]


def operations_named(seen: Mapping[str, Sequence[Seen]], trail: Sequence[Mapping[str, Any]]) -> set[str]:
    """Every operation that is spoken of anywhere."""
    spoken = {
        name for messages in seen.values() for each in messages for name in OPERATION.findall(each.text)
    }
    return spoken | {each["operation"] for each in trail if each["operation"]}
