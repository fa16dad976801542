"""What stands in the bot's own logs. No invariant asks for it, yet an odd line may be all that a fault shows."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from tests.reliability.messages import TICKING

_NAMED = re.compile(r"[@!$#/]\S+|\b\S*[0-9_]\S*")  # accounts, rooms, events, paths, keys, ids
_MOST = 80  # characters
_ENTRY = re.compile(rf'"schedule": "{TICKING}", "at": "(?P<at>[^"]+)", "event": "schedule ticks"')


def tracebacks(log: Path) -> tuple[str, ...]:
    """The lines that hold one, shortened."""
    lines = log.read_text(errors="replace").splitlines()
    return tuple(line[:600] for line in lines if "Traceback" in line)


def ticks(log: Path) -> frozenset[str]:
    """The times at which the schedule asked for something."""
    found = (_ENTRY.search(line) for line in log.read_text(errors="replace").splitlines())
    return frozenset(each["at"] for each in found if each)


def lines_by_words(log: Path) -> Counter[str]:
    """How often each line stands there, by its level and words; whatever it names is left out."""
    found: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if not line.startswith("{"):
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # a kill cut it off
            continue
        found[f"{entry['level']}: {_NAMED.sub('…', entry['event'])[:_MOST]}"] += 1
    return found
