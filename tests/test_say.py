"""`slipway say`: users of the bot's machine ask it and read, as whom the configuration names."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import socket
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.model import Address, Platform, Room
from slipway.bot.cli.say import line_of
from slipway.bot.intake.protocol import LONGEST, SOCKET
from slipway.commands.grammar.reading import Line, read_line
from slipway.commands.grammar.repair import QUOTES
from tests.support.azure import CANDIDATE, X64, simulated_gallery
from tests.support.configuration import DECLARED, problems_of, put, settings_of, valid_document
from tests.support.processes.program import (
    CONSOLE_CONFIGURATION,
    TIMEOUT_SECONDS,
    line_with,
    run_slipway,
    running_slipway,
)
from tests.support.processes.warm_program import WarmProgram

pytestmark = pytest.mark.xdist_group("program")

ME = pwd.getpwuid(os.getuid()).pw_name


def configuration(folder: Path, azure: str) -> None:
    text = CONSOLE_CONFIGURATION.replace("http://127.0.0.1:9", azure)
    for person in ("alice", "bob"):
        text = text.replace(f'id = "{person}"', f'id = "{person}"\nlocal_users = ["{ME}"]')
    text += '\n[[person]]\nid = "carol"\nidentities = ["console:carol"]\nlocal_users = ["nobody-else"]\n'
    text += '\n[policy.promote]\napprovals = 0\n\n[policy.cleanup]\napprovals = 1\nrole = "releng"\n'
    (folder / "slipway.toml").write_text(text.replace("[console]", '[console]\nspeaker = "bob"'))


async def say(folder: Path, *arguments: str) -> tuple[int, str, str]:
    ended = await asyncio.to_thread(run_slipway, "say", *arguments, cwd=folder)
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout, ended.stderr


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[WarmProgram]:
    async with simulated_gallery() as azure:
        configuration(folder, azure.url)
        with running_slipway("run", cwd=folder) as process:
            await asyncio.to_thread(line_with, process.stderr, "ready")
            yield process
            process.terminate()
            assert await asyncio.to_thread(process.wait, TIMEOUT_SECONDS) == 0
        assert not (folder / "state" / SOCKET).exists()


async def test_a_user_asks_reads_and_waits_as_whom_the_configuration_names_and_decides_nothing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ("a-folder-with-a-long-name" * 5)  # a socket's path has no more than 107 bytes
    folder.mkdir()
    async with running(folder):
        assert (folder / "state" / SOCKET).stat().st_mode & 0o777 == 0o600

        status, said, _ = await say(folder, "--as", "alice", "images", X64)
        assert (status, CANDIDATE in said) == (0, True)

        status, said, _ = await say(folder, "--as", "alice", "--wait", "--json", f"!promote {X64}")
        answers = [json.loads(line) for line in said.splitlines()]
        assert (status, answers[-1]["outcome"]) == (0, "answered")
        in_the_demo = {"title", "text", "fields", "tables", "notes", "tone", "outcome", "operation"}
        assert {key for answer in answers for key in answer} == in_the_demo | {"room"}
        promoted: dict[str, Any] = answers[-1]["operation"]
        assert (promoted["kind"], promoted["state"], promoted["ended"]) == ("promote", "done", True)
        assert (promoted["steps"], promoted["steps_done"], promoted["approvals_needed"]) == (1, 1, 0)
        assert promoted["requester"] == "alice"

        status, said, _ = await say(folder, "--as", "alice", "--json", "cleanup")
        (proposed,) = map(json.loads, said.splitlines())
        assert (status, proposed["operation"]["state"]) == (0, "proposed")
        assert f"by its user {ME}." in json.dumps(proposed)  # who agrees shall know
        for line in ("approve", "reject", "withdraw", "cancel"):
            status, said, _ = await say(folder, "--as", "bob", line, proposed["operation"]["id"])
            assert (status, f"Nobody may {line} from here" in said) == (3, True)
        status, said, _ = await say(folder, "--as", "alice", "--json", "op", proposed["operation"]["id"])
        assert json.loads(said)["operation"]["state"] == "proposed"

        for words in ("images", "a  b"), ('images "a  b"',):
            status, said, _ = await say(folder, "--as", "alice", *words)
            assert (status, "There is no image definition a  b." in said) == (3, True)
        for words in ("cleanup", "--dry-run"), ("cleanup --dry-run",):
            status, said, _ = await say(folder, "--as", "alice", *words)
            assert (status, "this was a dry run" in said) == (0, True)

        assert (await say(folder, "--as", "alice", "promte", X64))[0] == 3
        status, said, wrong = await say(folder, "pending")
        assert (status, said, wrong) == (
            3,
            "",
            f"The user {ME} may speak as alice, bob: say which with --as.\n",
        )
        for person in ("carol", "mallory"):
            status, _, wrong = await say(folder, "--as", person, "pending")
            assert (status, f"The user {ME} may not speak as {person}" in wrong) == (3, True)
    status, _, wrong = await say(folder, "pending")
    assert status == 1
    assert wrong == f"No Slipway is running on {folder / 'state'}. `slipway run` starts it.\n"


async def test_a_bot_that_runs_and_names_nobody_who_may_ask_here_is_told_from_one_that_does_not_run(
    tmp_path: Path,
) -> None:
    async with simulated_gallery() as azure:
        text = CONSOLE_CONFIGURATION.replace("http://127.0.0.1:9", azure.url)
        (tmp_path / "slipway.toml").write_text(text)
        with running_slipway("run", cwd=tmp_path) as process:
            await asyncio.to_thread(line_with, process.stderr, "ready")
            status, _, wrong = await say(tmp_path, "pending")
            assert (status, "local_users of no [[person]] named anybody when it started" in wrong) == (
                1,
                True,
            )


def held_open(pid: int) -> set[Path]:
    return {each.readlink() for each in Path(f"/proc/{pid}/fd").iterdir()}


async def test_a_change_gets_its_card_in_a_room_and_is_waited_for_there_no_longer_than_was_said(
    tmp_path: Path,
) -> None:
    asking = ("say", "--as", "alice", "--wait", "--json", "cleanup")
    async with running(tmp_path) as bot:
        with running_slipway(*asking, cwd=tmp_path) as waiting:
            card = await asyncio.to_thread(line_with, bot.stdout, "op-")
            (operation,) = set(re.findall(r"op-[0-9a-z]{4,}", card))
            assert tmp_path / "state" not in held_open(waiting.pid), "the folder could not be unmounted"
            status, _, wrong = await say(
                tmp_path, "--as", "alice", "--wait", "--timeout", "1s", "op", operation
            )
            again = f"`slipway say --as alice {'op' if operation in wrong else 'pending'}"
            assert (status, again in wrong) == (4, True)
            status, said, _ = await say(tmp_path, "--as", "alice", "op", operation)
            assert (status, "Its card stands in console:console." in said) == (0, True)
            bot.stdin.write(f"!approve {operation}\n")  # by bob, who speaks there
            bot.stdin.flush()
            reading = asyncio.create_task(asyncio.to_thread(bot.stdout.read))  # a pipe that is full stops it
            ended = await asyncio.to_thread(waiting.communicate, "", TIMEOUT_SECONDS)
            status, said = ended.returncode, ended.stdout
    await reading
    first, *_, last = (json.loads(line) for line in said.splitlines())
    assert (status, first["room"], last["operation"]["state"]) == (0, "console:console", "done")
    assert first["operation"]["id"] == last["operation"]["id"] == operation
    assert "is deleted." in str(last["tables"])  # no report follows there
    assert (await say(tmp_path, "--timeout", "soon", "pending"))[0] == 2


@given(
    st.lists(
        st.text(
            string.digits + string.ascii_letters + string.punctuation + " “”\u2018\u2019„«»", max_size=12
        ),
        max_size=20,
    )
)
def test_each_of_several_arguments_reaches_the_command_as_it_was_given(arguments: list[str]) -> None:
    words = [
        "images",
        *(each.replace("`", "") for each in arguments),
    ]  # which a chat's clients put around code
    line = read_line(line_of(words), Address.DIRECT, "!", ("images",))
    # Typographic quotes are read as plain ones everywhere.
    assert line == Line("images", tuple(each.translate(QUOTES) for each in words[1:]))


def test_one_argument_is_a_line_and_stays_as_it_was_typed() -> None:
    for line in ('!reject op-7k3f "a  b"', "op op-7k3f", ' images\t5" ', "don't"):
        assert line_of((line,)) == line
    assert line_of(("launch", "Fedora-*", "--for", "2h")) == "launch Fedora-* --for 2h"


def test_a_card_goes_where_the_configuration_says_or_to_the_chat_that_most_people_are_on() -> None:
    document = valid_document()
    found = DECLARED.operations_room(settings_of(document))
    assert found == Room(platform=Platform("matrix"), id=document["matrix"]["rooms"][0])
    document["console"] = {"enabled": True}
    document["person"][0]["identities"].append("console:alice")
    assert DECLARED.operations_room(settings_of(document)) == found
    put(document, "commands.room", "console:console")
    named = DECLARED.operations_room(settings_of(document))
    assert named == Room(platform=Platform("console"), id="console")
    put(document, "commands.room", "matrix:!nowhere:example.org")
    (problem,) = problems_of(document)
    assert problem.startswith("commands.room: ")
    document["matrix"]["rooms"] = []
    del document["commands"], document["console"], document["schedule"]
    assert DECLARED.operations_room(settings_of(document)) is None


async def test_nonsense_on_the_socket_is_refused_and_hurts_nobody(tmp_path: Path) -> None:
    async with running(tmp_path):
        for nonsense in (
            b"\n",
            b"[]\n",
            b'{"line": 1, "as": null, "wait": true}\n',
            b"x" * (LONGEST + 10),
            b"\xff\n",
        ):
            answer = await asyncio.to_thread(_tell, tmp_path / "state" / SOCKET, nonsense)
            assert "refused" in json.loads(answer), nonsense
        assert (await say(tmp_path, "--as", "alice", "whoami"))[0] == 0


def _tell(path: Path, what: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.connect(str(path))
        connection.sendall(what)
        return connection.makefile("rb").readline()


@pytest.mark.slow
def test_the_demo_tells_programs_values_and_by_its_status_what_became_of_what_was_asked() -> None:
    done = run_slipway("demo", "--json", said="!promote Fedora-Cloud-43-x64\n@bob: 1\n")
    last = [json.loads(line) for line in done.stdout.splitlines()][-1]
    assert done.returncode == 0
    assert {key: last["operation"][key] for key in ("kind", "state", "approvals", "steps_done")} == {
        "kind": "promote",
        "state": "done",
        "approvals": 1,
        "steps_done": 1,
    }
    assert last["operation"]["ended_at"].startswith("20")
    refused = run_slipway("demo", "--json", "--as", "carol", said="!promote Fedora-Cloud-43-x64\n!images\n")
    assert refused.returncode == 3
    no, *_, listed = map(json.loads, refused.stdout.splitlines())
    assert no["outcome"] == "refused"
    assert all(isinstance(row["candidates"], int) for row in listed["tables"][0]["values"])
    rejected = run_slipway("demo", "--json", said="!promote Fedora-Cloud-43-x64\n@bob: 2 it is bad\n")
    assert rejected.returncode == 1
