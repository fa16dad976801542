"""docs/security.md: each line of the threat model names a test that is there; and what no other test shows."""

from __future__ import annotations

import ast
import base64
import pickle
import re
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from slipway.bot.store.state_files import WORKFLOWS
from tests.support.harness import running_bot
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import poll_often
from tests.support.processes.program import ROOT

PAGE = (ROOT / "docs/security.md").read_text("utf-8")

_ROW = re.compile(r"^\| (?!What somebody|---)(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")

LINES = [match.groups() for match in _ROW.finditer(PAGE)]

WAYS_IN = (
    "Who may speak",
    "What is agreed to",
    "Codes that step a press up",
    "Emergencies",
    "Matrix",
    "Slack",
    "This machine: console, local socket, state folder",
    "The database",
    "Clouds",
    "Configuration, image, dependencies",
    "HTTP",
)


@cache
def _names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def test_every_way_in_is_thought_of() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == list(WAYS_IN)
    assert PAGE.count("\n| ") == len(LINES) + 2 * len(WAYS_IN), "a line of a table is not read"


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_what_holds_is_shown_by_a_test_that_is_there(line: tuple[str, str, str]) -> None:
    _threat, holds, shown = line
    found = _TEST.findall(shown)
    assert found, "no test"
    assert holds
    for path, name in found:
        assert (ROOT / path).exists(), path
        assert name in _names_in(ROOT / path), f"{path} has no {name}"


class Deed:
    """What runs where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self._file,))


async def test_what_stands_in_the_workflow_database_never_becomes_code(tmp_path: Path) -> None:
    poll_often()
    done, state = tmp_path / "done", tmp_path / "state"
    pickled = base64.b64encode(pickle.dumps({"args": [Deed(done)], "kwargs": {}})).decode()
    chat = MemoryChat()
    async with running_bot(state, chat=chat) as bot:
        await bot.say("alice", "!cancel 00042")  # not one that only reads: no workflow is kept of that
    with closing(sqlite3.connect(state / WORKFLOWS)) as file:
        assert file.execute("UPDATE workflow_input SET inputs = ?", (pickled,)).rowcount
        file.execute(
            "UPDATE workflow_status SET serialization = 'py_pickle', status = 'PENDING', output = NULL"
        )
        file.commit()
    with capture_logs() as logs:
        async with running_bot(state, chat=chat) as bot:
            await bot.say("alice", "!cancel 00042", event_id="another")
    before, after = chat.messages
    assert after.card.title == before.card.title
    assert not done.exists(), logs
    assert any(each["event"] == "a workflow was ended that could not be read" for each in logs)
