"""`slipway totp`: making a person's secret, and seeing whether their app has it."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from slipway.bot.core.totp import code_at, step_at
from tests.support.processes.program import run_slipway

pytestmark = pytest.mark.xdist_group("program")

PERSON = '[[person]]\nid = "alice"\nidentities = ["console:alice"]\n'


def configuration(folder: Path, more: str = "") -> Path:
    (folder / "slipway.toml").write_text(f"{PERSON}{more}")
    return folder / "alice.totp"


def secret_in(file: Path) -> SecretStr:
    return SecretStr(file.read_text().strip())


def test_a_new_secret_is_written_for_its_owner_alone_and_shown_once(tmp_path: Path) -> None:
    file = configuration(tmp_path)
    made = run_slipway("totp", "new", "alice", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"secret={secret_in(file).get_secret_value()}" in made.stdout
    assert 'totp_secret_file = "alice.totp"' in made.stdout
    first = file.read_text()
    again = run_slipway("totp", "new", "alice", cwd=tmp_path)
    assert (again.returncode, file.read_text()) == (1, first)
    assert "--replace" in again.stderr
    assert run_slipway("totp", "new", "alice", "--replace", cwd=tmp_path).returncode == 0
    assert file.read_text() != first
    unknown = run_slipway("totp", "new", "alcie", cwd=tmp_path)
    assert 'did you mean "alice"?' in unknown.stderr


def test_a_code_of_the_app_is_told_right_wrong_or_by_a_wrong_clock(tmp_path: Path) -> None:
    file = configuration(tmp_path, 'totp_secret_file = "alice.totp"\n')
    assert "cannot be read" in run_slipway("totp", "test", "alice", cwd=tmp_path, said="123456\n").stderr
    run_slipway("totp", "new", "alice", cwd=tmp_path)
    step = step_at(datetime.now(UTC))
    for away, told in (
        (0, "Right.\n"),
        (10, "Set the clocks."),
        (-10, "behind this machine's"),
        (500, "Does the app"),
    ):
        code = code_at(secret_in(file), step + away)
        tried = run_slipway("totp", "test", "alice", cwd=tmp_path, said=f"{code}\n")
        assert told in tried.stdout + tried.stderr
        assert code not in tried.stdout + tried.stderr
