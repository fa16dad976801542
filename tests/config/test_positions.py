"""In which line of slipway.toml each key stands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.config.load import load
from slipway.bot.config.positions import KeyLines, places
from slipway.bot.config.schema import plain
from slipway.bot.core.errors import ConfigError
from tests.support.configuration import DECLARED, SECRETS

EXAMPLE = files("slipway").joinpath("slipway.example.toml").read_text("utf-8")

ODD = '''\
# [a comment] = 1
top = 1 # [no] "table"
"quo.ted" = 'lit\\'
a . "b c" . d = [ 1, # one
  [2, 3], {x = 1, y."z" = "}"},
  "]",
]
[ table ]	# behind
text = """
[no table]
key = "1"  \\
"""
raw = \'\'\'
[[none]]\'\'\'
when = 2026-01-01 10:00:00
[[entry]]
id = "one"
[entry.below]
deep = true
[[entry]]
id = "two"
nested = [["x"]]
[[entry.many]]
n = 1
[[entry.many]]
n = 2
["a".x]
n = 0'''


def _all(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if place:
        yield place
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in entries:
        yield from _all(inner, (*place, key))


@pytest.mark.parametrize(
    "text", [EXAMPLE, ODD, ODD.replace("\n", "\r\n"), ""], ids=["example", "odd", "crlf", "none"]
)
def test_every_key_has_a_line_and_nothing_else_has(text: str) -> None:
    found = places(text)
    assert set(found) == set(_all(tomllib.loads(text)))
    rows = text.replace("\r\n", "\n").split("\n")
    for place, line in found.items():
        name = next(str(part) for part in reversed(place) if isinstance(part, str))
        if not isinstance(place[-1], int):
            assert name in rows[line - 1], place


def test_a_mistake_names_the_line_in_which_it_stands(tmp_path: Path) -> None:
    text = EXAMPLE.replace('roles = ["releng", "admin"]', 'roles = ["admins"]').replace('"!releng', '"releng')
    text = text.replace('command = "cleanup"', 'command = "cleanup x y z"').replace(
        "max_attempts = 4", "max_attempts = 40", 1
    )
    path = tmp_path / "slipway.toml"
    path.write_text(text.replace('resource_group = "fedora-cloud"\n', "", 1))
    rows = path.read_text().splitlines()
    with pytest.raises(ConfigError) as caught:
        load(path, SECRETS, spec=DECLARED.spec)
    by_key = {problem.split(" (line ")[0]: problem for problem in caught.value.problems}
    for key, row in (
        ("aws.max_attempts", "max_attempts = 40"),
        ("azure.resource_group", "[azure]"),  # what is missing is missing in its table
        ("matrix.rooms", 'rooms = ["releng:example.org"]'),
        ("person.bob.roles", 'roles = ["admins"]'),
    ):
        assert f"(line {rows.index(row) + 1}): " in by_key[key]


def test_entries_of_one_name_are_told_by_the_later_one() -> None:
    text = '[[person]]\nid = "a"\n\n[[person]]\nid = "a"\n[azure.staging]\ngallery = "x"\n'
    content = {key: plain(value) for key, value in tomllib.loads(text).items()}
    lines = KeyLines(text, content)
    assert lines.line("person.a.id") == 5
    assert lines.line("person #1.id") == 2
    assert lines.line("azure.staging.tenant_id") == 6
    assert lines.line("person.a.identities #3") == 4
    assert lines.line("matrix") is None
