"""Which typed line an answer belongs to, where others were typed before it came."""

from __future__ import annotations

from collections import OrderedDict

_REMEMBERED = 100  # lines; what answers an older one does not name it


class TypedLines:
    """Remembers the lines that were said, and which messages answer them."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, str] = OrderedDict()  # by the ids of their events
        self._waiting: dict[str, str] = {}  # messages that will become answers, and the events they answer
        self._last = ""

    def typed(self, event_id: str, line: str) -> None:
        """Somebody said a line."""
        self._lines[event_id] = line
        self._last = event_id
        if len(self._lines) > _REMEMBERED:
            self._lines.popitem(last=False)

    def sent(self, event_id: str | None, *, waits: bool) -> str:
        """The line that a new message answers, where it has to be named; else empty.

        That is where another line was typed meanwhile, or may be before the answer comes that the message ``waits``
        for.
        """
        if event_id is None or (event_id == self._last and not waits):
            return ""
        return self._lines.get(event_id, "")

    def awaited(self, message_id: str, event_id: str | None) -> None:
        """A message stands there that says no more than that its answer comes."""
        if event_id is not None:
            self._waiting[message_id] = event_id

    def edited(self, message_id: str) -> str:
        """The line that an edit answers, where it has to be named; else empty."""
        return self.sent(self._waiting.pop(message_id, None), waits=False)
