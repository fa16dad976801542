"""docs/runbook.md: what it quotes is what Slipway says, and what it tells to type is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from click import Context, Group

from slipway.bot.cli.main import main
from tests.support.configuration import DECLARED
from tests.support.quality import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
SENTENCES = re.findall(r"^### “(.+)”$", RUNBOOK, re.MULTILINE)
SECTIONS = (
    "Contact",
    "Description",
    "Configuration",
    "Deploying to staging, then to production",
    "Common failures",
)
LONGEST = 84
"""Signs of a line to be typed: one that is broken on a phone is still read, and one that scrolls is not."""


@cache
def said() -> str:
    """Every text in the code, a line each, with a mark where something is filled in."""
    texts: list[str] = []
    for folder in ("bot", "commands", "scheduler"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            texts += _texts(ast.parse(path.read_text("utf-8")))
    return "\n".join(texts)


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr():
                parts = (str(each.value) if isinstance(each, ast.Constant) else "…" for each in node.values)
                yield "".join(parts).replace("\n", " ")
            case ast.Constant(value=str(text)):
                yield text.replace("\n", " ")
            case _:
                pass


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_that_is_quoted_is_said(sentence: str) -> None:
    pattern = ".*".join(map(re.escape, re.split(r"…", sentence)))
    assert re.search(pattern, said()), sentence


def test_it_has_the_sections_that_people_look_for() -> None:
    assert tuple(re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)) == SECTIONS
    assert len(SENTENCES) > 12


def test_every_command_that_is_to_be_typed_is_there() -> None:
    typed = set(re.findall(r"slipway ([a-z][a-z-]+)", RUNBOOK)) - {"env", "example"}
    known = set(main.list_commands(Context(main)))
    assert isinstance(main, Group)
    assert typed <= known | {"manifest"}, typed - known
    verbs = {line.split()[0] for line in re.findall(r"`!([^`]+)`", RUNBOOK)}
    assert verbs <= {word for each in DECLARED.commands.commands for word in each.name.split()[:1]}


def test_lines_to_be_typed_are_short_enough_for_a_phone() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    long = [line for block in blocks for line in block.splitlines() if len(line) > LONGEST]
    assert [each for each in long if not each.startswith("slipway()")] == []
