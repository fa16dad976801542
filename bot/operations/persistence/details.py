"""What the details of audit entries say, where it is asked for."""

from __future__ import annotations

import json

from slipway.bot.core.model import Json
from slipway.bot.core.uptime import Uptime
from slipway.bot.operations.audit import BY_CODE
from slipway.bot.operations.runs.integrity import NotedDecision


def noted_decision(action: str, actor: str, detail: str) -> NotedDecision:
    """What an audit entry says; an empty digest where it names none, or its detail cannot be read."""
    found = _read_detail(detail)
    return NotedDecision(action, actor, str(found.get("digest", "")), found.get("step_up") == BY_CODE)


def uptime_in(detail: str) -> Uptime | None:
    """The machine's uptime that an audit entry names; None where it names none, or cannot be read."""
    match _read_detail(detail):
        case {"boot": str(boot), "uptime": float() | int() as seconds}:
            return Uptime(boot, float(seconds))
    return None


def _read_detail(detail: str) -> dict[str, Json]:
    try:
        found = json.loads(detail)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
