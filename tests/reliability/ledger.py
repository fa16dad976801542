"""What people did in an episode, as they would tell it themselves."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from slipway.bot.chat.model import Choice
from tests.reliability.rooms.room import Said


class Act(StrEnum):
    """What somebody did."""

    ORDER = "order"
    QUESTION = "question"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"

    @classmethod
    def of(cls, choice: Choice) -> Act:
        """To press this."""
        return cls.APPROVE if choice is Choice.APPROVE else cls.REJECT


@dataclass
class Entry:
    """One thing that somebody did.

    Attributes:
        act: what.
        who: whoever did it.
        chat: where.
        text: the line; empty for a press.
        said: what the platform says of it.
        thread: the thread in which a line was said, that of its own; None in the room itself.
        operation: the operation that they named, or whose card they pressed.
        word: what a right answer has to hold; empty where nothing is known of it.
        reply: whether it was said in the thread of that operation's card.
        taken_back: whether they took it back later.
        moment: seconds of the driver's monotonic clock.
    """

    act: Act
    who: str
    chat: str
    text: str
    said: Said
    thread: str | None = None
    operation: str | None = None
    word: str = ""
    reply: bool = False
    taken_back: bool = False
    moment: float = field(default_factory=time.monotonic)

    @property
    def typed(self) -> bool:
        """Whether it was said in words."""
        return bool(self.text)

    def __str__(self) -> str:
        if self.reply:
            return f"{self.who} in {self.chat}, in the thread of {self.operation}: {self.text}"
        how = self.text or f"pressed {self.act} on {self.operation}"
        return f"{self.who} in {self.chat}{' (topic)' if self.thread else ''}: {how}"


@dataclass
class Ledger:
    """All of it, and how often what else happened; the journal is in ``file``, too, as it grows.

    ``undermined`` are the promotions that nobody had agreed to when a newer version was made latest.
    """

    entries: list[Entry] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    journal: list[str] = field(default_factory=list)
    undermined: set[str] = field(default_factory=set)
    file: Path | None = None
    began: float = field(default_factory=time.monotonic)

    def note(self, entry: Entry) -> None:
        """Somebody did something."""
        self.entries.append(entry)
        self.tell(str(entry))

    def tell(self, what: str) -> None:
        """For whoever reads the journal of a failure."""
        self.journal.append(f"{time.monotonic() - self.began:8.2f} {what}")
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as journal:
                journal.write(f"{self.journal[-1]}\n")
