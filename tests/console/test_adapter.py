"""The console as a chat: what is typed or piped in, and how it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
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
from slipway.bot.chat.console.rendering import JsonRenderer
from slipway.bot.chat.console.screen import Screen
from slipway.bot.chat.model import (
    Address,
    AnyEvent,
    Card,
    MessageEvent,
    Tone,
)
from slipway.bot.core.errors import ChatError
from tests.console.fakes import EventRecorder, ScriptedInput, console_chat, run_script
from tests.support.clock import NOW
from tests.support.examples import examples


async def test_a_script_acts_as_several_people_and_each_line_is_one_event() -> None:
    recorder = EventRecorder()
    output = await run_script(b"# look around\n!images\n\n@bob: !pending\n  spaced  \n", recorder)
    assert recorder.said == [
        ("alice", "!images"),
        ("bob", "!pending"),
        ("alice", "spaced"),
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
    assert len({event.event_id for event in recorder.events}) == 3
    assert "bob> !pending\nℹ heard 8\n" in output


async def test_a_code_is_said_and_shown_nowhere() -> None:
    recorder = EventRecorder()
    output = await run_script(b"@bob: 123 456\n", recorder)
    assert recorder.said == [("bob", "123 456")]
    assert "bob> a code\n" in output
    assert "123 456" not in output


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


async def test_a_script_leaves_with_a_word_too_and_nothing_behind_it_is_heard() -> None:
    recorder = EventRecorder()
    output = await run_script(b"one\nexit\ntwo\n", recorder)
    assert recorder.said == [("alice", "one")]
    assert "two" not in output


async def test_a_person_hears_once_that_nobody_hears_a_comment_and_a_script_never() -> None:
    for live, times in ((True, 1), (False, 0)):
        output = io.StringIO()
        source = ScriptedInput(Entered("# general"), Entered("\uff03 general"), live=live)
        await console_chat(source, screen=Screen(output)).run(EventRecorder().accept)
        assert output.getvalue().count("A line that begins with `#` is a comment") == times


async def test_an_answer_names_its_line_where_another_was_typed_before_it_came() -> None:
    output, recorder = io.StringIO(), EventRecorder()
    source = ScriptedInput(Entered("!images"), Entered("@bob: !status"), live=True)
    chat = console_chat(source, screen=Screen(output))
    await chat.run(recorder.accept)
    images, status = (event.event_id for event in recorder.events)
    working = Card(tone=Tone.RUNNING, title="Working on it…", answers=images)
    message = await chat.send("console", working, thread=None, key="k1")
    await chat.send("console", Card(title="All is well.", answers=status), thread=None, key="k2")
    await chat.edit("console", message, Card(title="3 definitions"), thread=None, key="k3")
    await chat.edit("console", message, Card(title="4 definitions"), thread=None, key="k4")
    assert output.getvalue() == (
        "↳ to `!images`\n▶ Running · Working on it…\n\nℹ All is well.\n\n"
        "↳ to `!images`\nℹ 3 definitions\n\nℹ 4 definitions\n\n"
    )
    late = await chat.send("console", Card(title="Late.", answers=images), thread=None, key="k5")
    assert late
    assert output.getvalue().endswith("↳ to `!images`\nℹ Late.\n\n")


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
