"""What the bot tells in the end is so, is told once, and stands where it belongs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.reliability.clouds import Action
from tests.reliability.evidence import Evidence, OperationTold
from tests.reliability.messages import Seen, cards

SILENT = ("rejected", "cancelled", "stale", "expired")
"""How an operation can end without a report: where whoever asked ended it themselves, the card says it."""


def threads_of(evidence: Evidence, operation: str, chat: str) -> set[str]:
    """The threads in which an operation's cards in a chat stand, or which they begin. People who ask for the same at
    the same time each get one, in whichever order."""
    return {
        each.thread or each.id
        for each in cards(evidence.seen[chat])
        if each.title is not None and each.title.operation == operation
    }


def reported(evidence: Evidence) -> Iterator[str]:
    """Whoever asked is told of the end: in the thread of the card where they asked, in a thread of its own or not."""
    for operation, told in evidence.operations.items():
        if (
            not told.title.ended or told.requester == "leases"
        ):  # that may be told nowhere, as its machine's launch
            continue
        reports = _reports(evidence, operation)
        if not reports and told.title.state not in SILENT:
            yield f"{operation} ended as {told.title.state}, and that was never reported"
        for report in reports:
            if report.chat != "console" and report.thread not in threads_of(evidence, operation, report.chat):
                yield f"the report of {operation} in {report.chat} stands outside its card's thread"


def _reports(evidence: Evidence, operation: str) -> list[Seen]:
    return [
        each
        for messages in evidence.seen.values()
        for each in messages
        if each.is_report and each.title is not None and each.title.operation == operation
    ]


def true(evidence: Evidence) -> Iterator[str]:
    """What is told of each step agrees with the clouds' own logs, and reports and `!op` agree with each other."""
    for operation, told in evidence.operations.items():
        for report in _reports(evidence, operation):
            if report.title is not None and report.title.state != told.title.state:
                yield f"{operation} was reported as {report.title.state}, and is {told.title.state}"
    yield from _versions(evidence)
    yield from _machine_writes(evidence)
    for operation, told in evidence.operations.items():
        yield from _machines(evidence, operation, told)
        for step in told.steps:
            if not step.is_known:
                yield f"nobody looks whether a step of {operation} is so: “{step.title}”"


def _versions(evidence: Evidence) -> Iterator[str]:
    written = Counter(
        (each.action, each.definition, each.version)
        for each in evidence.writes
        if not each.stranger and each.so
    )
    made = Counter(
        (each.action, each.definition, each.version)
        for each in evidence.writes
        if not each.stranger and each.changed
    )
    strangers = {(each.definition, each.version) for each in evidence.writes if each.stranger}
    done: Counter[tuple[Action, str, str]] = Counter()
    possible: Counter[tuple[Action, str, str]] = Counter()
    for told in evidence.operations.values():
        for step in told.steps:
            if step.change is not None and step.done:
                done[step.change] += 1
            if step.change is not None and (step.done or step.unsure or step.already):
                possible[step.change] += 1
    for (action, definition, version), times in done.items():
        if written[action, definition, version] < times:
            yield f"{action} {version} of {definition} is told as done {times} times, and was not"
    for (action, definition, version), times in made.items():
        if possible[action, definition, version] < times and (definition, version) not in strangers:
            yield f"{action} {version} of {definition} took effect, and is told as not done"


def _machine_writes(evidence: Evidence) -> Iterator[str]:
    """Whatever is told as done to a machine or a volume, its cloud was asked for, as often."""
    asked = Counter(evidence.machine_writes)
    done = Counter(
        step.machine_write
        for told in evidence.operations.values()
        for step in told.steps
        if step.machine_write is not None and step.done
    )
    for write, times in done.items():
        if asked[write] < times:
            yield f"{write.action} of {write.target} is told {times} times, and was asked for {asked[write]} times"


def _machines(evidence: Evidence, operation: str, told: OperationTold) -> Iterator[str]:
    for step in told.steps:
        missing = [each for each in step.machines if each not in evidence.machines]
        if step.launches and step.done and (missing or len(step.machines) != step.launches):
            there = len(step.machines) - len(missing)
            yield f"{operation} tells of {step.launches} machines; the clouds have {there} of them"
        machine = evidence.machines.get(step.terminates or "")
        if step.done and machine is not None and machine["state"] != "terminated":
            yield f"{operation} tells that {step.terminates} is terminated, and it is {machine['state']}"


def not_twice(evidence: Evidence) -> Iterator[str]:
    """A report stands once, and so does that a machine came up; on the console, which cannot know what another
    process said, once a process."""
    for operation in evidence.operations:
        places = Counter((each.chat, each.life) for each in _reports(evidence, operation))
        for (chat, _), times in places.items():
            if times > 1:
                yield f"the end of {operation} was told {times} times in {chat}"
        if len({chat for chat, _ in places}) > 1:
            yield f"the end of {operation} was told in several chats"
    for chat, messages in evidence.seen.items():
        up = Counter((machine, each.life) for each in messages for machine in each.came_up)
        for (machine, _), times in up.items():
            if times > 1:
                yield f"that {machine} came up was told {times} times in {chat}"


def cards_are_right(evidence: Evidence) -> Iterator[str]:
    """Each card in each room shows how its operation ended, and nothing to press any more."""
    last = max(each.turn for each in evidence.lives)
    for chat, messages in evidence.seen.items():
        for card in cards(messages):
            told = evidence.operations.get(card.title.operation) if card.title else None
            if told is None or card.title is None or (chat == "console" and card.life < last):
                continue
            if card.title.state != told.title.state and not _is_asked_again(card):
                yield f"a card of {told.title.operation} in {chat} says {card.title.state}, not {told.title.state}"
            if card.choices and told.title.ended:
                yield f"a card of {told.title.operation} in {chat} still has buttons"


def _is_asked_again(card: Seen) -> bool:
    return "The same was asked for before" in card.text
