"""The recipes of CONTRIBUTING.md: what they write, what they change, and what they run, to be tried as they stand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.quality import ROOT

GUIDE = ROOT / "CONTRIBUTING.md"

_SECTION = re.compile(r"^## (Add .*?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*", "state", "build", "dist")


@dataclass
class Recipe:
    """One recipe.

    Attributes:
        title: its heading.
        files: what it adds, by path.
        changes: what it changes, each with the lines that stand there before and after.
        commands: what is run in the end.
    """

    title: str
    files: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def outcome(self, root: Path) -> dict[str, str]:
        """Its files below a copy of the repository as they are to be, by path.

        Raises:
            ValueError: a file that it adds is there, or lines that it changes are not there once.
        """
        for name in self.files:
            if (root / name).exists():
                raise ValueError(f"{self.title}: {name} is there already")
        found = dict(self.files)
        for name, before, after in self.changes:
            text = found.get(name) or (root / name).read_text("utf-8")
            if text.count(before) != 1:
                raise ValueError(
                    f"{self.title}: these lines stand {text.count(before)} times in {name}:\n{before}"
                )
            found[name] = text.replace(before, after)
        return found

    def apply(self, root: Path) -> None:
        """Write and change its files there.

        Raises:
            ValueError: as for :meth:`outcome`.
        """
        for name, text in self.outcome(root).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")


def recipes(guide: str) -> Iterator[Recipe]:
    """The recipes of a guide: its sections whose headings begin with “Add”."""
    for title, text in _SECTION.findall(guide):
        recipe, path = Recipe(title), ""
        for named, language, block in _BLOCK.findall(text):
            path = named or path
            if language == "sh":
                recipe.commands += [line for line in block.splitlines() if line]
            elif language == "diff":
                recipe.changes.append((path, *_sides(block)))
            else:
                recipe.files[path] = block
        yield recipe


def _sides(diff: str) -> tuple[str, str]:
    lines = [(line[:1] or " ", line[1:]) for line in diff.splitlines()]
    before = "".join(f"{text}\n" for sign, text in lines if sign in " -")
    return before, "".join(f"{text}\n" for sign, text in lines if sign in " +")


def copy_of_the_repository(to: Path) -> None:
    """The repository without what is made of it, links kept as links."""
    shutil.copytree(ROOT, to, symlinks=True, ignore=_LEFT_OUT)
    for folder in ("bot", "commands", "scheduler"):
        if not (to / folder).exists():  # an unpacked sdist has them in the package alone
            (to / folder).symlink_to(Path("src/slipway") / folder)
