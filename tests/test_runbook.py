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
        if (text := _text(node)) is not None:
            yield text


def _text(node: ast.AST | None) -> str | None:
    """What a node of code says, with a mark where something is filled in; None where it is no text."""
    match node:
        case ast.JoinedStr():
            parts = (str(each.value) if isinstance(each, ast.Constant) else "…" for each in node.values)
            return "".join(parts).replace("\n", " ")
        case ast.Constant(value=str(text)):
            return text.replace("\n", " ")
        case _:
            return None


def _problems(tree: ast.AST) -> Iterator[str]:
    """The sentences by which code ends a start, calls the bot unwell, or has something in the list of problems."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        named = {each.arg: each.value for each in node.keywords}
        match node.func.id, node.args:
            case (("StateError" | "ListenError"), [said, *_]):
                yield _text(said) or ""
            case "Check", [_, said, *_]:
                yield _text(said) or ""
            case "Unseen", [_, said, *_]:
                yield from _named(said, tree)
            case "Found", _:
                yield from _named(named.get("what"), tree)
            case _:
                pass


def _named(node: ast.AST | None, tree: ast.AST) -> Iterator[str]:
    """A text, the one or the other, or what a variable of this name is set to in the module."""
    match node:
        case ast.IfExp(body=one, orelse=other):
            yield from _named(one, tree)
            yield from _named(other, tree)
        case ast.Name(id=name):
            for each in ast.walk(tree):
                if isinstance(each, ast.Assign) and any(
                    isinstance(target, ast.Name) and target.id == name for target in each.targets
                ):
                    yield from _named(each.value, tree)
        case _:
            yield _text(node) or ""


STARTS = (
    "bot/store",
    "bot/replicas",
    "bot/web",
    "bot/workflows",
    "bot/health/readiness.py",
    "bot/subjects",
    "commands",
    "scheduler/problems.py",
)
"""Where these sentences are."""

AT_HAND = ("bot/store/backups", "bot/store/moving.py", "bot/replicas/looking.py")
"""Where they answer a command that somebody types by day and who reads on."""


def problems() -> list[str]:
    paths = [
        each
        for name in STARTS
        for each in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
    ]
    apart = tuple(str(ROOT / each) for each in AT_HAND)
    found = {
        said
        for path in paths
        if not str(path).startswith(apart)
        for said in _problems(ast.parse(path.read_text("utf-8")))
    }
    return sorted(each for each in found if len(each.replace("…", "").strip()) > 8)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_that_is_quoted_is_said(sentence: str) -> None:
    pattern = ".*".join(map(re.escape, re.split(r"…", sentence)))
    assert re.search(pattern, said()), sentence


@pytest.mark.parametrize("said", problems())
def test_whoever_is_woken_by_a_sentence_finds_it(said: str) -> None:
    """Each sentence by which the bot does not start, is not well or lists a problem has its place."""
    headings = [".*".join(map(re.escape, sentence.split("…"))) for sentence in SENTENCES]
    assert any(re.match(heading, said) for heading in headings), f"docs/runbook.md lacks: {said}"


def test_it_has_the_sections_that_people_look_for() -> None:
    assert tuple(re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)) == SECTIONS
    assert len(SENTENCES) > 12


def test_every_command_that_is_to_be_typed_is_there() -> None:
    typed = set(re.findall(r"(?<!-n )slipway ([a-z][a-z-]+)", RUNBOOK)) - {"env", "example"}
    known = set(main.list_commands(Context(main)))
    assert isinstance(main, Group)
    assert typed <= known | {"manifest"}, typed - known
    verbs = {line.split()[0] for line in re.findall(r"`!([^`]+)`", RUNBOOK)}
    assert verbs <= {word for each in DECLARED.commands.commands for word in each.name.split()[:1]}


def test_lines_to_be_typed_are_short_enough_for_a_phone() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    long = [line for block in blocks for line in block.splitlines() if len(line) > LONGEST]
    assert [each for each in long if not each.startswith("slipway()")] == []
