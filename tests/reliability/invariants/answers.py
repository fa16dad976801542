"""Everybody who asked was answered, and no decision was lost."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reliability.evidence import Evidence
from tests.reliability.ledger import Act, Entry
from tests.reliability.messages import WORKING, Seen
from tests.reliability.options import RELENG

ASKING = (Act.ORDER, Act.QUESTION)
DECIDING = (Act.APPROVE, Act.REJECT, Act.CANCEL)


def heard(evidence: Evidence, entry: Entry) -> bool:
    """Whether the platform promises that the bot gets to hear it: not of a line to a process that was killed or told
    to stop before it came to rest, as one line is read after the other, nor of a press of which Slack told at once
    that nobody took it."""
    if entry.chat != "console":
        return not entry.said.lost
    life = next(each for each in evidence.lives if each.turn == entry.said.life)
    return life.at_rest


def answers_in(evidence: Evidence, chat: str, thread: str | None) -> list[Seen]:
    """What the bot said there that neither reports something nor calls upon anybody, and not by itself."""
    here = [each for each in evidence.seen[chat] if each.thread == thread]
    return [each for each in here if not each.is_report and not each.is_call and not each.is_clockwork]


def answered(evidence: Evidence) -> Iterator[str]:
    """Whatever was asked is answered where it was asked, once; what is told to one person alone, at least once."""
    for chat, messages in evidence.seen.items():
        for each in messages:
            if WORKING in each.text:
                yield f"in {chat} stands “{WORKING}…” for ever"
    for entry in evidence.entries:
        if entry.thread is not None:
            yield from _answered_in_topic(evidence, entry)
    for chat in evidence.seen:
        yield from _answered_in_room(evidence, chat)


def _answered_in_topic(evidence: Evidence, entry: Entry) -> Iterator[str]:
    found = answers_in(evidence, entry.chat, entry.thread)
    public = [each for each in found if not each.private]
    if len(public) > 1 + _presses_on(evidence, public):
        yield f"{entry} was answered {len(public)} times"
    if entry.act in ASKING and not found and heard(evidence, entry):
        yield f"{entry} was never answered"
    if entry.word and found and not any(entry.word in each.text for each in found):
        yield f"{entry} was answered with something else: {found[0].text[:80]}"


def _presses_on(evidence: Evidence, messages: list[Seen]) -> int:
    """How often somebody pressed something on these cards, or decided in their thread: there is said why that does
    not count."""
    shown = {each.title.operation for each in messages if each.is_card and each.title is not None}
    acts = [each for each in evidence.acts(*DECIDING) if each.operation in shown]
    return sum(each.reply or not each.typed for each in acts)


def _answered_in_room(evidence: Evidence, chat: str) -> Iterator[str]:
    """Answers in the room itself cannot be told apart, so they are counted."""
    asked = [each for each in evidence.acts(*ASKING) if each.chat == chat and each.thread is None]
    certain = [each for each in asked if heard(evidence, each)]
    if chat == "console":
        yield from _answered_on_console(evidence)
        return
    found = answers_in(evidence, chat, None)
    public = [each for each in found if not each.private]
    if len(found) < len(certain):
        yield f"of {len(certain)} lines in {chat}, {len(found)} were answered"
    if len(public) > len(asked):
        yield f"{len(asked)} lines in {chat} were answered {len(public)} times"


def _answered_on_console(evidence: Evidence) -> Iterator[str]:
    """Of a process that came to rest, as many answers as lines that ask."""
    for life in evidence.lives:
        if not life.turn:
            continue
        lines = [each for each in evidence.entries if each.chat == "console" and each.said.life == life.turn]
        certain = [each for each in lines if each.act in ASKING and heard(evidence, each)]
        found = [
            each
            for each in answers_in(evidence, "console", None)
            if each.life == life.turn and not each.is_full
        ]
        if len(found) < len(certain):
            yield f"of {len(certain)} lines on the console, {len(found)} were answered"


def counted(evidence: Evidence) -> Iterator[str]:
    """Whoever decided is told why it does not count, or it counts: it is noted, or the operation was over by then."""
    for entry in evidence.acts(*DECIDING):
        if entry.who not in RELENG or not heard(evidence, entry):
            continue
        if entry.taken_back:
            yield from _taken_back(evidence, entry)
            continue
        if entry.thread is not None and answers_in(evidence, entry.chat, entry.thread):
            continue
        if entry.operation is None:
            if entry.chat == "console" or _noted_anywhere(evidence, entry):
                continue  # on the console nothing tells what is an answer to what
            yield f"{entry} led to nothing"
        elif not _noted(evidence, entry, entry.operation) and not _objected(evidence, entry):
            yield f"{entry} led to nothing"


def _taken_back(evidence: Evidence, entry: Entry) -> Iterator[str]:
    """A vote that was noted and taken back is noted as taken back, unless whoever did is told that it is too late.

    Of one who agreed in another way, too, nobody can tell.
    """
    operation = str(entry.operation)
    others = [each for each in evidence.acts(Act.APPROVE) if each.who == entry.who and not each.taken_back]
    if any(each.operation in (None, operation) for each in others):
        return
    given = any(each["actor"] == entry.who for each in evidence.noted(operation, "approval"))
    noted = any(each["actor"] == entry.who for each in evidence.noted(operation, "approval withdrawn"))
    if given and not noted and not _objected(evidence, entry):
        yield f"{entry} was taken back, and that led to nothing"


def _noted_anywhere(evidence: Evidence, entry: Entry) -> bool:
    return any(_noted(evidence, entry, operation) for operation in evidence.operations)


def _noted(evidence: Evidence, entry: Entry, operation: str) -> bool:
    """Whether the trail has something of this person's on this operation."""
    found = evidence.noted(operation, "approval", "rejection", "cancelled", "asked to stop")
    return any(each["actor"] == entry.who for each in found)


def _objected(evidence: Evidence, entry: Entry) -> bool:
    """Whether something was said that reports nothing: in the thread of a card of that operation, or on the console,
    which has no threads of people's, of that operation."""
    spoken = [each for each in evidence.seen[entry.chat] if not each.is_report and not each.is_card]
    others = [each for each in spoken if not each.is_clockwork]
    if entry.chat == "console":
        return any(str(entry.operation) in each.text for each in others)
    roots = {
        each.thread or each.id
        for each in evidence.seen[entry.chat]
        if each.is_card and each.title is not None and each.title.operation == entry.operation
    }
    return any(each.thread in roots or each.private for each in others)


def ticked(evidence: Evidence) -> Iterator[str]:
    """What a schedule says is answered once for each of its times; none is both answered and called skipped."""
    messages = [each for found in evidence.seen.values() for each in found]
    said, skipped = sum(each.is_tick for each in messages), sum(each.skipped for each in messages)
    asked = len(evidence.ticks)
    if said > asked:
        yield f"the schedule asked at {asked} times, and was answered {said} times"
    if evidence.minutes is None:  # times pass twice, or not at all
        return
    if said + skipped < asked:
        yield f"the schedule asked at {asked} times; {said} were answered, and {skipped} are told as skipped"
    if said + skipped > evidence.minutes:
        yield f"{said} times of the schedule were answered, and {skipped} skipped, of {evidence.minutes}"
