"""What the heartbeat says, for `slipway health` and a container's check, which start it twice a minute: it loads
nothing but Python's own."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

FILE = "health.json"

BEAT_SECONDS = 10.0

STALE_AFTER = timedelta(seconds=45)
"""A heartbeat older than this means that the bot hangs or is gone, or cannot write."""


def problem(state_dir: Path, now: datetime) -> str | None:
    """What is wrong with the bot that works on this folder, in one sentence; None if it is well."""
    path = state_dir / FILE
    unknown = f"Whether Slipway is running on {state_dir} is not known: {FILE} there"
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return f"No Slipway is running on {state_dir}."
    except PermissionError:
        return f"{unknown} may not be read. Ask as the user as whom Slipway runs."
    except OSError as error:
        return f"{unknown} cannot be read ({error.strerror})."
    try:
        beat = json.loads(text)
        at = datetime.fromisoformat(beat["at"])
        silent = abs(now - at) > STALE_AFTER  # a clock that was set back must not keep a dead bot well
        disconnected = [
            f"{name}: {each['detail']}" for name, each in beat["chats"].items() if not each["connected"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        every = f"every {BEAT_SECONDS:.0f} seconds"
        return f"{unknown} is damaged. A running Slipway writes it anew {every}: ask again then."
    if silent:
        return f"Slipway gave no sign of life since {at:%Y-%m-%d %H:%M:%S %Z}."
    return "Not connected. " + " ".join(disconnected) if disconnected else None
