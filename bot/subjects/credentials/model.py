"""A credential as it was found, how it stands, and what it is called: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.clouds.ports.credential_rotation import CLOCKS
from slipway.bot.core.errors import SlipwayError

FAR = timedelta(days=36500)
"""What ends later never does, for anybody who reads of it: some write the year 9999 or 2299 for “never”."""

_SHORT = 8  # signs of an id that stand in a name, unless more are needed to tell two apart


def aged(made: datetime, age: timedelta) -> datetime | None:
    """When something that was made then is so old; None where no calendar has such a day, so that it never is."""
    try:
        return made + age
    except OverflowError:
        return None


class UnreadableError(SlipwayError):
    """A source could not be read; ``sentence`` says which and why, and holds no path and no secret."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class CredentialKind(StrEnum):
    """What sort of thing it is, as people read it."""

    APP_SECRET = "application secret"  # noqa: S105 - a word
    APP_CERTIFICATE = "application certificate"
    ACCESS_KEY = "access key"
    TLS = "TLS certificate"
    CHAT_TOKEN = "chat token"  # noqa: S105 - a word
    DECLARED = "declared"


ROTATED = (CredentialKind.APP_SECRET, CredentialKind.ACCESS_KEY)
"""What Slipway can make, and take away."""


@dataclass(frozen=True)
class LastUse:
    """When a credential was used last; ``at`` None for never, as far as its source knows by now."""

    at: datetime | None


@dataclass(frozen=True)
class Credential:
    """One credential. It holds no secret, and no part of one.

    Attributes:
        key: names it once and for ever, by its source's own ids; equal keys are the same credential.
        entry: the name of the table that it was found by.
        name: what people type: the entry's name, or that and the beginning of the id.
        kind: what sort of thing it is.
        title: what it is, in a few words: ``secret “ci” of uploader``.
        starts_at: from when it counts; None for not known.
        ends_at: until when; None where it has no end, or its source tells none.
        generation: what is another one where its content was replaced under the same key, as a certificate's is.
        by_age: whether the end is no more than what slipway.toml asks of its age: it works on after that.
        active: whether its source accepts it.
        use: when it was used last; None where its source does not tell.
        group: what it logs in to: another one of the same group can take its place. Empty for alone.
        source_id: its source's own id of it, by which it is taken away; empty where it has none.
        holder: who has it, as the source is asked: an application's client id, a user's name. Empty for nobody.
    """

    key: str
    entry: str
    name: str
    kind: CredentialKind
    title: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generation: str = ""
    by_age: bool = False
    active: bool = True
    use: LastUse | None = None
    group: str = ""
    source_id: str = ""
    holder: str = ""

    @property
    def life(self) -> timedelta | None:
        """How long it lives in all; None for not known."""
        if self.starts_at is None or self.ends_at is None or self.ends_at <= self.starts_at:
            return None
        return self.ends_at - self.starts_at

    def begun(self, now: datetime) -> bool:
        """Whether it counts already."""
        return self.starts_at is None or self.starts_at <= now + CLOCKS

    def left(self, now: datetime) -> timedelta | None:
        """How long it has still, less than nothing once it has ended; None for what has no end."""
        if self.ends_at is None or self.ends_at - now > FAR:
            return None
        return self.ends_at - now


@dataclass(frozen=True)
class Reading:
    """What a look at one entry brought.

    Attributes:
        entry: its name.
        found: the credentials; empty where there are none, or they could not be read.
        problem: why they could not be read, as a sentence; empty where they could. What was not read is not gone.
    """

    entry: str
    found: tuple[Credential, ...] = ()
    problem: str = ""


class State(StrEnum):
    """How a credential stands."""

    ENDED = "ended"
    LEFTOVER = "left over"  # it has ended, or counts no more, and another one is in its place
    ENDING = "ending"  # a threshold is reached
    VALID = "valid"
    ENDLESS = "endless"


def successor(credential: Credential, others: Iterable[Credential], now: datetime) -> Credential | None:
    """The one that can take its place: of the same group, accepted, begun, ending later; of several the last one."""
    found = [
        each
        for each in others
        if each.group
        and each.group == credential.group
        and each.key != credential.key
        and each.active
        and each.begun(now)
        and _end(each, now) > max(_end(credential, now), timedelta())
    ]
    return max(found, key=lambda each: (_end(each, now), each.key), default=None)


def _end(credential: Credential, now: datetime) -> timedelta:
    left = credential.left(now)
    return FAR if left is None else left


def soonest_first(credentials: Iterable[Credential], now: datetime) -> list[Credential]:
    """In the order in which they end; what never does stands last, by name."""
    return sorted(credentials, key=lambda each: (_end(each, now), each.name))


def short_ids(ids: Sequence[str], *, from_end: bool = False) -> dict[str, str]:
    """The beginning of each id (or its end, where all begin alike), long enough to tell it from the others."""
    for length in range(_SHORT, max(map(len, ids), default=_SHORT)):
        cut = {each: each[-length:] if from_end else each[:length].rstrip("-") for each in ids}
        if len({each.casefold() for each in cut.values()}) == len(cut):
            return cut
    return {each: each for each in ids}
