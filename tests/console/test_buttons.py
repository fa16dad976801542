"""Buttons on the console: the numbers that press them."""

from __future__ import annotations

import io

from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.editor import Entered
from slipway.bot.chat.console.screen import Screen
from slipway.bot.chat.model import (
    ButtonEvent,
    Card,
    Choice,
    Consequence,
    Field,
    MessageEvent,
    Shortcut,
    Tone,
)
from tests.console.fakes import EventRecorder, ScriptedInput, buttons, console_chat, proposal
from tests.support.key_value_store import InMemoryStore


async def test_a_number_presses_the_button_that_shows_it_as_whoever_says_it() -> None:
    recorder = EventRecorder()
    chat = console_chat(ScriptedInput(Entered("@bob: 1"), Entered("[2]")))
    message = await chat.send("console", proposal(), thread=None, key="k1")
    await chat.run(recorder.accept)
    approve, reject = recorder.events
    assert isinstance(approve, ButtonEvent)
    assert isinstance(reject, ButtonEvent)
    assert (approve.sender, approve.choice, approve.message_id) == ("bob", Choice.APPROVE, message)
    assert (approve.operation_id, approve.digest_prefix) == ("op-7k3f", "c0ffee")
    assert (reject.sender, reject.choice) == ("alice", Choice.REJECT)


async def test_a_number_says_the_line_of_the_shortcut_that_shows_it_after_a_restart_too() -> None:
    show = Shortcut(label="Show op-7k3f", command="op op-7k3f", consequence=Consequence.NOTHING)
    store, output, recorder = InMemoryStore(), io.StringIO(), EventRecorder()
    first = console_chat(ScriptedInput(), screen=Screen(output))
    first.remember_in(store)
    await first.send("console", Card(title="2 open operations", shortcuts=(show,)), thread=None, key="list")
    assert "[1] Show op-7k3f" in output.getvalue()
    again = console_chat(ScriptedInput(Entered("@bob: 1")), board=Board("s2", "console"))
    again.remember_in(store)
    await again.prepare()
    await again.run(recorder.accept)
    assert recorder.said == [("bob", "op op-7k3f")]


async def test_one_of_several_choices_names_the_message_that_offers_them() -> None:
    to_bob = Shortcut(label="To Bob", command="handover i-1 --to bob", consequence=Consequence.CHOICE)
    recorder, chat = EventRecorder(), console_chat(ScriptedInput(Entered("1")))
    message = await chat.send("console", Card(title="To whom?", shortcuts=(to_bob,)), thread=None, key="k1")
    await chat.run(recorder.accept)
    (said,) = recorder.events
    assert isinstance(said, MessageEvent)
    assert (said.text, said.chosen_on) == ("handover i-1 --to bob", message)


async def test_a_number_without_a_button_is_answered_here_and_names_the_ones_there_are() -> None:
    recorder = EventRecorder()
    output = io.StringIO()
    source = ScriptedInput(Entered("7"), Entered("@bob: 1" + "0" * 5000))
    chat = console_chat(source, screen=Screen(output))
    await chat.send("console", proposal(), thread=None, key="k1")
    await chat.run(recorder.accept)
    assert recorder.events == []
    assert "There is no button 7. Buttons now: 1, 2." in output.getvalue()
    assert "There is no button 100000000000…. Buttons now: 1, 2." in output.getvalue()


async def test_numbers_end_with_their_buttons_and_are_never_given_again() -> None:
    recorder = EventRecorder()
    output = io.StringIO()
    board = Board("s1", "console")
    chat = console_chat(
        ScriptedInput(Entered("1"), Entered("2"), Entered("3")), screen=Screen(output), board=board
    )
    message = await chat.send("console", proposal("op-aaaa"), thread=None, key="k1")
    await chat.edit("console", message, Card(tone=Tone.DONE, title="Done."), thread=None, key="k2")
    assert list(board.numbers) == []
    await chat.send("console", proposal("op-bbbb"), thread=None, key="k3")
    assert board.numbers == (3, 4)
    await chat.run(recorder.accept)
    assert [event.operation_id for event in recorder.events if isinstance(event, ButtonEvent)] == ["op-bbbb"]
    assert "There is no button 1. Buttons now: 3, 4." in output.getvalue()


async def test_an_edit_keeps_the_numbers_of_buttons_that_stay_and_renumbers_a_new_plan() -> None:
    board = Board("s1", "console")
    chat = console_chat(ScriptedInput(), board=board)
    card = proposal()
    message = await chat.send("console", card, thread=None, key="k1")
    once = card.model_copy(update={"fields": (Field(label="Approvals", value="1 of 2"),)})
    await chat.edit("console", message, once, thread=None, key="k2")
    assert board.numbers == (1, 2)
    again = card.model_copy(update={"buttons": buttons("op-7k3f", "facade")})
    await chat.edit("console", message, again, thread=None, key="k3")
    assert board.numbers == (3, 4)


def test_the_oldest_messages_are_forgotten_with_their_buttons() -> None:
    board = Board("s1", "console")
    board.post(proposal(), thread=None)
    for _ in range(1000):
        board.post(Card(title="x"), thread=None)
    assert board.offer(1) is None
    assert list(board.numbers) == []
