"""The console as a chat: what is typed or piped in, and what stands there afterwards."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.editor import LONGEST, Entered, TooLong
from slipway.bot.chat.console.inputs import PipedLines
from slipway.bot.chat.console.modes import Mode
from slipway.bot.chat.console.opening import open_console
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.console.rendering import JsonRenderer, PlainRenderer
from slipway.bot.chat.console.screen import BREAK, Screen
from slipway.bot.chat.console.terminal import TerminalRenderer, terminal_console
from slipway.bot.chat.model import (
    Address,
    AnyEvent,
    ButtonEvent,
    Card,
    Choice,
    Consequence,
    Field,
    MessageEvent,
    Shortcut,
    Tone,
)
from slipway.bot.core.errors import ChatError
from tests.console.fakes import EventRecorder, ScriptedInput, buttons, console_chat, proposal, run_script
from tests.support.clock import NOW
from tests.support.examples import examples
from tests.support.key_value_store import InMemoryStore


async def test_a_script_acts_as_several_people_and_each_line_is_one_event() -> None:
    recorder = EventRecorder()
    output = await run_script(b"# look around\n!images\n\n@bob: !pending\n  spaced  \nexit", recorder)
    assert recorder.said == [
        ("alice", "!images"),
        ("bob", "!pending"),
        ("alice", "spaced"),
        ("alice", "exit"),
    ]
    first = recorder.events[0]
    assert isinstance(first, MessageEvent)
    assert first.address is Address.DIRECT
    assert (first.room.platform, first.room.id, first.thread, first.sent_at) == (
        CONSOLE,
        "console",
        None,
        NOW,
    )
    assert len({event.event_id for event in recorder.events}) == 4
    assert "bob> !pending\nℹ heard 8\n" in output


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


async def test_a_script_waits_until_all_is_quiet_before_its_next_line() -> None:
    quiet = asyncio.Event()
    reached = asyncio.Event()

    async def until_quiet() -> None:
        reached.set()
        await quiet.wait()

    recorder = EventRecorder()
    chat = console_chat(ScriptedInput(Entered("one"), Entered("two")), quiet=until_quiet)
    running = asyncio.create_task(chat.run(recorder.accept))
    await reached.wait()
    assert recorder.said == [("alice", "one")]
    quiet.set()
    await running
    assert recorder.said == [("alice", "one"), ("alice", "two")]


async def test_a_person_is_not_made_to_wait_and_leaves_with_a_word() -> None:
    async def never() -> None:
        raise AssertionError("typing must not wait for quiet")

    recorder = EventRecorder()
    source = ScriptedInput(Entered("one"), Entered("two"), Entered(" quit "), Entered("three"), live=True)
    await console_chat(source, quiet=never).run(recorder.accept)
    assert recorder.said == [("alice", "one"), ("alice", "two")]


async def test_it_ends_only_when_what_was_asked_is_settled_and_says_what_it_waits_for() -> None:
    settled = asyncio.Event()
    output = io.StringIO()

    async def until_settled() -> None:
        await settled.wait()

    chat = console_chat(ScriptedInput(live=True), screen=Screen(output), settled=until_settled)
    running = asyncio.create_task(chat.run(EventRecorder().accept))
    while "Finishing what is running" not in output.getvalue():
        await asyncio.wait({running}, timeout=0.05)
        assert not running.done()
    settled.set()
    await running


async def test_one_key_shows_one_message_and_one_edit() -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(), screen=Screen(output))
    sends = [chat.send("console", Card(title="Hello."), thread=None, key="k") for _ in range(3)]
    ids = set(await asyncio.gather(*sends))
    assert len(ids) == 1
    assert output.getvalue().count("Hello.") == 1
    message = ids.pop()
    for _ in range(2):
        await chat.edit("console", message, Card(title="Bye."), thread=None, key="e")
    assert output.getvalue().count("Bye.") == 1


async def test_ids_differ_between_sessions() -> None:
    ids = [
        await console_chat(ScriptedInput(), board=Board(session, "console")).send(
            "console", Card(title="x"), thread=None, key="k"
        )
        for session in ("monday", "tuesday")
    ]
    assert ids == ["monday-1", "tuesday-1"]


async def test_another_room_is_refused() -> None:
    chat = console_chat(ScriptedInput())
    with pytest.raises(ChatError, match="there is no “kitchen”") as refusal:
        await chat.send("kitchen", Card(title="x"), thread=None, key="k")
    assert not refusal.value.passing


async def test_an_error_of_the_dispatcher_is_not_swallowed() -> None:
    async def broken(event: AnyEvent) -> None:
        raise LookupError(event.event_id)

    with pytest.raises(LookupError):
        await console_chat(ScriptedInput(Entered("x"))).run(EventRecorder(broken).accept)


async def test_an_output_that_nobody_reads_ends_the_chat_cleanly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    settled: list[bool] = []

    async def note() -> None:
        settled.append(True)

    with os.fdopen(writing, "w") as stream:
        chat = console_chat(ScriptedInput(*[Entered("x")] * 3), screen=Screen(stream), settled=note)
        assert chat.health().connected
        await chat.run(EventRecorder().accept)
        assert not chat.health().connected
        assert settled == [True]
        with pytest.raises(ChatError) as refusal:
            await chat.send("console", Card(title="x"), thread=None, key="k")
        assert not refusal.value.passing
        stream.write("what is left must not fail when the stream is closed")


async def test_it_stops_listening_to_a_silent_input_once_the_output_is_gone() -> None:
    reading, writing = os.pipe()
    silent, held_open = os.pipe()
    try:
        with os.fdopen(writing, "w") as stream:
            chat = console_chat(PipedLines(silent), screen=Screen(stream))
            running = asyncio.create_task(chat.run(EventRecorder().accept))
            os.close(reading)
            with pytest.raises(ChatError):
                await chat.send("console", Card(title="x"), thread=None, key="k")
            await running
    finally:
        os.close(silent)
        os.close(held_open)


async def test_a_cancelled_chat_lets_go_of_its_input() -> None:
    silent, held_open = os.pipe()
    try:
        received = asyncio.Event()

        async def note(event: AnyEvent) -> None:
            received.set()

        running = asyncio.create_task(console_chat(PipedLines(silent)).run(EventRecorder(note).accept))
        os.write(held_open, b"hello\n")
        await received.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert running.cancelled()
        assert not asyncio.get_running_loop().remove_reader(silent)
    finally:
        os.close(silent)
        os.close(held_open)


async def test_a_file_is_read_like_a_pipe(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_bytes(b"!images\n\xff\xfe\n!help")
    recorder = EventRecorder()
    with script.open() as file:
        await console_chat(PipedLines(file.fileno())).run(recorder.accept)
    assert recorder.said == [("alice", "!images"), ("alice", "\ufffd\ufffd"), ("alice", "!help")]


async def test_a_line_beyond_all_measure_is_refused_in_one_sentence_and_the_next_is_heard() -> None:
    recorder = EventRecorder()
    output = await run_script(b"x" * (LONGEST + 1) + b"\n" + b"y" * LONGEST + b"\n", recorder)
    assert [len(text) for _, text in recorder.said] == [LONGEST]
    assert output.count("is not read; say it shorter.") == 1


async def test_health_tells_how_long_no_message_came() -> None:
    chat = console_chat(ScriptedInput(Entered("x")))
    assert chat.health().last_heard_from is None
    await chat.run(EventRecorder().accept)
    assert chat.health().last_heard_from == timedelta()


async def test_json_is_one_object_a_message_with_keys_in_order() -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(Entered("5")), screen=Screen(output), renderer=JsonRenderer())
    root = await chat.send("console", proposal(), thread=None, key="k1")
    await chat.edit("console", root, Card(tone=Tone.RUNNING, title="1 of\n2"), thread=None, key="k2")
    await chat.send("console", Card(title="détail"), thread=root, key="k3")
    await chat.run(EventRecorder().accept)
    sent, edited, threaded, local = map(json.loads, output.getvalue().splitlines())
    keys = ["id", "room", "thread", "title", "text", "fields", "tables"]
    keys += ["notes", "buttons", "shortcuts", "tone", "edits", "mentions", "outcome", "operation"]
    assert all(list(line) == keys for line in (sent, edited, threaded, local))
    assert sent["buttons"][1] == {"number": 2, "choice": "reject", "label": "Reject", "operation": "op-7k3f"}
    assert (sent["id"], sent["edits"], sent["tone"]) == (root, None, "waiting")
    assert (edited["edits"], edited["title"], edited["buttons"]) == (root, "1 of\n2", [])
    assert (threaded["thread"], threaded["title"]) == (root, "détail")
    assert [line["outcome"] for line in (sent, local)] == ["answered", "refused"]
    assert local["title"] == "There is no button 5. There are no buttons now; `pending` shows what waits."
    assert len({line["id"] for line in (sent, edited, threaded, local)}) == 4


async def test_what_the_stream_cannot_carry_becomes_a_question_mark() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    await Screen(stream).show("⏳ Café \ud800")
    assert raw.getvalue() == "? Café ?\n".encode("latin-1")


def one_line() -> st.SearchStrategy[bytes]:
    pieces = st.sampled_from(["@bob: ", "@bob:", "#", "1", "[2]", "!promote ", "\x1b[2J", "\r", "é", "٣"])
    return st.one_of(
        st.binary(max_size=30), st.lists(pieces, max_size=5).map(lambda parts: "".join(parts).encode())
    ).map(lambda line: line.replace(b"\n", b" "))


@settings(max_examples=examples(60))
@given(st.lists(one_line(), max_size=4))
@example([b"@bob:"])
@example([b"\x1c"])
@example(["²".encode()])
def test_any_line_gives_one_event_or_one_sentence_and_never_a_crash(lines: list[bytes]) -> None:
    recorder = EventRecorder()
    output = asyncio.run(run_script(b"\n".join(lines), recorder, renderer=JsonRenderer()))
    texts = [line.decode("utf-8", "replace").strip() for line in lines]
    meant = [text for text in texts if text and not text.startswith("#")]
    answers = [json.loads(line)["title"] for line in output.splitlines()]
    assert len(answers) == len(meant)
    assert len(recorder.events) == sum(answer.startswith(("heard", "pressed")) for answer in answers)


async def test_plain_text_marks_threads_buttons_and_progress() -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(), screen=Screen(output), renderer=PlainRenderer())
    root = await chat.send("console", proposal(), thread=None, key="k1")
    running = Card(tone=Tone.RUNNING, title="Promoting", fields=(Field(label="Progress", value="1 of 2"),))
    await chat.edit("console", root, running, thread=None, key="k2")
    further = running.model_copy(update={"fields": (Field(label="Progress", value="2 of 2"),)})
    await chat.edit("console", root, further, thread=None, key="k3")
    await chat.edit("console", root, further, thread=None, key="k4")
    await chat.send("console", Card(tone=Tone.DONE, title="Step 1", text="Verified."), thread=root, key="k5")
    await chat.edit("console", root, Card(tone=Tone.DONE, title="Promoted."), thread=None, key="k6")
    assert output.getvalue() == (
        "⏳ Waiting · Promote 43.20261120.0?\n\n[1] Approve  [2] Reject\n\n"
        "▶ Running · op-7k3f: Promoting · Progress: 1 of 2\n"
        "▶ Running · op-7k3f: Progress: 2 of 2\n"
        "↳ in op-7k3f\n  ✔ Done · Step 1\n\n  Verified.\n\n"
        "✔ Done · Promoted.\n\n"
    )


WORKING = Card(tone=Tone.RUNNING, title="Working on it…")


def seen(output: str) -> list[str]:
    """What stands on a terminal at the end, line by line; it knows as much as the screen writes."""
    rows, row = [""], 0
    for part in re.split(r"(\n|\r|\x1b\[K|\x1b\[1A)", output):
        match part:
            case "\n":
                row += 1
                rows += [""] * (row + 1 - len(rows))
            case "\x1b[1A":
                row -= 1
            case "\x1b[K":
                rows[row] = ""
            case "\r" | "":
                pass
            case _:
                rows[row] += part
    return rows


async def test_on_a_terminal_an_answer_takes_the_place_of_the_line_that_it_is_worked_on() -> None:
    output = io.StringIO()
    screen = Screen(output)
    look = TerminalRenderer(terminal_console(io.StringIO()))
    chat = console_chat(ScriptedInput(), screen=screen, renderer=look)
    await screen.prompt("alice> ")
    first = await chat.send("console", WORKING, thread=None, key="k1")
    second = await chat.send("console", WORKING, thread=None, key="k2")
    await chat.send("console", Card(title="Something else."), thread=None, key="k3")
    working = ["▶ Running · Working on it…", "alice> "]
    assert seen(output.getvalue()) == ["ℹ Something else.", *working]
    await chat.edit("console", first, Card(title="One."), thread=None, key="k4")
    assert seen(output.getvalue()) == ["ℹ Something else.", "ℹ One.", *working]
    await chat.edit("console", second, Card(title="Two."), thread=None, key="k5")
    assert seen(output.getvalue()) == ["ℹ Something else.", "ℹ One.", "ℹ Two.", "alice> "]


async def test_in_a_pipe_nothing_of_an_answer_is_lost_that_was_waited_for_or_of_progress() -> None:
    output = io.StringIO()
    chat = console_chat(ScriptedInput(), screen=Screen(output, erase=BREAK))
    many = [f"Step {number} of the plan says as much as a step has to say." for number in range(9)]
    root = await chat.send("console", WORKING, thread=None, key="k1")
    running = Card(tone=Tone.RUNNING, title="op-7k3f cleanup: running", text="\n".join(many))
    await chat.edit("console", root, running, thread=None, key="k2")
    assert [line for line in output.getvalue().splitlines() if line in many] == many, (
        "a card was cut to a line"
    )
    further = [f"{line} It is done." for line in many]
    await chat.edit(
        "console", root, running.model_copy(update={"text": "\n".join(further)}), thread=None, key="k3"
    )
    assert all(line in output.getvalue() for line in further)


async def test_too_long_a_line_from_a_person_is_refused_too() -> None:
    output = io.StringIO()
    recorder = EventRecorder()
    await console_chat(ScriptedInput(TooLong(), live=True), screen=Screen(output)).run(recorder.accept)
    assert recorder.events == []
    assert "say it shorter" in output.getvalue()


@pytest.mark.parametrize(("mode", "first"), [(Mode.PLAIN, "ℹ Hello."), (Mode.JSON, '{"id": "s1-1"')])
async def test_the_program_s_streams_make_a_console(mode: Mode, first: str, tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("!images\n")
    output = io.StringIO()
    recorder = EventRecorder()
    with script.open() as stdin:
        opened = open_console(stdin, output, mode, "alice")
        chat = console_chat(opened.source, screen=opened.screen, renderer=opened.renderer)
        await chat.greet(Card(title="Hello."))
        await chat.run(recorder.accept)
    assert recorder.said == [("alice", "!images")]
    assert output.getvalue().startswith(first)
    assert chat.platform == CONSOLE
    assert chat.edit_interval == timedelta()


def test_the_oldest_messages_are_forgotten_with_their_buttons() -> None:
    board = Board("s1", "console")
    board.post(proposal(), thread=None)
    for _ in range(1000):
        board.post(Card(title="x"), thread=None)
    assert board.offer(1) is None
    assert list(board.numbers) == []
