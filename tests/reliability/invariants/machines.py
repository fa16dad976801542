"""Machines: never more than were reserved, nobody else's touched, and none beyond its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from slipway.bot.operations.model import operation_of
from tests.reliability.evidence import Evidence
from tests.reliability.machines import MachineAction

_GONE = "terminated"


def reserved(evidence: Evidence) -> Iterator[str]:
    """Each machine was launched by the token of an operation, and none made more than it reserved."""
    made = Counter(str(each["tags"].get("slipway:token", "")) for each in evidence.launched.values())
    for token, machines in made.items():
        operation = operation_of(token)
        told = evidence.operations.get(operation or "")
        most = sum(step.launches for step in told.steps) if told is not None else 0
        if machines > most:
            yield f"{machines} machines carry the token {token or 'of nobody'}, which reserved {most}"


def untouched(evidence: Evidence) -> Iterator[str]:
    """What somebody else has is as it was, and whatever was changed is a step of an operation that was begun."""
    for name in sorted(evidence.bystanders & evidence.machines.keys()):
        other = evidence.machines[name]
        if other["state"] != "running":
            yield f"{name}, which is nobody's of the bot, is {other['state']}"
        if "slipway" in other["tags"]:
            yield f"{name}, which is nobody's of the bot, was tagged"
    begun = {
        step.machine_write
        for operation, told in evidence.operations.items()
        for number, step in enumerate(told.steps, start=1)
        if evidence.begun(operation, number)
    }
    may_end = evidence.ended_by_strangers | evidence.undone | evidence.tested
    for write in set(evidence.machine_writes) - begun:
        if write.action is not MachineAction.END or write.target not in may_end:
            yield f"{write.action} of {write.target} was no step of any operation that began"


def outlived(evidence: Evidence) -> Iterator[str]:
    """Once nothing fails any more and the whole life of all is over, every machine is gone: those that were launched,
    and those that were taken in."""
    adopted = {
        step.adopts
        for told in evidence.operations.values()
        for step in told.steps
        if step.adopts is not None and step.done
    }
    for key, machine in evidence.machines.items():
        if (key in evidence.launched or key in adopted) and machine["state"] != _GONE:
            yield f"{key} is {machine['state']}, and the end of its whole life is long over"
