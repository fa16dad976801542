"""`deploy/slipway.1`: what `man` and mandoc say of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import documentation
from tests.support.processes.program import ROOT

PAGE = ROOT / "deploy/slipway.1"


@pytest.mark.parametrize("file", documentation.WHOLE, ids=lambda file: file.name)
def test_what_is_made_of_the_code_is_current(file: Path) -> None:
    assert file.read_text("utf-8") == documentation.WHOLE[file](), "run python -m tests.documentation"


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc: Debian's package of that name has it")
def test_mandoc_finds_nothing_wrong() -> None:
    found = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(PAGE)], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, ""), found.stdout


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff: Debian's package man-db brings it")
def test_groff_sets_it_without_a_warning() -> None:
    command = ["groff", "-K", "utf8", "-Tutf8", "-man", "-ww", "-z", str(PAGE)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
