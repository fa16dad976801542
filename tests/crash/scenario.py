"""One operation that the bot is killed in: what people have it do, and what must be so in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from tests.crash.clouds import CrashFaults, CrashTiming
from tests.crash.installation import Installation


class CrashTrigger(StrEnum):
    """What is counted until the bot dies."""

    REQUEST = "request"  # to a cloud
    COMMIT = "commit"  # of a transaction, in either of the databases
    LINE = "line"  # of output


@dataclass(frozen=True)
class CrashPoint:
    """Where the bot is killed. ``of``: of requests, those alone that have this in their path are counted."""

    trigger: CrashTrigger
    timing: CrashTiming
    number: int
    of: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, (self.timing, self.trigger, str(self.number), self.of)))


def at_requests(timing: CrashTiming, *numbers: int, of: str = "") -> tuple[CrashPoint, ...]:
    """At these requests to a cloud: of all, or of those with this in their path."""
    return tuple(CrashPoint(CrashTrigger.REQUEST, timing, number, of) for number in numbers)


def at_commits(timing: CrashTiming, *numbers: int) -> tuple[CrashPoint, ...]:
    """At these commits."""
    return tuple(CrashPoint(CrashTrigger.COMMIT, timing, number) for number in numbers)


def after_lines(*numbers: int) -> tuple[CrashPoint, ...]:
    """After these lines of output."""
    return tuple(CrashPoint(CrashTrigger.LINE, CrashTiming.AFTER, number) for number in numbers)


class Scenario(ABC):
    """One operation, from the command to its end. A new one for each crash."""

    kind: ClassVar[str]
    """The kind of operation that it shows, by its name."""

    place: ClassVar[str] = ""
    """The cloud where it is shown once more; empty for where each kind is shown first."""

    shown_by: ClassVar[str] = ""
    """Another scenario, which works alike and is gone through by default in place of this one; empty for none."""

    slow: ClassVar[bool] = False
    """Whether each of its points is left to ``-m slow``, since it waits for something, and other tests show the same
    cut off in one process."""

    approved: ClassVar[bool] = True
    """Whether somebody has to agree."""

    points: ClassVar[tuple[CrashPoint, ...]]
    """Where it is killed: by default at the first (or nowhere, where another scenario shows it), with ``-m slow`` at
    the first of each trigger, with ``--exhaustive`` at all: at every trigger, around each write from all sides."""

    @classmethod
    def name(cls) -> str:
        """What tests call it: ``launch``, ``launch-azure``."""
        return f"{cls.kind}-{cls.place}" if cls.place else cls.kind

    @classmethod
    def asks_clouds(cls) -> bool:
        """Whether it makes requests, so that it can be killed at one."""
        return any(point.trigger is CrashTrigger.REQUEST for point in cls.points)

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.number = next(installation.clouds.numbers)

    @property
    def faults(self) -> CrashFaults:
        """Where its requests go."""
        return self.installation.clouds.azure_faults

    @property
    @abstractmethod
    def command(self) -> str:
        """What alice types."""

    def while_down(self) -> None:  # noqa: B027 - most have nothing to do then
        """What happens between the bot's death and its next start."""

    @abstractmethod
    def check(self) -> None:
        """Fail unless the cloud is as wished, and each effect happened once."""
