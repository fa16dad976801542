"""Fedora's gallery as it might stand today: seed data for the demo, for tests and for benchmarks.

Names, flags and tags follow Fedora's uploader (definition ``Fedora-Cloud-43-x64``, version
``<release>.<compose date>.<respin>``; a candidate is excluded from latest until somebody promotes it). All of
it is made from the given moment alone, so the same moment always gives the same gallery.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from slipway.bot.clouds.simulated.azure.seed import Seed, SeedDefinition, SeedRegion, SeedVersion

REGIONS = ("eastus", "westeurope", "southeastasia")
"""The first one is where images are uploaded to, and so must be among the target regions."""

_RAWHIDE = 45  # Rawhide's versions begin with the release it will become


class Flag(Enum):
    """How ``excludeFromLatest`` stands on a seeded version."""

    CANDIDATE = True
    PROMOTED = False
    UNSET = None  # never sent: Azure shows false


def fedora_gallery(now: datetime) -> Seed:
    """The gallery “Fedora” as it might stand at ``now``.

    Every definition of a living release has a newest candidate above latest, at least two promoted versions,
    and something for a clean-up to take. What is particular:

    - Fedora-Cloud-43-x64: nine candidates, a promoted version whose life ended, one whose flag was
      never set, a Failed one, one protected by the tag ``delete=never``.
    - Fedora-Cloud-43-Arm64: one version belongs to ``fedora-coreos``; the promoted one is kept out of
      southeastasia by the region's own flag.
    - Fedora-Cloud-42-*: lives that end soon, and some that ended.
    - Fedora-Cloud-Rawhide-*: more than seven versions, whatever the flag; no ends of life on some.
    - Fedora-Cloud-41-x64: an ended release; every life is over.
    """
    return Seed(
        (
            _release_43_x64(now),
            _release_43_arm64(now),
            _release_42("x64", now),
            _release_42("Arm64", now),
            _rawhide("x64", now),
            _rawhide("Arm64", now),
            _release_41(now),
        )
    )


def many(definitions: int, versions_each: int, now: datetime, candidates: int = 0) -> Seed:
    """A large gallery for benchmarks: so many definitions with so many versions, two of each promoted, below so many
    candidates."""
    return Seed(
        tuple(
            SeedDefinition(
                f"Fedora-Cloud-{release}-x64",
                "x64",
                tuple(
                    _version(
                        release,
                        day,
                        Flag.PROMOTED if day - candidates in (1, 2) else Flag.CANDIDATE,
                        now,
                        life=timedelta(days=395),
                    )
                    for day in range(versions_each, 0, -1)
                ),
            )
            for release in range(1000, 1000 + definitions)
        )
    )


def _release_43_x64(now: datetime) -> SeedDefinition:
    life = timedelta(days=395)
    versions = [
        _version(43, 70, Flag.PROMOTED, now, life=timedelta(days=60)),
        _version(43, 56, Flag.UNSET, now, life=life),
        replace(
            _version(43, 49, Flag.CANDIDATE, now, life=life),
            tags=_tags(43, {"delete": "never", "reason": "reference for a bug report"}),
        ),
        *(_version(43, day, Flag.CANDIDATE, now, life=life) for day in (42, 35, 28, 21)),
        _version(43, 14, Flag.PROMOTED, now, life=life),
        _version(43, 9, Flag.PROMOTED, now, life=life),
        *(_version(43, day, Flag.CANDIDATE, now, life=life) for day in (6, 5, 4)),
        replace(_version(43, 3, Flag.CANDIDATE, now, life=life), state="Failed"),
        _version(43, 2, Flag.CANDIDATE, now, life=life),
    ]
    return SeedDefinition("Fedora-Cloud-43-x64", "x64", tuple(versions))


def _release_43_arm64(now: datetime) -> SeedDefinition:
    life = timedelta(days=395)
    kept_out = tuple(
        SeedRegion(name, excluded=name == "southeastasia" or None, replicas=2) for name in REGIONS
    )
    versions = [
        replace(
            _version(43, 90, Flag.CANDIDATE, now, life=timedelta(days=30)),
            tags={"owner": "fedora-coreos", "stream": "stable"},
        ),
        _version(43, 60, Flag.CANDIDATE, now, life=timedelta(days=45)),
        *(_version(43, day, Flag.CANDIDATE, now, life=life) for day in (40, 34, 27, 20)),
        _version(43, 16, Flag.PROMOTED, now, life=life),
        replace(_version(43, 9, Flag.PROMOTED, now, life=life), regions=kept_out),
        *(_version(43, day, Flag.CANDIDATE, now, life=life) for day in (7, 6, 3, 2)),
    ]
    return SeedDefinition("Fedora-Cloud-43-Arm64", "Arm64", tuple(versions))


def _release_42(architecture: str, now: datetime) -> SeedDefinition:
    versions = [
        _version(42, 120, Flag.PROMOTED, now, life=timedelta(days=100)),
        _version(42, 110, Flag.CANDIDATE, now, life=timedelta(days=100)),
        _version(42, 62, Flag.PROMOTED, now, life=timedelta(days=90)),
        _version(42, 48, Flag.PROMOTED, now, life=timedelta(days=90)),
        _version(42, 10, Flag.CANDIDATE, now, life=timedelta(days=90)),
        _version(42, 3, Flag.CANDIDATE, now, life=timedelta(days=90)),
    ]
    return SeedDefinition(f"Fedora-Cloud-42-{architecture}", architecture, tuple(versions))


def _rawhide(architecture: str, now: datetime) -> SeedDefinition:
    promoted = (8, 5)
    versions = [
        _version(
            _RAWHIDE,
            day,
            Flag.PROMOTED if day in promoted else Flag.CANDIDATE,
            now,
            life=None if day % 3 == 0 else timedelta(days=30),
        )
        for day in range(11, 0, -1)
    ]
    return SeedDefinition(f"Fedora-Cloud-Rawhide-{architecture}", architecture, tuple(versions))


def _release_41(now: datetime) -> SeedDefinition:
    versions = [
        _version(41, 400, Flag.PROMOTED, now, life=timedelta(days=300)),
        _version(41, 260, Flag.PROMOTED, now, life=timedelta(days=200)),
        _version(41, 200, Flag.CANDIDATE, now, life=timedelta(days=140)),
    ]
    return SeedDefinition("Fedora-Cloud-41-x64", "x64", tuple(versions))


def _version(
    release: int, days_old: int, flag: Flag, now: datetime, *, life: timedelta | None
) -> SeedVersion:
    """A healthy version of a compose so many days ago; ``life`` counts from its publication."""
    composed = now - timedelta(days=days_old)
    published = composed.replace(hour=6, minute=12, second=0, microsecond=0)
    return SeedVersion(
        name=f"{release}.{composed:%Y%m%d}.0",
        published_at=published,
        excluded=flag.value,
        regions=tuple(SeedRegion(name) for name in REGIONS),
        end_of_life=None if life is None else published + life,
        tags=_tags(release, {}),
    )


def _tags(release: int, more: dict[str, str]) -> dict[str, str]:
    return {"owner": "fedora-cloud", "release": str(release), **more}
