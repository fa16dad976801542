"""What the quick commands of the program load: `slipway health` runs twice a minute in a container."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

CHAT_LIBRARIES = {"nio", "slack_bolt", "slack_sdk"}
HEAVY = {"sqlalchemy", "dbos", "alembic", "apscheduler", "boto3", "azure", "rich", "moto", *CHAT_LIBRARIES}
BEYOND_CLICK = {"asyncio", "pydantic", "structlog"}
"""What costs more than the rest of such a command: its work needs none of it."""

EXAMPLE = files("slipway.bot.cli").joinpath("demo.toml")

_RUN = """
import sys
from slipway.bot.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def run_and_see_what_is_loaded(*arguments: str, ends: int = 0) -> tuple[str, set[str]]:
    """What a command of the program prints, and which packages it loads."""
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == ends, ended.stderr
    loaded = set(ended.stderr.splitlines()[-1].split())
    assert "click" in loaded
    return ended.stdout, loaded


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "slipway.toml"
    path.write_text(EXAMPLE.read_text())
    return str(path)


def test_check_loads_no_heavy_library(config: str) -> None:
    _, loaded = run_and_see_what_is_loaded("check", "--config", config)
    assert not loaded & HEAVY


def test_health_looks_at_no_declaration(config: str) -> None:
    _, loaded = run_and_see_what_is_loaded("health", "--config", config, ends=1)  # none is running here
    assert not loaded & (HEAVY | BEYOND_CLICK)


def test_version_looks_at_no_declaration() -> None:
    _, loaded = run_and_see_what_is_loaded("version")
    assert not loaded & (HEAVY | BEYOND_CLICK)


@pytest.mark.parametrize("of", [[], ["audit"], ["matrix"], ["slack"]])
def test_help_names_each_chat_s_commands_and_looks_at_no_declaration(of: list[str]) -> None:
    shown, loaded = run_and_see_what_is_loaded(*of, "--help")
    assert of or {"matrix", "slack", "run"} <= set(shown.split())
    assert not loaded & (HEAVY | BEYOND_CLICK)
