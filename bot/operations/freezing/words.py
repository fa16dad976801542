"""What is frozen, in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from slipway.bot.core.times import format_time
from slipway.bot.operations.freezing.model import Freeze, Frozen, Period, Scope, Unreadable
from slipway.bot.people import People


class FreezeWords:
    """Says it.

    Args:
        people: how whoever froze something is called.
        zone: of times that are shown.
    """

    def __init__(self, people: People, zone: ZoneInfo) -> None:
        self._people = people
        self._zone = zone

    def why(self, frozen: Frozen) -> str:
        """As a sentence without its full stop: who, until when, and why."""
        match frozen:
            case Freeze():
                until = "until somebody ends that" if frozen.until is None else self._until(frozen)
                return f"{self._people.name(frozen.person)} froze all changes {until}: {frozen.reason.rstrip('.')}"
            case Period():
                reason = f": {frozen.reason.rstrip('.')}" if frozen.reason else ""
                what = of_scope(frozen.scope)
                return f"The freeze window {frozen.name} keeps {what} from changing {self._until(frozen)}{reason}"
            case Unreadable():
                return "Whether changes are frozen cannot be read, so nothing is changed"

    def _until(self, frozen: Freeze | Period) -> str:
        end = frozen.until if isinstance(frozen, Freeze) else frozen.ends
        return "" if end is None else f"until {format_time(end, self._zone)}"


def of_scope(scope: Scope) -> str:
    """What a window is about, in a few words."""
    parts = [", ".join(scope.patterns)] if scope.patterns else ["everything"]
    if scope.clouds:
        parts.append(f"in {', '.join(scope.clouds)}")
    if scope.kinds:
        parts.append(f"by {', '.join(scope.kinds)}")
    return " ".join(parts)
