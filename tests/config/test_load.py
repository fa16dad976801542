"""slipway.toml as a file: found, read, and told about where it is no TOML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.config.document import state_dir
from slipway.bot.config.load import load
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from tests.support.configuration import (
    DECLARED,
    SECRETS,
    declared_with,
    problems_of,
    settings_of,
    valid_document,
)
from tests.support.processes.program import CONSOLE_CONFIGURATION
from tests.toys.cloud import TOYCLOUD, ToyCloudSettings
from tests.toys.subject import TOYS


class ShedSettings(Settings):
    """A table with a path."""

    place: Path = Field(description="a folder, like /srv/shed")


class ShedCloudSettings(ToyCloudSettings):
    """An account with a path."""

    address: str = "shed.example.org"
    place: Path = Field(description="a folder, like /srv/shed")


class TestFile:
    def load(self, path: Path) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            load(path, SECRETS, spec=DECLARED.spec)
        return caught.value.problems

    def test_paths_start_at_the_files_folder(self, tmp_path: Path) -> None:
        (tmp_path / "slipway.toml").write_text(
            'state_dir = "memory"\n[console]\nenabled = true\n[aws]\nregion = "eu-west-1"\n'
            '[[person]]\nid = "alice"\nidentities = ["console:alice"]\n'
        )
        settings = load(tmp_path / "slipway.toml", {}, spec=DECLARED.spec)
        assert settings.state_dir == tmp_path / "memory"

    def test_a_path_in_any_declared_table_starts_there_too(self) -> None:
        sheds = SettingsTable(
            name="sheds", model=ShedSettings, shape=TableShape.NAMED, summary="where tools are"
        )
        cloud: CloudDeclaration[Any] = TOYCLOUD
        cloud = replace(cloud, name="shedcloud", settings=ShedCloudSettings)
        declarations = declared_with(subjects=(replace(TOYS, tables=(*TOYS.tables, sheds)),), clouds=(cloud,))
        document: dict[str, Any] = valid_document() | {
            "sheds": {"east": {"place": "east"}},
            "shedcloud": {"place": "here", "far": {"place": "/far"}},
        }
        settings = settings_of(document, declarations=declarations)
        folder = Path("/etc/slipway")
        assert {name: shed.place for name, shed in settings.named(sheds).items()} == {"east": folder / "east"}
        assert {name: shed.place for name, shed in settings.named(cloud.table).items()} == {
            "shedcloud": folder / "here",
            "shedcloud.far": Path("/far"),
        }
        document["shedcloud"]["far"]["place"] = document["sheds"]["east"]["place"] = "~/tools"
        said = "begins with ~, and HOME is not set; write the path from the root"
        assert set(problems_of(document, declarations=declarations)) == {
            f"sheds.east.place: {said}",
            f"shedcloud.far.place: {said}",
        }

    def test_a_key_that_is_spelt_like_the_readers_own_mark_is_told(self) -> None:
        (problem,) = problems_of(valid_document() | {"[key]": 1})
        assert "[key]" in problem

    def test_home_is_understood(self, tmp_path: Path) -> None:
        document = valid_document() | {"state_dir": "~/slipway"}
        assert settings_of(document, SECRETS | {"HOME": "/home/bot"}).state_dir == Path("/home/bot/slipway")
        assert problems_of(document) == (
            "state_dir: begins with ~, and HOME is not set; write the path from the root",
        )

    @pytest.mark.parametrize(
        "written", ["", 'state_dir = "memory"', 'state_dir = "/srv/x"', 'state_dir = "~/x"']
    )
    @pytest.mark.parametrize("wrong", [False, True])
    def test_the_state_folder_is_the_same_for_what_asks_for_it_alone(
        self, written: str, wrong: bool, tmp_path: Path
    ) -> None:
        path, environ = tmp_path / "slipway.toml", {"HOME": "/home/bot"}
        right = f"{written}\n" + CONSOLE_CONFIGURATION
        path.write_text(right)
        whole = load(path, environ, spec=DECLARED.spec).state_dir
        path.write_text(f"{right}\n[nonsense]\n" if wrong else right)
        assert state_dir(path, environ) == whole

    @pytest.mark.parametrize("value", ["3", "true", '["state"]', '"~/x"', '"a\\u0000b"'])
    def test_a_wrong_state_folder_is_told_in_the_same_words_to_what_asks_for_it_alone(
        self, value: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "slipway.toml"
        path.write_text(f"state_dir = {value}\n{CONSOLE_CONFIGURATION}")
        with pytest.raises(ConfigError) as caught:
            state_dir(path, {})
        told = [problem.replace(" (line 1)", "") for problem in self.load(path)]
        assert tuple(told) == caught.value.problems

    def test_a_missing_file_names_the_example(self, tmp_path: Path) -> None:
        path = tmp_path / "my slipway.toml"
        (problem,) = self.load(path)
        assert "`slipway init` writes one, as does " in problem
        assert f"`slipway example > '{path}'`" in problem

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b'name = "x"\nzone = UTC\n', "line 2"),
            (b'name = "x"\n\nname = "y"\n', "line 3"),
            (b'name = "x"\nzone = "\xff"\n', "line 2 is not text in UTF-8"),
            (b"x = " + b"[" * 5000, "nested too deeply"),
            (b"x = " + b"9" * 5000, "too many digits"),
            (b"#" * (1024 * 1024 + 1), "larger than 1 MiB"),
        ],
    )
    def test_what_is_not_toml_is_told_with_its_line(self, tmp_path: Path, content: bytes, line: str) -> None:
        path = tmp_path / "slipway.toml"
        path.write_bytes(content)
        (problem,) = self.load(path)
        assert problem.startswith(f"{path}: ")
        assert line in problem

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        (problem,) = self.load(tmp_path)
        assert "cannot be read" in problem
