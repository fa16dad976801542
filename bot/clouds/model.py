"""What clouds hold, in words common to them; the field's own terms where they exist.

Everything that is found says where: ``cloud`` is the name of the adapter that found it, such as ``azure`` or
``azure.staging``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar, dataclass_transform, overload

T = TypeVar("T")

_NUMBER = r"(?:0|[1-9]\d{0,17})"
_VERSION = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{2,4}}", re.ASCII)

_NOWHERE: frozenset[str] = frozenset()
"""One for all: most versions of a gallery are latest nowhere, and each set costs the collector of cycles."""


@dataclass(frozen=True, order=True, slots=True, init=False)
class VersionNumber:
    """Dotted whole numbers, such as ``43.20261101.0``; compared as integers, never as text.

    A cloud may take fewer such numbers than can be written here; that is its adapter's to say.
    """

    parts: tuple[int, ...]

    def __init__(self, *parts: int) -> None:
        object.__setattr__(self, "parts", parts)

    @classmethod
    def parse(cls, text: str) -> VersionNumber:
        """Read ``40.20240501.0``.

        Raises:
            ValueError: not three to five dotted whole numbers without leading zeros.
        """
        if _VERSION.fullmatch(text) is None:
            raise ValueError(f"“{text}” is not a version; versions look like 40.20240501.0")
        return cls(*map(int, text.split(".")))

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))


class VersionState(StrEnum):
    """How far a cloud is with a version; only what SUCCEEDED may be launched or deleted."""

    CREATING = "Creating"
    UPDATING = "Updating"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    DELETING = "Deleting"
    MIGRATING = "Migrating"
    DISABLED = (
        "Disabled"  # taken out of use before it is removed: nobody can launch it, and it can be brought back
    )
    UNKNOWN = "Unknown"  # in a state that the adapter does not know; `ImageVersion.state_title` has the cloud's word


class ReplicationState(StrEnum):
    """How far a version's copy in a region is."""

    REPLICATING = "replicating"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Replication:
    """A version's copy in a region. ``progress`` is in percent, None where the cloud does not say; ``details`` are
    the cloud's own words, empty where it has none."""

    state: ReplicationState
    progress: int | None = None
    details: str = ""


@dataclass(frozen=True, slots=True)
class TargetRegion:
    """A region a version is replicated to. ``excluded`` is the region's own flag; None leaves it to the version's.

    ``replication`` is None where the cloud was not asked how far the copy is, as in listings, or does not tell.
    """

    name: str
    replicas: int | None = None
    excluded: bool | None = None
    replication: Replication | None = None

    @property
    def present(self) -> bool:
        """Whether the version can be launched from there, as far as is known: a copy that is not complete, or of
        which the cloud does not know how far it is, cannot."""
        return self.replication is None or self.replication.state is ReplicationState.COMPLETED


@dataclass(frozen=True)
class Definition:
    """An image definition: the name under which versions are published, in the cloud of that name.

    ``problem`` says why an entry of the listing cannot be asked for versions, as the rest of a sentence about it;
    ``name`` is then only what to call it. Empty for every other.
    """

    name: str
    architecture: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    cloud: str = field(kw_only=True)
    problem: str = ""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _made_often(described: type[T]) -> type[T]:
    """A dataclass with slots that nobody may change, which is for the type checker to see: Python's own guard takes
    more than half of the time of making one, and a plan makes ten thousand."""
    return dataclass(slots=True)(described)


@_made_often
class ImageVersion:
    """One image of a definition in a cloud.

    ``excluded`` is its own flag that keeps it from being latest, false where the cloud has none set.
    ``kept_until_end_of_life`` says that the cloud refuses to delete it before its end of life, and ``kept_by_us``
    that this Slipway has it so, to protect what is latest. ``own_state`` is the
    cloud's own word, fit for a sentence, for a state that is UNKNOWN here. ``disabled_since`` is the time at which a
    clean-up took it out of use, where it is DISABLED and that was noted. ``superseded`` says that the promotion of a
    newer one set its end of life, and that it gets ``former_end_of_life`` back (None for none) once it is latest
    again. ``logged_as`` is how its cloud's log of changes calls what it consists of, where that does not show from
    its name, in the adapter's own form.
    """

    definition: str
    number: VersionNumber
    excluded: bool
    state: VersionState
    regions: tuple[TargetRegion, ...] = ()
    published_at: datetime | None = None
    end_of_life: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    kept_until_end_of_life: bool = False
    kept_by_us: bool = False
    own_state: str = ""
    disabled_since: datetime | None = None
    superseded: bool = False
    former_end_of_life: datetime | None = None
    logged_as: tuple[str, ...] = ()
    cloud: str = field(kw_only=True)
    _launch_regions: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def state_title(self) -> str:
        """Its state as people read it: in the cloud's own word where it is not known here."""
        return self.own_state or self.state.value

    @property
    def launch_regions(self) -> frozenset[str]:
        """Regions in which this version may be latest: to be replicated there, and not excluded there."""
        found = self._launch_regions
        if found is None:
            names = [
                region.name
                for region in self.regions
                if not (self.excluded if region.excluded is None else region.excluded)
            ]
            found = frozenset(names) if names else _NOWHERE
            object.__setattr__(self, "_launch_regions", found)  # asked for again and again
        return found

    @property
    def latest_regions(self) -> frozenset[str]:
        """Regions in which a launch can resolve to this version: not excluded there, and its copy is there, as far as
        the cloud was asked for that."""
        away = frozenset(region.name for region in self.regions if not region.present)
        return self.launch_regions - away if away else self.launch_regions

    @property
    def promoted(self) -> bool:
        """Whether it may be latest in at least one region."""
        return bool(self.launch_regions)


@dataclass(frozen=True)
class UnreadableVersion:
    """An entry of a listing of versions that is not understood: named, and never changed.

    Attributes:
        name: what the cloud calls it, made fit for a sentence; “an entry without a name” where it has none.
        problem: why, as the rest of a sentence that begins with the name.
    """

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name} {self.problem}"


class VersionListing(Sequence[ImageVersion]):
    """All that a definition has: the versions, as a sequence, and beside them what cannot be read.

    A number that stands among both is in doubt, and so is left to ``unreadable``.
    """

    def __init__(
        self, versions: Sequence[ImageVersion] = (), unreadable: Sequence[UnreadableVersion] = ()
    ) -> None:
        self.unreadable = tuple(unreadable)
        names = {each.name for each in self.unreadable}
        self.versions = tuple(each for each in versions if not names or str(each.number) not in names)

    @classmethod
    def of_pages(cls, pages: Iterable[VersionListing]) -> VersionListing:
        """All pages of a listing as one; what stands on two, since the listing shifted in between, counts once."""
        versions: dict[VersionNumber, ImageVersion] = {}
        unreadable: dict[str, UnreadableVersion] = {}
        for page in pages:
            versions.update((each.number, each) for each in page)
            unreadable.update((each.name, each) for each in page.unreadable)
        return cls(tuple(versions.values()), tuple(unreadable.values()))

    @overload
    def __getitem__(self, index: int) -> ImageVersion: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ImageVersion, ...]: ...
    def __getitem__(self, index: int | slice) -> ImageVersion | tuple[ImageVersion, ...]:
        return self.versions[index]

    def __iter__(self) -> Iterator[ImageVersion]:
        return iter(self.versions)

    def __len__(self) -> int:
        return len(self.versions)


@dataclass(frozen=True)
class Lock:
    """A lock of the cloud's own, which its people put on and take off.

    Attributes:
        name: what they call it.
        definition: the definition that it holds, with all its versions; None for all of them.
        version: the version that it holds, as the cloud writes it; None for all of the definition.
        read_only: whether it forbids every change, and not only deletion.
        ours: whether it is this Slipway's own, put on to protect what is latest.
        cooldown: so long after it is taken off, its cloud still refuses to delete.
        until: when such a time ends, where it was taken off already; None while it is on.
    """

    name: str
    definition: str | None = None
    version: str | None = None
    read_only: bool = False
    ours: bool = False
    cooldown: timedelta = timedelta(0)
    until: datetime | None = None

    def holds(self, definition: str, number: VersionNumber) -> bool:
        """Whether it holds this version. Case does not count in names."""
        if self.definition is not None and self.definition.casefold() != definition.casefold():
            return False
        return self.version in (None, str(number))
