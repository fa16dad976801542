"""What README.md and the pages beside it say is true: commands are run, tables compared, links followed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.bot.chat.model import Address
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.settings_table import TableShape
from slipway.commands.grammar.arguments import Misuse, parse
from slipway.commands.grammar.reading import Line, read_line
from slipway.commands.grammar.registry import Resolved
from slipway.commands.grammar.usage import usage
from tests import documentation
from tests.support.configuration import DECLARED
from tests.support.processes.program import ROOT, TIMEOUT_SECONDS, environment

README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHELL = re.findall(r"^ *```sh\n(.*?)^ *```$", README, re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.xdist_group("program")


def shell_lines(start: str) -> list[str]:
    """The lines of the README's shell blocks that begin so."""
    lines = [line.strip() for block in SHELL for line in block.splitlines()]
    found = [line for line in lines if line.startswith(start)]
    assert found, f"the README has no line that begins with {start!r}"
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A search path on which `slipway` is the program as it stands here."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "slipway"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m slipway "$@"\n')
    script.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def run(line: str, path: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        cwd=cwd,
        env=environment(PATH=path, **more),
        check=False,
    )


def test_the_table_of_commands_is_what_the_commands_declare() -> None:
    rows = re.findall(r"^\| `(![^`]*)` \| (.*) \|$", README.split("## Commands")[1], re.MULTILINE)
    assert rows == [(usage(spec, "!"), spec.summary) for spec in DECLARED.commands.commands]


@pytest.mark.parametrize("page", documentation.PAGES, ids=lambda page: page.name)
def test_the_written_tables_are_as_the_declarations_have_them(page: Path) -> None:
    text = page.read_text("utf-8")
    assert documentation.written(text, DECLARED) == text, "run python -m tests.documentation"


def test_every_command_line_it_shows_is_understood() -> None:
    text = README.split("## Commands")[0] + README.split("## How approvals work")[1]
    shown = re.findall(r"[`'](?:@\w+: )?(!\w[^`'…]*)[`']", text)
    known = DECLARED.commands
    assert len(shown) > 10
    for line in shown:
        reading = read_line(line.replace("COMMAND", "launch"), Address.ROOM, "!", known.names)
        assert isinstance(reading, Line), line
        found = known.resolve(reading.name, reading.args)
        assert isinstance(found, Resolved), line
        assert not isinstance(parse(found.command, found.args, "!"), Misuse), line


DEMOS = shell_lines("printf")


@pytest.mark.parametrize(
    "line", [DEMOS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in DEMOS[1:])]
)
def test_the_demos_that_it_shows_run(line: str, path: str, tmp_path: Path) -> None:
    ended = run(line, path, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    if "@bob" in line:
        assert "promote: done" in ended.stdout
    if "--json" in line:
        assert [json.loads(each) for each in ended.stdout.splitlines()]
    if "carol" in line:
        assert "You need the right `promote`" in ended.stdout


def test_the_example_configuration_is_right_with_the_password_in_the_environment(
    path: str, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "slipway.example.toml", tmp_path)
    secret = tmp_path / "matrix-password"
    secret.write_text("a password\n")
    secret.chmod(0o600)
    copy = "cp slipway.example.toml slipway.toml"
    assert f"`{copy}`" in README
    (check,) = shell_lines("slipway check")
    for name, value in (("SLIPWAY_MATRIX_PASSWORD", "secret"), ("SLIPWAY_MATRIX_PASSWORD_FILE", str(secret))):
        assert any(name in line for line in shell_lines("export"))
        ended = run(f"{copy} && {check}", path, tmp_path, **{name: value})
        assert ended.returncode == 0, ended.stderr
        assert "slipway.toml is right." in ended.stdout


def test_the_configuration_that_it_shows_how_to_make_is_right(path: str, tmp_path: Path) -> None:
    (made,) = re.findall(r"^ *(slipway init --config(?:.*\\\n)+.*)$", README, re.MULTILINE)
    ended = run(f"{made} && slipway check --strict mine.toml", path, tmp_path, SLIPWAY_MATRIX_PASSWORD="x")
    assert ended.returncode == 0, ended.stderr
    assert "mine.toml is right.\n" in ended.stdout


def test_every_table_of_the_configuration_is_in_the_overview() -> None:
    overview = README.split("## Configuration")[1].split("## Commands")[0]
    tables = {
        "person": "[[person]]",
        "schedule": "[[schedule]]",
        "freeze": "[[freeze]]",
        "roles": "[roles.NAME]",
    }
    tables |= {"policy": "[policy.KIND]", "environment": "[environment.NAME]", "http": "[http.ops]"}
    tables |= {
        table.name: f"[{table.name}.NAME]"
        for table in DECLARED.spec.tables
        if table.shape is TableShape.NAMED
    }
    for name in (*SlipwaySettings.model_fields, *(table.name for table in DECLARED.spec.tables)):
        assert f"`{tables.get(name, name)}`" in overview or f"`[{name}]`" in overview, name


def test_what_it_sets_up_with_is_pinned_by_hashes_and_names_no_index() -> None:
    for line in shell_lines("python3 -m venv"):
        (name,) = re.findall(r"-r (\S+)", line)
        pins = (ROOT / name).read_text("utf-8")
        assert "--require-hashes" in line
        requirements = [each for each in pins.splitlines() if each and not each.startswith((" ", "#"))]
        assert requirements
        assert all("==" in each and each.endswith("\\") for each in requirements)
        assert "://" not in pins
        assert not re.search(r"index[-_]url", pins)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)?(?:#([\w-]+))?\)", page.read_text("utf-8")):
        where, heading = target
        if where.startswith(("http:", "https:")):
            continue
        file = (page.parent / where).resolve() if where else page
        assert file.exists(), f"{page.name}: {where}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert heading in anchors, f"{page.name}: {where}#{heading}"
