"""`slipway demo` as a newcomer meets it, and as a script uses it."""

from __future__ import annotations

import asyncio
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
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import structlog

from slipway.bot.chat.console.screen import ERASE, Screen
from slipway.bot.cli import demo
from slipway.bot.cli.main import DEMO_PEOPLE
from tests.console.fakes import ScriptedInput, console_chat
from tests.support.processes.program import (
    CONSOLE_CONFIGURATION,
    ROOT,
    TIMEOUT_SECONDS,
    environment,
    line_with,
    run_slipway,
    running_slipway,
    until,
)

pytestmark = pytest.mark.xdist_group("program")

slow = pytest.mark.slow

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


@slow
def test_alice_adds_the_keys_of_her_account() -> None:
    ended = run_slipway("demo", said="!sshkey add\n1\n!sshkeys\n")
    assert ended.returncode == 0, ended.stderr
    assert "sshkey-add: done" in ended.stdout
    assert "2 SSH keys of yours" in ended.stdout
    assert ended.stderr == ""


def test_an_end_is_one_line_and_its_report_tells_each_step_once() -> None:
    said = run_slipway("demo", said="!cleanup Fedora-Cloud-Rawhide-x64\n@bob: 1\n").stdout
    (end,) = [line for line in said.splitlines() if "cleanup: done · " in line]
    assert end.startswith("✔ op-")
    steps = re.findall(r"\d+  (delete \S+ of Fedora-Cloud-Rawhide-x64) ", said)
    assert len(set(steps)) == len(steps) > 1
    after = said.partition(end)[2]
    assert after.count("is deleted.") == len(steps)
    assert not any(step in after for step in steps)


def test_json_mode_prints_the_bots_messages_and_nothing_else() -> None:
    ended = run_slipway(
        "demo", "--json", said="!promote Fedora-Cloud-43-x64\n@bob: 1\n!nonsense\n", fresh=True
    )
    assert ended.returncode == 3, ended.stderr  # the last line was refused
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


@pytest.mark.parametrize(
    "speaker", [DEMO_PEOPLE[0], *(pytest.param(each, marks=slow) for each in DEMO_PEOPLE[1:])]
)
def test_what_the_greeting_gives_to_try_works_for_whoever_speaks(speaker: str) -> None:
    typed = [line for note in demo.greeting(speaker).notes for line in re.findall(r"`([^`]+)`", note)]
    ended = run_slipway("demo", "--as", speaker, said="\n".join(typed[:3]) + "\n")
    assert "promote: done" in ended.stdout, ended.stdout
    assert "⚠" not in ended.stdout


@pytest.mark.parametrize(
    "options", [[], pytest.param(["--json"], marks=slow), pytest.param(["--tour"], marks=slow)], ids=str
)
def test_without_moto_it_says_first_that_no_machine_can_be_launched_and_why(
    options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['moto'] = None\n")
    ended = run_slipway(
        "demo", *options, said="!launch *\n", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    )
    assert ended.returncode == (3 if "--json" in options else 0), ended.stderr
    why = "Machines are launched on Azure alone in this demo. The simulated AWS needs moto: install slipway[demo].\n"
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


@slow
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
    # Where planning takes long, more is said before and after the proposal.
    proposal = next(message for message in messages(first.stdout) if message.get("buttons"))
    operation = proposal["buttons"][0]["operation"]
    second = run_slipway(
        "demo", "--state", state, "--json", "--as", "bob", said=f"!approve {operation}\n!history\n"
    )
    titles = [message["title"] for message in messages(second.stdout)]
    assert any(f"{operation} promote: done" in title for title in titles), titles
    assert titles[-1] == "The newest operation"


def test_no_session_leaves_temporary_files_behind(tmp_path: Path) -> None:
    env = {"TMPDIR": str(tmp_path)}
    with demo_at_a_terminal(env=env, hang_up=True) as terminal:  # the window is closed
        until(terminal, "Three things to try", "alice> ")
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []
    with running_slipway("demo", env=env) as process:  # while it is starting
        while not list(tmp_path.iterdir()) and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keys", [b"\x03", pytest.param(b"\x03\x03", marks=slow)], ids=["once", "twice"])
def test_ctrl_c_while_it_is_starting_leaves_nothing_and_says_nothing(tmp_path: Path, keys: bytes) -> None:
    with demo_at_a_terminal(env={"TMPDIR": str(tmp_path)}, end=b"") as terminal:
        until(terminal, demo.STARTING)
        os.write(terminal, keys)
        shown = until(terminal, end=True)
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


@slow
def test_a_second_ctrl_c_while_work_is_under_way_leaves_nothing_either(tmp_path: Path) -> None:
    with demo_at_a_terminal(env={"TMPDIR": str(tmp_path)}, end=b"") as terminal:
        until(terminal, "Three things to try", "alice> ")
        os.write(terminal, b"!cleanup\r")
        until(terminal, "[2] Reject")
        os.write(terminal, b"@bob: 1\r")
        until(terminal, "@bob: 1\r\n")
        os.write(terminal, b"\x03")
        os.write(terminal, b"\x03")
        shown = until(terminal, end=True)
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


async def test_whoever_ends_it_while_work_is_under_way_is_told_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo, "PATIENCE", 0)
    output, stop, done = io.StringIO(), asyncio.Event(), asyncio.Event()
    chat = console_chat(ScriptedInput(), screen=Screen(output))
    stop.set()
    await demo.say_what_it_waits_for(chat, stop, done.wait)
    assert output.getvalue() == "ℹ Finishing what is running. Ctrl-C leaves at once.\n\n"


def test_it_may_lose_its_reader() -> None:
    with running_slipway("demo") as process:
        line_with(process.stdout, "Three things to try")
        process.stdout.close()
        process.stdin.write("!images\n")
        process.stdin.flush()
        assert process.wait(TIMEOUT_SECONDS) == 0
        assert "Traceback" not in process.stderr.read()


def test_it_stops_when_it_is_told_to() -> None:
    with running_slipway("demo") as process:
        process.stdin.write("!whoami\n")
        process.stdin.flush()
        line_with(process.stdout, "You are Alice.")
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0
        assert process.stderr.read() == ""


@contextmanager
def demo_at_a_terminal(
    columns: int = 80,
    *,
    env: Mapping[str, str] = MappingProxyType({}),
    hang_up: bool = False,
    end: bytes = b"\x04",
    arguments: tuple[str, ...] = ("demo",),
) -> Iterator[int]:
    """A demo, or another command, at a terminal of its own: its other end.

    Ctrl-D or other keys end it, or the terminal goes away.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [sys.executable, "-m", "slipway", *arguments]
    with subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=ROOT,
        env=environment(**{"TERM": "xterm-256color", **env}),
        preexec_fn=lambda: os.login_tty(slave),  # noqa: PLW1509 - no other thread runs here
    ) as process:
        os.close(slave)
        try:
            yield master
            if hang_up:
                os.close(master)
            else:
                os.write(master, end)
                until(master, end=True)
            assert process.wait(TIMEOUT_SECONDS) == 0
        finally:
            process.kill()
    if not hang_up:
        os.close(master)


@pytest.mark.parametrize("columns", [40, pytest.param(80, marks=slow), pytest.param(120, marks=slow)])
def test_a_terminal_shows_cards_within_its_width(columns: int) -> None:
    with demo_at_a_terminal(columns) as terminal:
        shown = until(terminal, demo.STARTING, ERASE, "alice> ")
        os.write(terminal, b"!images\r")
        shown += until(terminal, "One of them", "╯")
    lines = COLOURS.sub("", shown.partition(ERASE)[2]).splitlines()
    assert max(map(len, lines)) <= columns
    assert any("Three things to try" in line for line in lines)
    table = [line.split() for line in lines if "Fedora-Cloud-43-x64" in line]
    assert (["14", "│"] in [words[-2:] for words in table]) is (
        columns > 40
    )  # a row of the table, not a list


@pytest.mark.parametrize(
    ("term", "begin", "end"),
    [
        pytest.param("xterm-256color", b"\x1b[200~", b"\x1b[201~", id="marked"),
        pytest.param("dumb", b"", b"", id="dumb", marks=slow),
    ],
)
def test_pasted_lines_are_taken_one_after_the_other(term: str, begin: bytes, end: bytes) -> None:
    lines = b"!promote Fedora-Cloud-43-x64\r@bob: 1\r!rollback Fedora-Cloud-43-x64\r@bob: 3\r!history\r"
    with demo_at_a_terminal(env={"TERM": term}) as terminal:
        until(terminal, "Three things to try", "alice> ")
        os.write(terminal, begin + lines + end)
        shown = until(terminal, "promote: done", "rollback: done", "The newest 2 operations", "alice> ")
    assert "There is no button" not in shown


@slow
def test_a_button_of_a_kept_state_presses_what_it_pressed_before(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    first = run_slipway(
        "demo", "--state", state, said="!promote Fedora-Cloud-43-x64\n!promote Fedora-Cloud-42-x64\n"
    )
    assert "[3] Approve" in first.stdout
    assert demo.AGAIN not in first.stdout.replace("\n", " ")
    second = run_slipway("demo", "--state", state, said="@bob: 3\n@bob: 3\n@bob: 2 it is bad\n")
    assert f"• {demo.AGAIN}" in second.stdout
    assert re.search(r"\[1\] +Approve +op-\w+\n", second.stdout)
    done, again = second.stdout.split("bob> 3\n")[1:]
    assert "43.20" not in done
    assert re.search(r"op-\w+ promote: done", done)
    assert "There is no button 3. Buttons now: 1, 2." in again
    assert "it is bad" in again.split("bob> 2")[1]
    assert re.search(r"promote: rejected", again)


def test_no_line_of_the_log_breaks_the_prompt_of_a_bot_that_runs_at_a_terminal(tmp_path: Path) -> None:
    state, config = tmp_path / "state", tmp_path / "slipway.toml"
    config.write_text(f'state_dir = "{state}"\n{CONSOLE_CONFIGURATION}')
    with demo_at_a_terminal(arguments=("run", "--config", str(config))) as terminal:
        shown = until(terminal, "alice> ")
        os.write(terminal, b"!whoami\n")
        shown += until(terminal, "releng")
    assert "[info" not in shown
    assert "its log goes to" in shown
    assert "ready" in (state / "run.log").read_text()


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
