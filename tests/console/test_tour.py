"""The tour, told to a recorder that answers as the bot would."""

from __future__ import annotations

import io
import re

from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.rendering import JsonRenderer
from slipway.bot.chat.console.screen import Screen
from slipway.bot.chat.console.tour import Story, Tour
from slipway.bot.chat.model import AnyEvent, ButtonEvent, Card, Field, MessageEvent, Table, Tone
from tests.console.fakes import EventRecorder, buttons, console_chat

STORY = Story(definition="Fedora-Cloud-43-x64", image="fedora-43", approver="bob")


async def at_once(seconds: float) -> None:
    """No time to read."""


class Telling:
    """A tour on a console, and what was heard of it."""

    def __init__(self, *, machines: bool = True, approvals: bool = True) -> None:
        self.output = io.StringIO()
        self.recorder = EventRecorder(self._answer)
        self.seconds = 0.0
        self._machines = machines
        self._approvals = approvals
        board = Board("s1", "console")
        tour = Tour(board, self._pace, STORY)
        self.chat = console_chat(tour, screen=Screen(self.output), board=board)

    async def tell(self) -> list[str]:
        await self.chat.run(self.recorder.accept)
        return [
            f"{event.sender}: {event.text}"
            if isinstance(event, MessageEvent)
            else f"{event.sender} presses {event.choice} of {event.operation_id}"
            for event in self.recorder.events
            if isinstance(event, MessageEvent | ButtonEvent)
        ]

    async def _pace(self, seconds: float) -> None:
        self.seconds += seconds

    async def _answer(self, event: AnyEvent) -> None:
        if isinstance(event, ButtonEvent):
            assert event.message_id
            done = Card(tone=Tone.DONE, title="Done.")
            await self.chat.edit("console", event.message_id, done, thread=None, key=event.event_id)
            return
        assert isinstance(event, MessageEvent)
        verb = event.text.split()[0].removeprefix("!")
        card = Card(title=f"This is about {verb}.")
        if verb in ("promote", "cleanup") and self._approvals:
            card = Card(tone=Tone.WAITING, title=f"{verb}?", buttons=buttons(f"op-{verb}"))
        if verb == "launch" and self._machines:
            rows = (("i-0a1b2c3d4e5f60718", "running"),)
            card = Card(tone=Tone.DONE, title="Up.", tables=(Table(columns=("Id", "State"), rows=rows),))
        await self.chat.send("console", card, thread=None, key=event.event_id)


async def test_the_story_is_told_from_looking_around_to_terminating_in_about_a_minute() -> None:
    telling = Telling()
    assert await telling.tell() == [
        "alice: !images",
        "alice: !images Fedora-Cloud-43-x64",
        "alice: !promote Fedora-Cloud-43-x64",
        "bob presses approve of op-promote",
        "alice: !launch fedora-43 --for 2h",
        "alice: !rollback Fedora-Cloud-43-x64",
        "alice: !cleanup",
        "bob presses approve of op-cleanup",
        "alice: !terminate i-0a1b2c3d4e5f60718",
    ]
    assert 40 <= telling.seconds <= 75
    assert "# Slipway looks after cloud images." in telling.output.getvalue()


async def test_where_no_machine_comes_up_and_nothing_needs_approval_the_story_goes_on() -> None:
    telling = Telling(machines=False, approvals=False)
    lines = await telling.tell()
    assert lines[-1] == "alice: !cleanup"
    assert not any("presses" in line for line in lines)
    assert "No machine came up, so there is none to terminate." in telling.output.getvalue()


async def test_a_button_that_stood_there_before_is_not_pressed() -> None:
    telling = Telling(approvals=False)
    waiting = Card(tone=Tone.WAITING, title="Older.", buttons=buttons("op-older"))
    await telling.chat.send("console", waiting, thread=None, key="before")
    assert not any("op-older" in line for line in await telling.tell())


async def test_only_the_bots_output_is_json() -> None:
    output = io.StringIO()
    board = Board("s1", "console")
    chat = console_chat(
        Tour(board, at_once, STORY), screen=Screen(output), board=board, renderer=JsonRenderer()
    )
    await chat.run(EventRecorder().accept)
    assert output.getvalue() == ""


def test_an_id_is_found_in_any_part_of_a_card_the_newest_first() -> None:
    board = Board("s1", "console")
    pattern = re.compile(r"i-[0-9a-f]{8}")
    assert board.find(pattern) is None
    for card in (
        Card(title="Up: i-00000001"),
        Card(title="x", fields=(Field(label="Machine", value="i-00000002"),)),
        Card(title="x", notes=("Type `!terminate i-00000003`.",)),
    ):
        board.post(card, thread=None)
    assert board.find(pattern) == "i-00000003"
    board.post(Card(title="Up again: i-00000001"), thread=None, edits="s1-1")
    assert board.find(pattern) == "i-00000001"
