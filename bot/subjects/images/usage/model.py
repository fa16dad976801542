"""What uses the versions of a cloud, as of a moment: pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_usage import ImageUse
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.versions import latest_by_region, newest_latest, promoted_by_region

InUse = Callable[[ImageVersion], str]
"""What uses a version, as the end of "in use by"; empty where nothing does."""

_SHOWN = 2
"""So many users of a version are named; one is enough to keep it."""


@dataclass(frozen=True)
class Usage:
    """What uses the versions of a cloud.

    Attributes:
        by_version: what uses a version, by its definition in small letters and its number; None for what follows the
            one that is latest.
        problem: why it is not known what is in use, as a sentence; empty where it is.
    """

    by_version: dict[tuple[str, VersionNumber | None], tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""

    @classmethod
    def of(cls, uses: Iterable[ImageUse]) -> Usage:
        """What these say together; in whichever order, the same."""
        found: dict[tuple[str, VersionNumber | None], set[str]] = {}
        for each in uses:
            found.setdefault((each.definition.casefold(), each.number), set()).add(each.by)
        return cls({key: tuple(sorted(by)) for key, by in found.items()})

    def follows_latest(self, definition: str) -> bool:
        """Whether anything uses whatever is latest of a definition."""
        return (definition.casefold(), None) in self.by_version

    def among(self, versions: Collection[ImageVersion]) -> InUse:
        """What uses each of these, which are all versions of one definition: that decides which are latest."""
        latest: frozenset[VersionNumber] = frozenset()
        if any(self.follows_latest(name) for name in {each.definition for each in versions}):
            latest = _perhaps_latest(versions)
        return lambda version: self.words(version, latest=version.number in latest)

    def words(self, version: ImageVersion, *, latest: bool) -> str:
        """What uses a version, as the end of "in use by"; empty where nothing does."""
        folded = version.definition.casefold()
        by = [*self.by_version.get((folded, version.number), ())]
        by += self.by_version.get((folded, None), ()) if latest else ()
        return join_names(by, _SHOWN) if by else ""


def _perhaps_latest(versions: Collection[ImageVersion]) -> frozenset[VersionNumber]:
    """What is latest, and what would be if one that did not succeed, or is not copied everywhere, does not launch."""
    found: set[VersionNumber] = set()
    for pool in (versions, [each for each in versions if each.state is VersionState.SUCCEEDED]):
        for by_region in (latest_by_region(pool), promoted_by_region(pool)):
            found.update(each.number for each in by_region.values())
        newest = newest_latest(pool)
        found.update(() if newest is None else (newest.number,))
    return frozenset(found)


NOTHING_USED = Usage()
"""Where nothing is in use, or the cloud does not tell."""
