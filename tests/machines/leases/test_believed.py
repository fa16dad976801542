"""What the tags of a machine are believed of which nothing is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from slipway.bot.clouds.machine_model import Instance, InstanceState
from slipway.bot.subjects.machines.ending.planner import orphan_due_at
from slipway.bot.subjects.machines.leases.believed import CAP, cap_for, doubtful_cap
from slipway.bot.subjects.machines.leases.settings import LeaseSettings, OrphanRule
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.tags import write_until
from tests.support.clock import NOW

DAY = timedelta(days=1)
SMALL = ProfileSettings(template="small", cap=2 * DAY, max_for=DAY)
LARGE = ProfileSettings(template="large", cap=20 * DAY)
PROFILES = {"small": SMALL, "large": LARGE}
NEVER = NOW + 10_000 * DAY


def machine(
    *, profile: str = "small", cap: datetime | None = None, until: datetime | None = None
) -> Instance:
    """One that runs since NOW."""
    moments = {"slipway:cap": cap, "slipway:until": until}
    tags = {"slipway:profile": profile} | {name: write_until(at) for name, at in moments.items() if at}
    return Instance(
        id="i-0f1e2d3c4b5a69788",
        image_id="ami-1",
        instance_type="t3.small",
        state=InstanceState.RUNNING,
        launched_at=NOW,
        tags=tags,
        cloud="aws",
        region="us-east-1",
    )


@pytest.mark.parametrize(
    ("tagged", "profile", "expected"),
    [
        (NOW + DAY, "small", NOW + DAY),
        (NOW + 3 * DAY, "small", NOW + 2 * DAY),
        (NEVER, "large", NOW + 20 * DAY),
        (NEVER, "renamed", NOW + 20 * DAY),
        (None, "small", NOW + 2 * DAY),
        (None, "renamed", NOW + 20 * DAY),
    ],
)
def test_a_tag_shortens_a_life_and_never_lengthens_it(
    tagged: datetime | None, profile: str, expected: datetime
) -> None:
    assert cap_for(machine(profile=profile, cap=tagged), PROFILES) == expected


def test_without_profiles_a_life_is_as_long_as_a_profile_has_it_by_default() -> None:
    assert cap_for(machine(cap=NEVER), {}) == NOW + CAP
    assert ProfileSettings(template="any").cap == CAP


def test_a_launch_that_is_stored_counts_from_when_it_was() -> None:
    assert cap_for(machine(cap=NEVER), PROFILES, since=NOW - DAY) == NOW + DAY


def test_a_time_that_a_tag_names_without_a_cap_is_believed_no_further() -> None:
    assert cap_for(machine(until=NEVER), PROFILES) == NOW + 2 * DAY


def test_whoever_takes_a_machine_in_reads_that_its_tags_are_not_believed() -> None:
    assert doubtful_cap(machine(cap=NOW + DAY), PROFILES) == ()
    (doubt,) = doubtful_cap(machine(cap=NEVER), PROFILES)
    assert "2026-11-22 12:00 UTC counts" in doubt


def test_no_tag_keeps_a_machine_for_ever_of_which_nothing_is_stored() -> None:
    rules = LeaseSettings(orphans=OrphanRule.TERMINATE, orphans_after=timedelta(hours=5))
    assert orphan_due_at(machine(until=NOW + DAY), rules, PROFILES) == NOW + DAY
    assert orphan_due_at(machine(until=NEVER, cap=NEVER), rules, PROFILES) == NOW + 2 * DAY
    assert orphan_due_at(machine(), rules, PROFILES) == NOW + timedelta(hours=5)
