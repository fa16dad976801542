"""The recipes of CONTRIBUTING.md, each tried as it stands in a copy of the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.quality import ROOT
from tests.support.recipes import GUIDE, Recipe, copy_of_the_repository, recipes

RECIPES = tuple(recipes(GUIDE.read_text("utf-8")))

TIMEOUT_SECONDS = 100

ELSEWHERE = ("tests/test_readme.py", "tests/slack", "tests/conformance", "tests/crash")
"""What recipes run of tests that start the program as it is installed, or that take long."""


def _targets(recipe: Recipe) -> list[str]:
    """The tests that a recipe brings; where it brings none, those that it says to run."""
    own = [name for name in recipe.files if Path(name).name.startswith("test_")]
    named = [word for line in recipe.commands if line.startswith("pytest ") for word in line.split()[1:]]
    return own or [word for word in named if not word.startswith(ELSEWHERE)]


def _run(root: Path, *arguments: str) -> None:
    # Coverage counts what runs of this repository, not of its copies.
    here = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environ = {**here, "PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_there_is_a_recipe_for_everything_that_is_added() -> None:
    assert [recipe.title.removeprefix("Add a ") for recipe in RECIPES] == [
        "command",
        "subcommand",
        "kind of operation",
        "subject",
        "cloud",
        "chat platform",
        "setting",
        "settings table",
        "table to the database",
    ]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_a_recipe_fits_what_stands_here(recipe: Recipe) -> None:
    assert recipe.outcome(ROOT)


@pytest.mark.parametrize(
    "recipe",
    [RECIPES[0], *(pytest.param(recipe, marks=pytest.mark.slow) for recipe in RECIPES[1:])],
    ids=lambda recipe: recipe.title,
)
def test_a_recipe_works_as_it_stands(recipe: Recipe, tmp_path: Path) -> None:
    root = tmp_path / "slipway"
    copy_of_the_repository(root)
    recipe.apply(root)
    _run(root, "tests.documentation")
    _run(root, "pytest", "-q", "-p", "no:cacheprovider", *_targets(recipe), "tests/test_quality.py")
