"""How the commands about schedules read what is typed."""

from __future__ import annotations

from slipway.commands.grammar.values import Value, said_back, without_punctuation


class ScheduleValue(Value):
    """The name of a schedule; also in capitals, or with punctuation around."""

    name = "schedule"
    placeholder = "NAME"

    def read(self, text: str) -> str:
        """Read a name, and spell it as the configuration does."""
        found = without_punctuation(text).lower()
        if not found:
            raise ValueError(f"{said_back(text)} is not the name of a schedule")
        return found


SCHEDULE = ScheduleValue()
