"""A message of the bot as a person sees it, and what it says of an operation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.bot.chat.model import Choice

OPERATION = re.compile(r"\bop-[0-9a-z]{4,}\b", re.ASCII)

_TITLE = re.compile(
    r"\b(?P<id>op-[0-9a-z]{4,}) (?P<kind>[a-z][a-z0-9-]*): (?P<state>waits for \d+ approvals?|running|approved|done"
    r"|failed|rejected|expired|stale|cancelled)",
    re.ASCII,
)
MACHINE = r"(?:i-[0-9a-f]{8,}|vm-[0-9a-f]{12}-[1-9][0-9]?)"
"""How machines are called, in each of the clouds in which people launch them."""

_NOTICE = re.compile(
    r"(?:<@\w+> )*(?:[^\w\s]+ )?(?:\w+ · )?"  # whom Slack calls, then the mark and the word of a card's tone
    rf"(?:(?:{MACHINE}(?: {MACHINE})*|\d+ machines)"
    r"(?:: (?:ended|until|\w+'s now|came up after all)| ends? at | (?:is|are) up\b| runs?\b| did not come up"
    r"| ended before it came up| could not be ended| lost this Slipway| is used again| is stopped: nobody)"
    rf"|Nothing is stored of {MACHINE}$|Nobody seems to use {MACHINE}$|Your SSH keys of \S+ are not used any more)",
    re.ASCII,
)
"""The first line of what an owner is told unasked, as ``bot/subjects/machines/watching`` says it."""

_CAME_UP = re.compile(r" (?:is|are) up$| runs?$", re.ASCII)
_BY_ITSELF = re.compile(r"Asked by\W{0,6}leases\b", re.ASCII)
ENDED = frozenset(("done", "failed", "rejected", "expired", "stale", "cancelled"))

WORKING = "Working on it"

TICKING = "ticking"
"""The schedule that says something every minute."""

_TICK = re.compile(rf"Asked by\W+the schedule {TICKING}\b")
_SKIPPED = re.compile(rf"\b(?P<count>\d+)(?: or more)? runs? (?:was|were) skipped: {TICKING}\b")


@dataclass(frozen=True)
class Title:
    """How a card or a report names its operation."""

    operation: str
    kind: str
    state: str

    @property
    def ended(self) -> bool:
        """Whether it says that the operation has ended."""
        return self.state in ENDED

    @property
    def waits(self) -> bool:
        """Whether it says that approvals are missing."""
        return self.state.startswith("waits")


@dataclass(frozen=True)
class Seen:
    """A message of the bot, the latest edit applied.

    Attributes:
        chat: where it stands.
        id: the platform's.
        at: when it was said, by the platform's clock, in seconds.
        text: all that can be read on it.
        thread: the message that begins the thread in which it stands.
        choices: what can be pressed.
        numbers: of the console, what presses which choice.
        edits: how often it was edited.
        private: whether one person alone sees it.
        life: of the console, which process said it: which of those that worked, one after the other.
    """

    chat: str
    id: str
    at: float
    text: str
    thread: str | None = None
    choices: frozenset[Choice] = frozenset()
    numbers: Mapping[Choice, int] = field(default_factory=dict)
    edits: int = 0
    private: bool = False
    life: int = 0

    @property
    def title(self) -> Title | None:
        """The operation whose card or report it is; None for any other message."""
        found = _TITLE.search(self.text[:400])
        return Title(found["id"], found["kind"], found["state"]) if found else None

    @property
    def is_card(self) -> bool:
        """Whether it is an operation's card: that says who asked, and a report does not."""
        return self.title is not None and "Asked by" in self.text

    @property
    def is_full(self) -> bool:
        """Whether it answers ``!op``, and stays as it is."""
        return self.is_card and "Asked at" in self.text

    @property
    def is_call(self) -> bool:
        """Whether it calls upon those who can decide, beside a card that could not, as it is an edit."""
        return "where this thread begins" in self.text

    @property
    def is_tick(self) -> bool:
        """Whether it answers what the schedule said."""
        return _TICK.search(self.text) is not None

    @property
    def skipped(self) -> int:
        """How many runs of the schedule it says were skipped."""
        found = _SKIPPED.search(self.text)
        return int(found["count"]) if found else 0

    @property
    def is_clockwork(self) -> bool:
        """Whether nobody but the clock asked for it."""
        return self.is_tick or bool(self.skipped) or self.is_unasked

    @property
    def is_unasked(self) -> bool:
        """Whether the bot tells of a machine by itself, or it is the card of what it asked for by itself, such as the
        end of a machine."""
        if self.title is None:
            return _NOTICE.match(self._first_line) is not None
        return _BY_ITSELF.search(self.text) is not None

    @property
    def came_up(self) -> frozenset[str]:
        """The machines of which it tells their owner that they came up."""
        if self.title is not None or not self.is_unasked or _CAME_UP.search(self._first_line) is None:
            return frozenset()
        return frozenset(re.findall(MACHINE, self.text))

    @property
    def _first_line(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def is_report(self) -> bool:
        """Whether it reports an operation's end."""
        return self.title is not None and self.title.ended and "Asked by" not in self.text


def cards(messages: Iterable[Seen]) -> list[Seen]:
    """The operations' cards among them that follow their operation."""
    return [each for each in messages if each.is_card and not each.is_full]


def console_text(line: Mapping[str, Any]) -> str:
    """All that stands on a card of the console's JSON."""
    parts = [line["title"], line["text"]]
    parts += [f"{each['label']}: {each['value']}" for each in line["fields"]]
    parts += [" ".join(row) for table in line["tables"] for row in table["rows"]]
    return "\n".join([*parts, *line["notes"]])
