"""What a gallery may offer besides: to tell by its cloud's own log who changed a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from slipway.bot.clouds.model import VersionNumber


class VersionEvent(StrEnum):
    """What can happen to a version."""

    PROMOTED = "promoted"
    HIDDEN = "hidden"
    DELETED = "deleted"
    REGIONS = "regions"
    END_OF_LIFE = "end-of-life"
    DISABLED = "disabled"
    ENABLED = "enabled"


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something, as the log has it: text of a stranger's choice, made fit for a line.

    Attributes:
        name: the ARN, or the name by which somebody is signed in.
        through: by what program, such as ``the console``; empty where the log does not say.
        at: when.
    """

    name: str
    through: str
    at: datetime


@runtime_checkable
class NamesAuthors(Protocol):
    """A gallery whose cloud logs who changes its versions. To read that log takes a right of its own."""

    @property
    def log_title(self) -> str:
        """What the log is called, as a part of a sentence, such as ``CloudTrail``."""
        ...

    @property
    def logged_within(self) -> timedelta:
        """How late the log may be."""
        ...

    async def authors(
        self,
        definition: str,
        number: VersionNumber,
        event: VersionEvent,
        ids: Sequence[str],
        during: tuple[datetime, datetime],
    ) -> tuple[Author, ...]:
        """Who did that to a version between two moments, the newest first, each once; none where the log names nobody
        (yet).

        Args:
            definition: whose version it is.
            number: which.
            event: what was done.
            ids: the version's :attr:`slipway.bot.clouds.model.ImageVersion.logged_as`, as it was seen last.
            during: from when to when.

        Raises:
            CloudError: the log cannot be read; REFUSED where the right to do so is missing.
        """
        ...

    async def try_log(self) -> None:
        """Read something of the log, to see whether that works.

        Raises:
            CloudError: it cannot be read.
        """
        ...
