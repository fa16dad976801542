"""`slipway demo` as a newcomer meets it, and as a script uses it."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import structlog

from slipway.bot.chat.console.screen import ERASE
from slipway.bot.cli import demo
from slipway.bot.cli.main import DEMO_PEOPLE
from tests.support.program import ROOT, TIMEOUT_SECONDS, environment, line_with, run_slipway, running_slipway

pytestmark = pytest.mark.xdist_group("program")

KEYS = {"id", "room", "thread", "title", "text", "fields", "buttons", "edits"}
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def messages(output: str) -> list[dict[str, Any]]:
    """What the bot said in JSON mode; every line has to be a whole message."""
    found = [json.loads(line) for line in output.splitlines()]
    assert all(message.keys() >= KEYS for message in found)
    return found


def test_a_script_talks_as_several_people_and_reads_what_became_of_it() -> None:
    said = "!images\n!promote Fedora-Cloud-43-x64\n@bob: 1\n!history\n"
    ended = run_slipway("demo", said=said)
    assert ended.returncode == 0, ended.stderr
    assert "Three things to try" in ended.stdout
    assert "bob> 1" in ended.stdout
    assert "Bob approved" in ended.stdout
    assert "promote: done" in ended.stdout
    assert ended.stdout.rstrip().splitlines()[-1].startswith("op-")  # the history is the last word
    assert ended.stderr == ""


def test_json_mode_prints_the_bots_messages_and_nothing_else() -> None:
    ended = run_slipway("demo", "--json", said="!promote Fedora-Cloud-43-x64\n@bob: 1\n!nonsense\n")
    assert ended.returncode == 0, ended.stderr
    said = messages(ended.stdout)
    proposal = next(message for message in said if message["buttons"])
    assert [button["number"] for button in proposal["buttons"]] == [1, 2]
    card = proposal["edits"] or proposal["id"]  # an edit, where a slow machine said first that it is at it
    assert any(message["edits"] == card and "promote: done" in message["title"] for message in said)
    assert {message["thread"] for message in said} <= {None, card}
    assert {message["room"] for message in said} == {"console"}


def test_who_may_only_look_is_told_who_may_do_more() -> None:
    ended = run_slipway("demo", "--as", "carol", "--json", said="!promote Fedora-Cloud-43-x64\n")
    refusal = messages(ended.stdout)[-1]
    assert "right `promote`" in refusal["title"] + refusal["text"]
    assert "Alice (alice)" in refusal["title"] + refusal["text"]


@pytest.mark.parametrize("speaker", DEMO_PEOPLE)
def test_what_the_greeting_gives_to_try_works_for_whoever_speaks(speaker: str) -> None:
    typed = [line for note in demo.greeting(speaker).notes for line in re.findall(r"`([^`]+)`", note)]
    ended = run_slipway("demo", "--as", speaker, said="\n".join(typed[:3]) + "\n")
    assert "promote: done" in ended.stdout, ended.stdout
    assert "⚠" not in ended.stdout


@pytest.mark.parametrize("options", [[], ["--json"], ["--tour"]], ids=str)
def test_without_moto_it_says_first_that_no_machine_can_be_launched_and_why(
    options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['moto'] = None\n")
    ended = run_slipway(
        "demo", *options, said="!launch *\n", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    )
    assert ended.returncode == 0, ended.stderr
    why = "No machine can be launched in this demo. The simulated AWS needs moto: install slipway[demo].\n"
    if options:  # what a script reads, and a story, are the bot's words alone
        assert (ended.stderr, why in ended.stdout) == (why, False)
    else:
        assert why in ended.stdout.partition("!launch")[0]


def test_nobody_is_called_so() -> None:
    ended = run_slipway("demo", "--as", "zed")
    assert ended.returncode == 2
    assert "'zed' is not one of 'alice', 'bob', 'carol', 'admin'" in ended.stderr
    assert ended.stdout == ""


def test_everybody_in_the_demo_is_known_to_its_command_line() -> None:
    document = tomllib.loads(files("slipway.bot.cli").joinpath("demo.toml").read_text("utf-8"))
    assert tuple(person["id"] for person in document["person"]) == DEMO_PEOPLE


def test_the_tour_tells_its_whole_story_without_pauses_where_nobody_watches() -> None:
    ended = run_slipway("demo", "--tour")
    assert ended.returncode == 0, ended.stderr
    for kind in ("promote", "launch", "rollback", "cleanup", "terminate"):
        assert re.search(rf"op-\w+ {kind}: done", ended.stdout), kind
    assert "failed" not in ended.stdout.replace("candidate, failed", "")
    assert ended.stderr == ""


def test_a_kept_state_goes_on_where_it_was(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    first = run_slipway("demo", "--state", state, "--json", said="!promote Fedora-Cloud-43-x64\n")
    proposal = messages(first.stdout)[-1]
    operation = proposal["buttons"][0]["operation"]
    second = run_slipway(
        "demo", "--state", state, "--json", "--as", "bob", said=f"!approve {operation}\n!history\n"
    )
    titles = [message["title"] for message in messages(second.stdout)]
    assert any(f"{operation} promote: done" in title for title in titles), titles
    assert titles[-1] == "The newest operation"


def test_it_may_lose_its_reader() -> None:
    with running_slipway("demo") as process:
        line_with(process.stdout, "Three things to try")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stdin is not None
        process.stdin.write("!images\n")
        process.stdin.flush()
        assert process.wait(TIMEOUT_SECONDS) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_it_stops_when_it_is_told_to() -> None:
    with running_slipway("demo") as process:
        assert process.stdin is not None
        process.stdin.write("!whoami\n")
        process.stdin.flush()
        line_with(process.stdout, "You are Alice.")
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_cards_within_its_width(columns: int) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [sys.executable, "-m", "slipway", "demo"]
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment(TERM="xterm-256color")
    ) as process:
        os.close(slave)
        shown = _until(master, demo.STARTING, ERASE, "alice> ")
        os.write(master, b"!images\r")
        shown += _until(master, "Promote the newest candidate", "╯")
        os.write(master, b"\x04")
        shown += _until(master, end=True)
        assert process.wait(TIMEOUT_SECONDS) == 0
    os.close(master)
    lines = COLOURS.sub("", shown.partition(ERASE)[2]).splitlines()
    assert max(map(len, lines)) <= columns
    assert any("Three things to try" in line for line in lines)
    table = [line.split() for line in lines if "Fedora-Cloud-43-x64" in line]
    assert ["14", "│"] in [words[-2:] for words in table]  # a row of the table, not a list of fields


def _until(descriptor: int, *texts: str, end: bool = False) -> str:
    """Read from a terminal until the texts have come one after the other, or until it is closed."""
    seen = b""
    while end or not _in_order(seen.decode(errors="replace"), texts):
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other end was closed
            chunk = b""
        if not chunk:
            assert end, seen
            break
        seen += chunk
    return seen.decode(errors="replace")


def _in_order(seen: str, texts: tuple[str, ...]) -> bool:
    at = 0
    for text in texts:
        at = seen.find(text, at) + len(text)
        if at < len(text):
            return False
    return True


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Have standard output and error be a terminal."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


@pytest.fixture
def _logging_put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_put_back")
def test_errors_go_into_a_file_where_somebody_watches_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    terminal = at_a_terminal(monkeypatch)
    state = tmp_path / "state"
    with demo._errors_beside(state):
        structlog.get_logger().error("our own trouble")
        logging.getLogger("a.library").error("trouble elsewhere")
        structlog.get_logger().info("nothing to worry about")
        assert terminal.getvalue() == ""
    assert str(state / demo.LOG) in terminal.getvalue()
    log = (state / demo.LOG).read_text()
    assert "our own trouble" in log
    assert "trouble elsewhere" in log
    assert "nothing to worry about" not in log


@pytest.mark.usefixtures("_logging_put_back")
def test_no_file_is_left_where_nothing_went_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    terminal = at_a_terminal(monkeypatch)
    with demo._errors_beside(tmp_path):
        pass
    assert terminal.getvalue() == ""
    assert list(tmp_path.iterdir()) == []
