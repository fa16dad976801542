"""Typing at the prompt: the keys, what a line means, and a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import re
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from slipway.bot.chat.console.editor import LONGEST, Closed, Editor, Entered, TooLong
from slipway.bot.chat.console.inputs import PipedLines
from slipway.bot.chat.console.lines import Code, Comment, Nothing, Pressed, Speech, Unclear, read_line
from slipway.bot.chat.console.modes import Mode, choose_mode
from slipway.bot.chat.console.opening import open_console
from slipway.bot.chat.console.screen import BREAK, Screen
from slipway.bot.chat.model import AnyEvent, Card
from tests.console.fakes import EventRecorder, console_chat

_STYLE = re.compile(r"\x1b\[[0-9;]*m")

UP, DOWN, LEFT, RIGHT, HOME, END, DELETE = (
    b"\x1b[A",
    b"\x1bOB",
    b"\x1b[D",
    b"\x1b[C",
    b"\x1b[H",
    b"\x1bOF",
    b"\x1b[3~",
)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"hello\r", "hello"),
        (b"helo" + LEFT + b"l\n", "hello"),
        (b"hellx\x7fo\n", "hello"),
        (b"ello\x01h\n", "hello"),
        (b"xhello" + HOME + DELETE + b"\n", "hello"),
        (b"hello world" + LEFT * 6 + b"\x0b\n", "hello"),
        (b"bad hello" + b"\x1b[1;5D\x15\n", "hello"),
        (b"hello  world \x17\x7f\x7f\n", "hello"),
        (b"ell" + HOME + b"h" + END + b"o\n", "hello"),
        (b"a\tb\x07\x00c\n", "a bc"),
        (b"\x1b[99;99~\x1bxhello\n", "xhello"),
        ("h\u00e9llo 日本".encode() + LEFT + b"\x7f\n", "héllo 本"),
        (b"\xffok\n", "\ufffdok"),
    ],
)
def test_keys_edit_the_line_as_a_shell_would(keys: bytes, line: str) -> None:
    whole, piecemeal = Editor(), Editor()
    assert whole.feed(keys) == [Entered(line)]
    assert [event for key in keys for event in piecemeal.feed(bytes([key]))] == [Entered(line)]


def test_earlier_lines_come_back_and_the_draft_is_kept() -> None:
    editor = Editor()
    editor.feed(b"one\ntwo\ntwo\n\ndraft")
    editor.feed(UP)
    assert editor.text == "two"
    editor.feed(UP)
    editor.feed(UP)
    assert editor.text == "one"
    editor.feed(DOWN * 2)
    assert editor.text == "draft"
    editor.feed(DOWN)
    assert editor.text == "draft"


def test_ctrl_d_ends_an_empty_line_and_deletes_in_a_full_one() -> None:
    editor = Editor()
    assert editor.feed(b"ab\x01\x04") == []
    assert editor.text == "b"
    assert editor.feed(b"\x04\x04") == [Closed()]


def test_a_paste_beyond_all_measure_is_let_go() -> None:
    editor = Editor()
    assert editor.feed(b"x" * (LONGEST + 1) + b"\nok\n") == [TooLong(), Entered("ok")]


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([UP, DOWN, LEFT, RIGHT, b"\r"]))))
def test_no_keys_break_the_editor_or_its_view(keys: list[bytes]) -> None:
    editor = Editor()
    for data in keys:
        editor.feed(data)
        for columns in (8, 20):
            text, cursor = editor.view(columns)
            assert text in editor.text
            assert cell_len(text) <= columns
            assert 0 <= cursor < columns
        assert editor.text.isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=60), st.integers(8, 40))
def test_a_line_that_fits_is_seen_whole(text: str, columns: int) -> None:
    editor = Editor()
    editor.feed(text.encode())
    assert editor.text == text
    if cell_len(editor.text) < columns:
        assert editor.view(columns) == (editor.text, cell_len(editor.text))


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("!images", Speech("alice", "!images")),
        ("  hello  ", Speech("alice", "hello")),
        ("@bob: !approve op-7k3f", Speech("bob", "!approve op-7k3f")),
        ("@bob:!approve", Speech("bob", "!approve")),
        ("@bob:  12 ", Pressed("bob", 12, "12")),
        ("@bob:1", Pressed("bob", 1, "1")),
        ("[007]", Pressed("alice", 7, "7")),
        ("0", Pressed("alice", 0, "0")),
        ("2 because bad", Pressed("alice", 2, "2", "because bad")),
        ("@bob: [12]  not yet", Pressed("bob", 12, "12", "not yet")),
        ("1st", Speech("alice", "1st")),
        ("123456", Code("alice", "123456")),
        ("@bob: 123 456", Code("bob", "123 456")),
        ("[123456]", Pressed("alice", 123456, "123456")),
        ("٣", Pressed("alice", 3, "3")),
        ("\uff11", Pressed("alice", 1, "1")),
        ("\uff3b\uff12\uff3d\u3000\uff42\uff41\uff44", Pressed("alice", 2, "2", "\uff42\uff41\uff44")),
        ("\uff20bob\uff1a1", Pressed("bob", 1, "1")),
        ("@bob\uff1a \uff01images", Speech("bob", "\uff01images")),
        ("²", Speech("alice", "²")),
        (
            "@bob !images `x`",
            Unclear("To speak as bob, put a colon behind the name: `@bob: !images x`."),
        ),
        ("@bob", Unclear("To speak as bob, put a colon behind the name: `@bob: !pending`.")),
        ("@alice:example.org: hello", Speech("alice", "@alice:example.org: hello")),
        ("@bob: @carol: hi", Speech("bob", "@carol: hi")),
        ("@bob:", Unclear("Write what bob says behind the colon, like `@bob: !pending`.")),
        ("   ", Nothing()),
        ("# a comment", Comment()),
        ("\uff03 a comment", Comment()),
    ],
)
def test_what_a_line_means(line: str, meaning: object) -> None:
    assert read_line(line, "alice") == meaning


@given(st.text())
@example("9" * 5000)
def test_every_line_means_something_and_speech_is_never_empty(line: str) -> None:
    meaning = read_line(line, "alice")
    assert isinstance(meaning, Nothing) == (not line.strip())
    assert isinstance(meaning, Comment) == line.strip().startswith(("#", "\uff03"))
    if isinstance(meaning, Speech):
        assert meaning.text.strip()


class Device(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "term", "json", "mode"),
    [
        (True, "xterm-256color", False, Mode.TERMINAL),
        (True, "dumb", False, Mode.PLAIN),
        (True, "", False, Mode.PLAIN),
        (False, "xterm", False, Mode.PLAIN),
        (True, "xterm", True, Mode.JSON),
    ],
)
def test_the_mode_suits_the_stream(terminal: bool, term: str, json: bool, mode: Mode) -> None:
    assert choose_mode(Device(terminal=terminal), {"TERM": term}, json=json) is mode


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo-terminal: the keyboard's and the program's."""
    keyboard, program = pty.openpty()
    try:
        yield keyboard, program
    finally:
        os.close(keyboard)
        os.close(program)


async def until(descriptor: int, text: str, seen: str = "") -> str:
    """Read from a terminal until a text has come."""
    while text not in seen:
        seen += (await asyncio.to_thread(os.read, descriptor, 4096)).decode()
    return seen


async def test_the_prompt_stays_below_what_the_bot_says_and_the_terminal_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with terminal() as (keyboard, program):
        before = termios.tcgetattr(program)
        stream = os.fdopen(os.dup(program), "w")
        stdin = os.fdopen(os.dup(program))
        opened = open_console(stdin, stream, Mode.TERMINAL, "alice")
        recorder = EventRecorder()
        chat = console_chat(opened.source, screen=opened.screen, renderer=opened.renderer)
        running = asyncio.create_task(chat.run(recorder.accept))
        await until(keyboard, "alice> ")
        os.write(keyboard, b"half")
        await until(keyboard, "half")
        await chat.send("console", Card(title="News."), thread=None, key="k")
        seen = await until(keyboard, "half")
        assert "\r\x1b[Kℹ News.\r\nalice> half\r\x1b[11C" in _STYLE.sub("", seen)
        os.write(keyboard, b"!\n@bob: hi\nexit\n")
        await running
        assert recorder.said == [("alice", "half!"), ("bob", "hi")]
        assert termios.tcgetattr(program) == before
        stream.close()
        stdin.close()


async def test_a_hung_up_terminal_is_the_end_of_the_input() -> None:
    keyboard, program = pty.openpty()
    recorder = EventRecorder()

    async def hang_up(event: AnyEvent) -> None:
        os.close(keyboard)

    recorder.answer = hang_up
    os.write(keyboard, b"hello\n")
    await console_chat(PipedLines(program, live=True)).run(recorder.accept)
    assert recorder.said == [("alice", "hello")]
    os.close(program)


async def test_a_terminal_that_can_only_print_gets_a_plain_prompt() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo\n")
    os.close(writing)
    output = io.StringIO()
    screen = Screen(output, erase=BREAK)
    recorder = EventRecorder()
    chat = console_chat(PipedLines(reading, live=True, screen=screen, prompt="alice> "), screen=screen)

    async def answer(event: AnyEvent) -> None:
        await chat.send("console", Card(title="Yes."), thread=None, key=event.event_id)

    recorder.answer = answer
    await chat.run(recorder.accept)
    os.close(reading)
    assert output.getvalue() == "alice> ℹ Yes.\n\nalice> ℹ Yes.\n\nalice> \n"
    assert "\x1b" not in output.getvalue()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("@slipway status", "status"),
        ("Slipway: images", "images"),
        ("slipway:", ""),
        ("slipway:images", "slipway:images"),
        ("@Slipway: !status", "!status"),
        ("hey @slipway, status", "status"),
        ("status @slipway", "status"),
        ("nobody says @slipway promote x", "nobody says @slipway promote x"),
        ("!reject op-7k3f because @slipway errs", "!reject op-7k3f because @slipway errs"),
        ("status @slipway-demo", "status @slipway-demo"),
    ],
)
def test_the_bot_may_be_mentioned_as_elsewhere(line: str, text: str) -> None:
    assert read_line(line, "alice") == Speech("alice", text)
    assert read_line(f"@bob: {line}", "alice") == Speech("bob", text)
