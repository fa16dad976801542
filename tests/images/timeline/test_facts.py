"""What a timeline holds, and how it reads in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from slipway.bot.clouds.model import Replication, ReplicationState, TargetRegion, VersionState
from slipway.bot.subjects.images.timeline.facts import Mark, timeline_of
from slipway.bot.subjects.images.timeline.words import LONGEST, in_words
from tests.images.builders import candidates, promoted, version
from tests.support.azure import X64
from tests.support.clock import NOW

DAY = timedelta(days=1)
VERSIONS = (
    version("43.5.0", published=NOW - DAY, regions=("eastus",)),
    version("43.4.0", published=NOW - 2 * DAY),
    version("43.3.0", published=NOW - 3 * DAY, state=VersionState.FAILED),
    promoted("43.2.0", published=NOW - 9 * DAY, regions={"eastus": None, "westus": True}),
    promoted("43.1.0", published=NOW - 20 * DAY, ends=NOW - DAY),
    promoted("43.0.0", published=NOW - 30 * DAY),
)


def test_each_version_is_what_it_is_in_launches_and_holds_and_ends_come_beside_it() -> None:
    found = timeline_of(X64, VERSIONS[::-1], NOW, rolled_back={"43.4.0"}, held={"43.4.0", "43.1.0"})
    told = [(each.version, each.mark, each.held, each.ended) for each in found.entries]
    assert told == [
        ("43.5.0", Mark.CANDIDATE, False, False),
        ("43.4.0", Mark.ROLLED_BACK, True, False),
        ("43.3.0", Mark.UNFIT, False, False),
        ("43.2.0", Mark.LATEST, False, False),
        ("43.1.0", Mark.LATEST, True, True),
        ("43.0.0", Mark.PROMOTED, False, False),
    ]
    assert [each.regions for each in found.entries] == [1, 2, 2, 2, 2, 2]
    assert [each.latest_in for each in found.entries] == [0, 0, 0, 1, 1, 0]
    assert found.regions == 2


def test_what_is_latest_is_shown_however_many_are_newer() -> None:
    found = timeline_of(X64, (promoted("43.0.0"), *candidates(50)), NOW, most=10)
    assert [each.version for each in found.entries] == [*(f"43.{n}.0" for n in range(50, 40, -1)), "43.0.0"]
    assert found.left_out == 40
    assert "40 older ones are not shown" in in_words(found)


def test_the_words_say_what_the_picture_shows() -> None:
    found = timeline_of(X64, VERSIONS, NOW, rolled_back={"43.4.0"}, held={"43.4.0"}, bad={"43.0.0"})
    assert in_words(found) == (
        "Timeline of Fedora-Cloud-43-x64: 6 versions, published 2026-10-21 to 2026-11-19. "
        "Latest: 43.2.0 in 1 of 2 regions and 43.1.0 in 1 of 2 regions. Promoted: 43.0.0. Candidate: 43.5.0. "
        "Rolled back: 43.4.0. Failed or in progress: 43.3.0. Held: 43.4.0. Called bad: 43.0.0. Ended: 43.1.0. "
        "Not in all 2 regions: 43.5.0 in 1."
    )


def test_a_region_whose_copy_is_not_complete_does_not_count() -> None:
    halves = (
        TargetRegion("eastus", replication=Replication(ReplicationState.COMPLETED)),
        TargetRegion("westus", replication=Replication(ReplicationState.REPLICATING, 40)),
    )
    found = timeline_of(X64, (replace(promoted("43.1.0"), regions=halves),), NOW)
    assert [(each.regions, each.latest_in) for each in found.entries] == [(1, 1)]
    assert "Not in all 2 regions: 43.1.0 in 1." in in_words(found)


def test_nothing_is_said_of_what_there_is_not() -> None:
    assert in_words(timeline_of(X64, (), NOW)) == "Fedora-Cloud-43-x64 has no versions."
    assert in_words(timeline_of(X64, (version("43.1.0"),), NOW)) == (
        "Timeline of Fedora-Cloud-43-x64: 1 version. None is latest in any region. Candidate: 43.1.0."
    )


def test_words_are_never_longer_than_a_platform_takes() -> None:
    long = [promoted(f"{'9' * 17}.{'8' * 17}.{number}{'7' * 14}", ends=NOW - DAY) for number in range(1, 9)]
    told = in_words(timeline_of("x" * 400, long, NOW, held={str(each.number) for each in long}))
    assert len(told) == LONGEST
    assert told.endswith("…")
