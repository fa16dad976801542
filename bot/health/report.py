"""What the heartbeat says, for `slipway health` and a container's check, which start it twice a minute: it loads
nothing but Python's own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

FILE = "health.json"

BEAT_SECONDS = 10.0

STALE_AFTER = timedelta(seconds=45)
"""A heartbeat older than this means that the bot hangs or is gone, or cannot write."""


@dataclass(frozen=True)
class Report:
    """How the bot is.

    Attributes:
        problem: what is wrong with it, in one sentence; None if it is well.
        clouds: a sentence for each cloud: when it answered last. A cloud that does not is no fault of the bot.
        warnings: what is wrong around it, a sentence each, such as the machine's clock: a new start would mend none.
        alive: whether it gave a sign of life just now, well or not.
        replicas: which replicas there are, and who leads, a sentence each; none where there is one process.
    """

    problem: str | None
    clouds: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    alive: bool = False
    replicas: tuple[str, ...] = ()


def report(state_dir: Path, now: datetime) -> Report:
    """How the bot is that works on this folder."""
    path = state_dir / FILE
    unknown = f"Whether Slipway is running on {state_dir} is not known: {FILE} there"
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Report(f"No Slipway is running on {state_dir}.")
    except PermissionError:
        return Report(f"{unknown} may not be read. Ask as the user as whom Slipway runs.")
    except OSError as error:
        return Report(f"{unknown} cannot be read ({error.strerror}).")
    try:
        beat = json.loads(text)
        at = datetime.fromisoformat(beat["at"])
        silent = abs(now - at) > STALE_AFTER  # a clock that was set back must not keep a dead bot well
        trouble = str(beat.get("trouble", ""))
        disconnected = [
            f"{name}: {each['detail']}" for name, each in beat["chats"].items() if not each["connected"]
        ]
        # A Slipway of before, which may be running until it is restarted, wrote nothing of clouds, or of warnings, or
        # of what else is looked at.
        clouds = tuple(_cloud(name, each, now) for name, each in beat.get("clouds", {}).items())
        warnings = tuple(map(str, beat.get("warnings", ())))
        problems = tuple(map(str, beat.get("problems", ())))
        replicas = tuple(map(str, beat.get("replicas", ())))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        every = f"every {BEAT_SECONDS:.0f} seconds"
        return Report(f"{unknown} is damaged. A running Slipway writes it anew {every}: ask again then.")
    if silent:
        return Report(
            f"Slipway gave no sign of life since {at:%Y-%m-%d %H:%M:%S %Z}.{_why_silent(state_dir)}"
        )
    connection = "Not connected. " + " ".join(disconnected) if disconnected else ""
    problem = " ".join(each for each in (trouble, connection, *problems) if each) or None
    return Report(problem, clouds, warnings, True, replicas)


def _why_silent(state_dir: Path) -> str:
    """What may keep a running bot from writing its heartbeat, as a sentence behind another."""
    try:
        found = os.statvfs(state_dir)
    except OSError:
        return ""
    if found.f_flag & os.ST_RDONLY:
        return f" {state_dir} is on a file system that is read-only now."
    if found.f_blocks and not found.f_bavail:
        return f" No space is left on the file system of {state_dir}."
    return ""


def problem(state_dir: Path, now: datetime) -> str | None:
    """What is wrong with the bot that works on this folder, in one sentence; None if it is well."""
    return report(state_dir, now).problem


def _cloud(name: str, contact: dict[str, Any], now: datetime) -> str:
    answered = f"answered {_ago(contact['answered'], now)}" if contact["answered"] else ""
    if contact["failed"]:
        last = f" Before, it {answered}." if answered else ""
        return f"{name} failed {_ago(contact['failed'], now)}: {contact['failure']}{last}"
    return f"{name} {answered}." if answered else f"{name} was not asked for anything since the start."


def _ago(written: str, now: datetime) -> str:
    minutes = max(0, round((now - datetime.fromisoformat(written)).total_seconds())) // 60
    if minutes < 1:
        return "less than a minute ago"
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} day{'s' if days != 1 else ''} ago"
    return f"{hours} h ago" if hours else f"{minutes} min ago"
