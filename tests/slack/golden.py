"""Golden files: how things looked when people agreed to them, one JSON file each.

With ``SLIPWAY_UPDATE_GOLDEN=1`` in the environment they are written anew, and those that nothing is compared
with any more are taken away. What differs between runs is numbered first; see :func:`numbered`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.bot.chat.model import Card
from slipway.bot.chat.slack.rendering.render import message


def pretty(found: object) -> str:
    """Something as a golden file holds it."""
    return json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def sent(card: Card) -> dict[str, Any]:
    """What Slack is sent for a card. One that only one person sees mentions nobody."""
    shown = message(card.model_copy(update={"mentions": ()}) if card.private_to else card)
    return {"text": shown.text, "blocks": shown.blocks}


@dataclass(frozen=True)
class Golden:
    """The golden files of one folder; those of folders in it are not its own."""

    folder: Path

    def agreed(self, name: str, found: str) -> str:
        """How this was agreed to look; empty where nobody agreed yet. When updating, ``found`` is agreed."""
        path = self.folder / f"{name}.json"
        if _updating():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(found, "utf-8")
        return path.read_text("utf-8") if path.exists() else ""

    def names(self, made: Collection[str]) -> set[str]:
        """The names of all files. When updating, only those that were ``made`` stay."""
        paths = {path.stem: path for path in self.folder.glob("*.json")}
        if _updating():
            for name in paths.keys() - set(made):
                paths.pop(name).unlink()
        return set(paths)


_ADDRESS = r"(?:\d{1,3}\.){3}\d{1,3}"
_FILLED_WITH = {"op": "a", "pb": "a", "i": "0", "sg": "0", "": "d"}
"""What stands before the number in a made-up name, by its kind: operation, problem, machine, group, digits."""


def numbered(text: str, names: Collection[str]) -> str:
    """The text with these names, and all IP addresses, numbered by kind in order of appearance.

    ``op-7k3f`` becomes ``op-aaa1``. Names keep their length. The lengths of addresses differ between runs, so
    of them only the last number is told apart: give it text in which nothing is aligned by them yet.
    """
    seen: dict[str, list[str]] = {}

    def number(match: re.Match[str]) -> str:
        kind, dash, rest = match[0].rpartition("-")
        others = seen.setdefault("address" if "." in rest else kind, [])
        if match[0] not in others:
            others.append(match[0])
        place = others.index(match[0]) + 1
        return f"54.214.0.{place}" if "." in rest else f"{kind}{dash}{place:{_FILLED_WITH[kind]}>{len(rest)}}"

    return re.sub(rf"\b(?:{'|'.join(map(re.escape, names))}|{_ADDRESS})\b", number, text)


def _updating() -> bool:
    return bool(os.environ.get("SLIPWAY_UPDATE_GOLDEN"))
