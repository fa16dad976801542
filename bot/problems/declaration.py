"""How a subject declares what may be wrong with what it looks after."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from slipway.bot.core.declared_fields import Declaration, check_callables, check_text, check_type
from slipway.bot.core.errors import DeclarationError
from slipway.bot.problems.model import Look

ServicesT = TypeVar("ServicesT")

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_MINUTE = timedelta(minutes=1)


def always(_services: object) -> bool:
    """Wanted in every configuration."""
    return True


@dataclass(frozen=True)
class ProblemSource(Declaration, Generic[ServicesT]):
    """Something that may be wrong, looked at again and again.

    Attributes:
        name: identifies it, as a part of what is stored: it stays.
        title: what it looks at, in a word or two: ``images``, ``the chats``.
        look: says what is wrong now, of all that it looks at; what it cannot look at it says, too. It is given the
            running bot's services. What it raises is taken for a look that was not possible.
        every: how often it looks.
        patience: how long looks may be impossible before that is a problem of its own.
        tells: whether the room is told what it finds; not where the subject tells of it itself: then it stands in the
            list alone.
        wanted: whether there is anything to look at in a configuration; where there is not, its entries are closed.
    """

    name: str
    title: str
    look: Callable[[ServicesT], Awaitable[Look]]
    every: timedelta = _MINUTE
    patience: timedelta = timedelta(hours=1)
    tells: bool = True
    wanted: Callable[[ServicesT], bool] = always

    def __post_init__(self) -> None:
        check_text("A source of problems", "name", self.name)
        if _NAME.fullmatch(self.name) is None:
            raise DeclarationError(
                f"A source of problems cannot be called {self.name!r}: use lower case and hyphens."
            )
        owner = f"The source of problems {self.name}"
        check_text(owner, "title", self.title)
        if not self.title:
            raise DeclarationError(f"{owner} lacks a title.")
        check_callables(owner, self, ("look", "wanted"))
        check_type(owner, "every", self.every, timedelta, "a duration")
        check_type(owner, "patience", self.patience, timedelta, "a duration")
        if self.every < _MINUTE:
            raise DeclarationError(f"{owner} cannot look more often than once a minute.")
