"""What the quick commands of the program load: `slipway health` runs twice a minute in a container."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

CHAT_LIBRARIES = {"nio", "slack_bolt", "slack_sdk"}
HEAVY = {"sqlalchemy", "dbos", "alembic", "apscheduler", "boto3", "azure", "rich", "moto", *CHAT_LIBRARIES}
EXAMPLE = files("slipway.bot.config").joinpath("demo.toml")

_RUN = """
import sys
from slipway.bot.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize("command", ["version", "check", "health"])
def test_quick_commands_load_no_heavy_library(command: str, tmp_path: Path) -> None:
    config = tmp_path / "slipway.toml"
    config.write_text(EXAMPLE.read_text())
    arguments = [command] if command == "version" else [command, "--config", str(config)]
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    loaded = set(ended.stderr.splitlines()[-1].split())
    assert "click" in loaded, ended.stderr
    assert not loaded & HEAVY
    assert ended.returncode == (1 if command == "health" else 0), ended.stderr  # none is running here


def run_and_see_what_is_loaded(*arguments: str) -> tuple[str, set[str]]:
    """What a command of the program prints, and which packages it loads."""
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout, set(ended.stderr.splitlines()[-1].split())


def test_help_names_each_chat_s_commands_and_loads_no_library_of_a_chat() -> None:
    shown, loaded = run_and_see_what_is_loaded("--help")
    assert {"matrix", "slack", "run"} <= set(shown.split())
    assert "click" in loaded
    assert not loaded & HEAVY


def test_a_command_of_the_program_looks_at_no_declaration() -> None:
    _, loaded = run_and_see_what_is_loaded("version")
    assert "pydantic" not in loaded
