"""How a subject declares what it adds to reports."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from slipway.bot.chat.pictures import Picture
from slipway.bot.core.declared_fields import Declaration, check_callables, check_text, check_tuple
from slipway.bot.core.errors import DeclarationError
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section

ServicesT = TypeVar("ServicesT")
SnapshotT = TypeVar("SnapshotT")

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)


def always(_services: object) -> bool:
    """Wanted in every configuration."""
    return True


@dataclass(frozen=True)
class ReportSection(Declaration, Generic[ServicesT, SnapshotT]):
    """What a subject adds to some of the reports.

    Attributes:
        name: identifies it.
        title: its heading, in a word or two: ``Machines``.
        reports: in which it stands.
        look: sees how things are; the only part that asks anybody. It is given the running bot's services. What it
            raises is told in the section's place.
        tell: puts what was seen into words; pure. None where there is nothing to say.
        draw: pictures of what was seen; None where there are none to draw.
        wanted: whether there is anything to look at in a configuration.
    """

    name: str
    title: str
    reports: tuple[ReportKind, ...]
    look: Callable[[ServicesT, Period], Awaitable[SnapshotT]]
    tell: Callable[[SnapshotT, ReportView], Section | None]
    draw: Callable[[ServicesT, SnapshotT], Awaitable[tuple[Picture, ...]]] | None = None
    wanted: Callable[[ServicesT], bool] = always

    def __post_init__(self) -> None:
        check_text("A section of a report", "name", self.name)
        if _NAME.fullmatch(self.name) is None:
            raise DeclarationError(
                f"A section of a report cannot be called {self.name!r}: use lower case and hyphens."
            )
        owner = f"The section {self.name} of a report"
        check_text(owner, "title", self.title)
        if not self.title:
            raise DeclarationError(f"{owner} lacks a title.")
        check_tuple(owner, "reports", self.reports, ReportKind)
        if not self.reports:
            raise DeclarationError(f"{owner} stands in no report.")
        drawn = () if self.draw is None else ("draw",)
        check_callables(owner, self, ("look", "tell", "wanted", *drawn))
