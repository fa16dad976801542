"""`[publishing]`: its mistakes, its line in `slipway check`, and what `slipway doctor` tries."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.describe import describe
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.probes import Finding
from slipway.bot.subjects.images.publishing.declared import PROBES
from tests.support.configuration import DECLARED, settings_of, valid_document


def with_table(table: dict[str, Any]) -> dict[str, Any]:
    return {**valid_document(), "publishing": table}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "publishing.file: give either a file or a command"),
        ({"file": "/srv/x.json", "command": ["x"]}, "publishing.file: give either a file or a command"),
        ({"file": "x.json"}, "publishing.file: x.json is no absolute path"),
        ({"command": [""]}, "publishing.command: its first word is the program, and is empty"),
        ({"command": ["x"], "timeout": "1h"}, "publishing.timeout: from 1s to 10m"),
        ({"command": ["x"], "refresh": "10s"}, "publishing.refresh: from 5m to 1d"),
        ({"command": "x --y"}, "publishing.command"),
    ],
)
def test_each_mistake_is_named_by_its_key(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(with_table(table))
    assert words in str(caught.value)


def test_check_says_where_it_goes_and_not_with_what_arguments() -> None:
    lines = describe(settings_of(with_table({"command": ["upload", "--token=abc"]})), DECLARED.spec)
    assert "what is latest: handed to upload" in lines
    lines = describe(settings_of(with_table({"file": "/srv/images.json"})), DECLARED.spec)
    assert "what is latest: written to /srv/images.json" in lines


async def look(table: dict[str, Any]) -> Finding:
    (probe,) = PROBES
    settings = settings_of(with_table(table))
    assert probe.wanted(settings)
    assert not probe.wanted(settings_of(valid_document()))
    return await probe.look(settings, Clouds())


async def test_doctor_says_whether_it_could_be_handed_over(tmp_path: Path) -> None:
    assert (await look({"file": str(tmp_path / "images.json")})).well
    assert (await look({"command": [sys.executable]})).well
    missing = await look({"file": str(tmp_path / "www/images.json")})
    assert missing.problems == (f"There is no folder {tmp_path}/www.",)
    assert "publishing.file" in missing.next
    nothing = await look({"command": ["/nowhere/upload"]})
    assert nothing.problems == ("/nowhere/upload is not there, or cannot be run.",)
