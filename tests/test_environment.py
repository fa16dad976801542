"""Tests see the same whatever the environment is in which they are started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes.program import ROOT

pytestmark = pytest.mark.xdist_group("program")


@pytest.mark.parametrize(
    "some",
    [
        ("tests/test_cli.py::test_a_right_configuration_is_described_without_its_secrets",),
        pytest.param(
            (
                "tests/test_demo.py::test_who_may_only_look_is_told_who_may_do_more",
                "tests/clouds/aws/test_failing.py::test_missing_credentials_are_a_refusal",
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["the configuration", "the demo and credentials"],
)
def test_a_hostile_environment_changes_nothing(some: tuple[str, ...]) -> None:
    """`.ci/hostile` runs any of them so: here two of the program, and one that asks for credentials."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [str(ROOT / ".ci" / "hostile"), "-q", "-p", "no:cacheprovider", *some],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{len(some)} passed" in ended.stdout
