"""What an owner is told unasked is no answer to anybody, whichever cloud the machine is in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.shared.plain import headline
from slipway.bot.clouds.azure.machines.names import machine_names
from slipway.bot.subjects.machines import watching
from tests.reliability.invariants import violations
from tests.reliability.ledger import Act, Entry
from tests.reliability.messages import Seen
from tests.reliability.rooms.room import Said
from tests.reliability.test_invariants import RIGHT

AZURE, SECOND = machine_names("slipway", "slipway-op-9m2c-0123456789abcdef-1", 2)
EC2 = "i-112aaf35ef9b34381"

NOTICES = (
    "{} is up",
    "2 machines are up",
    "{} runs",
    "2 machines run",
    "{} did not come up",
    "{}: came up after all",
    "{} ended before it came up",
    "{} ends at 2026-11-20 14:00 UTC",
    "2 machines end at 2026-11-20 14:00 UTC",
    "{}: until 2026-11-20 15:00 UTC now",
    "2 machines: ended",
    "{}: bob's now",
    "{} could not be ended",
    "2 machines could not be ended",
    "{0} {0}: ended after all",
    "Nobody seems to use {}",
    "{} is used again",
    "{} is stopped: nobody used it",
    "{}: ended",
    "{} lost this Slipway's tag",
    "Nothing is stored of {}",
    "Your SSH keys of github:alice are not used any more",
)

ANSWERS = (
    "Nothing is stored of {}, though it carries this Slipway's tag: take it in first.",
    "The whole life of {} ends at 2026-11-20 15:00 UTC, and this would be after that.",
    "{} is gone already.",
    "{} is bob's, so only they can stop it; ask them.",
    "There is no machine {}, or it is gone.",
    "Nothing to do",
)


def _said(title: str, chat: str = "matrix", text: str = "It goes on.") -> Seen:
    line = headline(Card(tone=Tone.WARNING, title=title))
    first = {"matrix": line, "slack": f"<@U0ALICE00> {line}", "console": title}[chat]
    return Seen(chat, "12", 12.0, f"{first}\n\n{text}")


@pytest.mark.parametrize("machine", [EC2, AZURE])
@pytest.mark.parametrize("title", NOTICES)
def test_what_an_owner_is_told_unasked_is_known(title: str, machine: str) -> None:
    for chat in ("matrix", "slack", "console"):
        assert _said(title.format(machine), chat).is_unasked


@pytest.mark.parametrize("machine", [EC2, AZURE])
@pytest.mark.parametrize("title", ANSWERS)
def test_an_answer_about_a_machine_is_none_of_it(title: str, machine: str) -> None:
    assert not _said(title.format(machine), text=f"{machine}: ended").is_unasked


def test_a_launch_on_azure_is_answered_once_where_only_one_of_its_machines_came_up() -> None:
    launch = Entry(Act.ORDER, "alice", "matrix", "!launch … --count 2", Said("20", 20.0), thread="20")
    card = Seen("matrix", "21", 21.0, "✔ op-9m2c launch: done\n\nAsked by: Alice", thread="20")
    report = replace(card, id="22", text="✔ op-9m2c launch: done\n\nEnded: 2026-11-20 12:00 UTC")
    up = replace(card, id="23", text=f"✔ {AZURE} is up\n\n`ssh fedora@192.0.2.18`")
    entries = (*RIGHT.entries, launch)
    seen = {**RIGHT.seen, "matrix": (*RIGHT.seen["matrix"], card, report, up)}
    found = [each for each in violations(replace(RIGHT, entries=entries, seen=seen)) if "answered" in each]
    assert found == []
    again = {**seen, "matrix": (*seen["matrix"], replace(card, id="24"))}
    found = [each for each in violations(replace(RIGHT, entries=entries, seen=again)) if "answered" in each]
    assert found == [f"answered: {launch} was answered 2 times"]


def test_no_title_that_the_watch_gives_a_card_is_missing_here() -> None:
    missing = [words for words in _words_of_titles() if not any(words in each for each in NOTICES)]
    assert missing == []


def _words_of_titles() -> Iterator[str]:
    """The words between what is filled in, of each title that is written out in the watch's modules."""
    (folder,) = watching.__path__
    for module in sorted(Path(folder).glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "title":
                parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
                words = [each.value for each in parts if isinstance(each, ast.Constant)]
                yield from (str(each) for each in words if len(str(each).strip(": ")) > 1)
