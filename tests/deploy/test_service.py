"""The systemd unit, the user and the folders of the service, as systemd's own tools judge them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes.program import ROOT

UNIT = ROOT / "deploy/slipway.service"
USERS = ROOT / "deploy/slipway.sysusers.conf"
FOLDERS = ROOT / "deploy/slipway.tmpfiles.conf"

EXPOSURE = 20
"""Tenths on the scale of `systemd-analyze security`, of which a service without any protection has 96."""


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not shutil.which(program), reason=f"no {program}: Debian's package systemd has it"
    )


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/slipway/bin/slipway", sys.executable), "utf-8")
    return copy


@needs("systemd-analyze")
def test_the_unit_is_understood_whole(unit: Path) -> None:
    found = run("systemd-analyze", "verify", "--man=no", str(unit))
    assert (found.returncode, found.stderr) == (0, "")


@needs("systemd-analyze")
def test_the_service_is_given_little(unit: Path) -> None:
    found = run("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}", str(unit))
    assert found.returncode == 0, found.stdout + found.stderr


@needs("systemd-sysusers")
def test_the_user_is_made_and_has_the_folders(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    made = run("systemd-sysusers", f"--root={tmp_path}", str(USERS))
    assert made.returncode == 0, made.stderr
    (line,) = [
        line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("slipway:")
    ]
    assert line.endswith(":/var/lib/slipway:/usr/sbin/nologin")
    if not shutil.which("systemd-tmpfiles"):
        pytest.skip("no systemd-tmpfiles: Debian's package systemd has it")
    done = run("systemd-tmpfiles", "--create", f"--root={tmp_path}", str(FOLDERS))
    assert done.returncode == 0, done.stderr
    modes = {
        str(each.relative_to(tmp_path)): oct(each.stat().st_mode & 0o7777)
        for each in (
            tmp_path / "var/lib/slipway",
            *(tmp_path / "etc/slipway", tmp_path / "etc/slipway/secrets"),
        )
    }
    assert modes == {
        "var/lib/slipway": "0o700",
        "etc/slipway": "0o750",
        "etc/slipway/secrets": "0o750",
    }
