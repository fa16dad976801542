"""Whether everything that was begun has come to its end, as far as people in the rooms can see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.reliability.ledger import Act, Entry
from tests.reliability.messages import WORKING, Seen, Title, cards
from tests.reliability.replica import Life

_ASKING = (Act.ORDER, Act.QUESTION)


def unsettled(entries: Sequence[Entry], seen: Mapping[str, Sequence[Seen]], life: Life | None) -> list[str]:
    """What is still to come: a sentence for each. Proposals that wait for people may wait on. ``life`` is the process
    that works, where all are ready."""
    if life is None:
        return ["the bot is not ready"]
    return [*_open_answers(entries, seen), *_open_operations(seen), *_open_console(entries, seen, life)]


def waiting(seen: Mapping[str, Sequence[Seen]]) -> list[str]:
    """The operations that wait for approvals. On the console the card counts that was shown or changed last: no later
    process knows of one that was said by a process which was killed before it noted that."""
    found = {
        title.operation for chat, each in seen.items() if chat != "console" for title in _waiting_in(each)
    }
    newest: dict[str, Seen] = {}
    for card in cards(seen.get("console", ())):
        if card.title and card.life >= newest.get(card.title.operation, card).life:
            newest[card.title.operation] = card
    return sorted(found | {title.operation for title in _waiting_in(newest.values())})


def _waiting_in(messages: Iterable[Seen]) -> list[Title]:
    return [each.title for each in cards(messages) if each.title is not None and each.title.waits]


def _open_answers(entries: Sequence[Entry], seen: Mapping[str, Sequence[Seen]]) -> Iterator[str]:
    for chat, messages in seen.items():
        if chat == "console":
            continue
        for each in messages:
            if WORKING in each.text:
                yield f"“{each.text[:40]}” stands in {chat}"
        answers = [each for each in messages if not each.is_report and not each.is_clockwork]
        threads = {each.thread for each in answers}
        mine = [each for each in entries if each.chat == chat and each.act in _ASKING and not each.said.lost]
        for entry in mine:
            if entry.thread is not None and entry.thread not in threads:
                yield f"no answer yet: {entry}"
        asked = sum(entry.thread is None for entry in mine)
        said = sum(each.thread is None for each in answers)
        if said < asked:
            yield f"{said} of {asked} lines in {chat} are answered"


def _open_operations(seen: Mapping[str, Sequence[Seen]]) -> Iterator[str]:
    """What runs, or is shown otherwise than another card shows it, or has ended and not been reported."""
    reports = {
        each.title.operation
        for messages in seen.values()
        for each in messages
        if each.is_report and each.title
    }
    shown: dict[str, set[str]] = {}
    for chat, messages in seen.items():
        for each in cards(messages):
            if each.title is not None and chat != "console":
                shown.setdefault(each.title.operation, set()).add(each.title.state)
                if each.choices and each.title.ended:
                    yield f"{each.title.operation} has buttons in {chat}"
    for operation, states in shown.items():
        if len(states) > 1:
            yield f"{operation} is shown as {', '.join(sorted(states))}"
        if states & {"running", "approved"}:
            yield f"{operation} is {', '.join(sorted(states))}"
        if states <= {"done", "failed", "stale"} and operation not in reports:
            yield f"{operation} is {', '.join(sorted(states))} and not reported"


def _open_console(entries: Sequence[Entry], seen: Mapping[str, Sequence[Seen]], life: Life) -> Iterator[str]:
    mine = [
        each
        for each in entries
        if each.chat == "console" and each.said.life == life.turn and each.act in _ASKING
    ]
    answers = [
        each
        for each in seen.get("console", ())
        if each.life == life.turn
        and each.thread is None
        and not each.is_report
        and not each.is_full
        and not each.is_clockwork
    ]
    if len(answers) < len(mine):
        yield f"{len(answers)} of {len(mine)} lines on the console are answered"
