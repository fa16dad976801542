"""Nothing changes in a cloud but what enough people agreed to, and that once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.reliability.clouds import Action
from tests.reliability.evidence import Evidence
from tests.reliability.ledger import Act, Entry
from tests.reliability.messages import cards
from tests.reliability.options import RELENG

Change = tuple[Action, str, str]


def needed(evidence: Evidence, kind: str) -> int:
    """How many people have to agree to an operation of this kind, by the episode's configuration."""
    return int(evidence.policies.get(kind, {}).get("approvals", 1))


def begun_changes(evidence: Evidence) -> Counter[Change]:
    """How many operations began a step that makes each change."""
    found: Counter[Change] = Counter()
    for operation, told in evidence.operations.items():
        for number, step in enumerate(told.steps, start=1):
            if step.change is not None and evidence.begun(operation, number):
                found[step.change] += 1
    return found


def approved(evidence: Evidence) -> Iterator[str]:
    """Each change of the bot's is a step of an operation that was begun, which enough people had approved."""
    begun = begun_changes(evidence)
    for write in evidence.writes:
        if not write.stranger and not begun[write.action, write.definition, write.version]:
            yield f"{write.action} {write.version} of {write.definition} was no step of any operation that began"
    for operation, told in evidence.operations.items():
        if evidence.noted(operation, "started"):
            yield from _enough(evidence, operation, told.title.kind, told.requester)
    if (
        not any(told.title.kind in ("launch", "test") for told in evidence.operations.values())
        and evidence.launched
    ):
        yield f"{len(evidence.launched)} machines run, and nobody asked for any"
    ended = {each for each, machine in evidence.machines.items() if machine["state"] == "terminated"}
    asked = {
        step.terminates
        for operation, told in evidence.operations.items()
        for number, step in enumerate(told.steps, start=1)
        if evidence.begun(operation, number)
    }
    for machine in ended - asked - evidence.ended_by_strangers - evidence.undone - evidence.tested:
        yield f"{machine} was terminated by no operation"


def _enough(evidence: Evidence, operation: str, kind: str, requester: str) -> Iterator[str]:
    own = evidence.policies.get(kind, {}).get("requester_may_approve", False)
    (started,) = evidence.noted(operation, "started")[:1]
    votes = [each for each in evidence.noted(operation, "approval") if each["number"] < started["number"]]
    voters = {each["actor"] for each in votes} - _took_back(evidence, operation, started)
    wrong = {who for who in voters if who not in RELENG or (who == requester and not own)}
    if wrong:
        yield f"{operation} ({kind}) ran with the approval of {', '.join(sorted(wrong))}, who may not"
    if len(voters - wrong) < needed(evidence, kind):
        yield f"{operation} ({kind}) ran with {len(voters)} of {needed(evidence, kind)} approvals"


def _took_back(evidence: Evidence, operation: str, started: Mapping[str, Any]) -> set[str]:
    """Who took their approval back before it began, and gave none afterwards."""
    gone: set[str] = set()
    for each in evidence.noted(operation, "approval", "approval withdrawn"):
        if each["number"] < started["number"]:
            gone = (
                gone | {each["actor"]} if each["action"] == "approval withdrawn" else gone - {each["actor"]}
            )
    return gone


def agreed_to(evidence: Evidence) -> Iterator[str]:
    """Each approval that the trail has was given by that person for that operation, which they could see then."""
    for operation in evidence.operations:
        for vote in evidence.noted(operation, "approval", "rejection", "cancelled", "asked to stop"):
            acts = {
                "approval": (Act.APPROVE,),
                "rejection": (Act.REJECT,),
                "cancelled": (Act.CANCEL, Act.REJECT),
                "asked to stop": (Act.CANCEL, Act.REJECT),
            }[vote["action"]]
            mine = [each for each in evidence.acts(*acts) if each.who == vote["actor"]]
            if vote["actor"] != "slipway" and not any(_meant(evidence, each, operation) for each in mine):
                yield f"{vote['actor']}'s {vote['action']} of {operation} was given by nobody who could see it"


def _meant(evidence: Evidence, entry: Entry, operation: str) -> bool:
    if entry.operation is not None:
        return entry.operation == operation
    stood = [
        each
        for each in cards(evidence.seen[entry.chat])
        if each.title is not None and each.title.operation == operation
    ]
    if entry.chat == "console":  # lines that are typed ahead are read one after the other
        return bool(stood)
    return any(each.at <= entry.said.at for each in stood)


def held(evidence: Evidence) -> Iterator[str]:
    """What does not hold any more when it is agreed to is not carried out, and not told as done."""
    for operation in evidence.undermined:
        told = evidence.operations.get(operation)
        if told is None:
            continue
        begun = any(evidence.begun(operation, number) for number in range(1, len(told.steps) + 1))
        if begun or told.title.state == "done":
            yield f"{operation} was carried out ({told.title.state}), though a newer version was latest"


def once(evidence: Evidence) -> Iterator[str]:
    """Each effect is there once: no more changes than steps that began, no more machines than were asked for."""
    begun = begun_changes(evidence)
    strangers = Counter((each.definition, each.version) for each in evidence.writes if each.stranger)
    made = Counter(
        (each.action, each.definition, each.version)
        for each in evidence.writes
        if not each.stranger and each.changed
    )
    for change, times in made.items():
        action, definition, version = change
        most = begun[change] + strangers[definition, version]
        if times > most:
            yield f"{action} {version} of {definition} took effect {times} times for {begun[change]} steps"
    named = Counter(
        machine
        for told in evidence.operations.values()
        for step in told.steps
        if step.launches
        for machine in step.machines
    )
    for machine, times in named.items():
        if times > 1:
            yield f"{machine} is told as launched by {times} operations"
    unsure = sum(step.launches for told in evidence.operations.values() for step in told.steps if step.unsure)
    orphans = set(evidence.launched) - set(named)
    if len(orphans) > unsure:
        yield f"{len(orphans)} machines run that no operation tells of: {', '.join(sorted(orphans))}"


def unspoiled(evidence: Evidence) -> Iterator[str]:
    """A write changes the flag, and nothing else of a version."""
    for write in evidence.writes:
        if write.spoiled:
            what = ", ".join(write.spoiled)
            yield f"{write.action} {write.version} of {write.definition} changed {what}, too"
