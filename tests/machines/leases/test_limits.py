"""How much may be launched, and what is said where it is too much."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from slipway.bot.subjects.machines.leases.limits import (
    LimitReachedError,
    LimitSettings,
    Place,
    RoleLimitSettings,
    Usage,
    Wanted,
    check_limits,
)
from tests.support.clock import NOW
from tests.support.configuration import problems_of, put, valid_document


def place(owner: str, ends_in: float, machines: int = 1, hours: float = 0.0) -> Place:
    ends_at = NOW + timedelta(hours=ends_in)
    return Place(owner, machines, ends_at, hours or machines * ends_in, name=f"aws i-{owner}-{ends_in}")


def wanted(machines: int = 1, hours: float = 1.0, *roles: str) -> Wanted:
    return Wanted("alice", roles, machines, hours)


def refusal(limits: LimitSettings, usage: Usage, ask: Wanted, now: datetime = NOW) -> str:
    with pytest.raises(LimitReachedError) as caught:
        check_limits(limits, usage, ask, now)
    return caught.value.sentence


def test_without_limits_anything_fits() -> None:
    check_limits(LimitSettings(), Usage((place("alice", 5, machines=1000),)), wanted(50, 10_000), NOW)


def test_what_just_fits_is_let_in_and_one_more_is_not() -> None:
    limits = LimitSettings(machines_per_person=3)
    usage = Usage((place("alice", 1), place("alice", 2), place("bob", 3)))
    check_limits(limits, usage, wanted(1), NOW)
    assert refusal(limits, usage, wanted(2)) == (
        "alice may have 3 machines, has 2 now, and 2 more are asked for; the first lease of these ends at "
        f"{NOW + timedelta(hours=1):%Y-%m-%d %H:%M} UTC, and that is enough."
    )


def test_when_enough_frees_is_told_also_where_hours_do_not_add_up_to_the_last_digit() -> None:
    limits = LimitSettings(lease_hours=200)
    usage = Usage(tuple(place("bob", ends_in, hours=66.7) for ends_in in (1, 2, 3)))
    assert refusal(limits, usage, wanted(1, 200.0)).endswith(
        f"and it is enough at {NOW + timedelta(hours=3):%Y-%m-%d %H:%M} UTC."
    )


def test_the_limit_of_all_counts_everybody_and_tells_when_something_and_when_enough_frees() -> None:
    limits = LimitSettings(machines=4)
    usage = Usage((place("bob", 2), place("carol", 1), place("alice", 3, machines=2)))
    assert refusal(limits, usage, wanted(2)) == (
        "All together may have 4 machines, have 4 now, and 2 more are asked for; the first lease of these ends at "
        f"{NOW + timedelta(hours=1):%Y-%m-%d %H:%M} UTC, and it is enough at "
        f"{NOW + timedelta(hours=2):%Y-%m-%d %H:%M} UTC."
    )


def test_lease_hours_count_what_was_granted() -> None:
    limits = LimitSettings(lease_hours_per_person=10)
    usage = Usage((place("alice", 1, hours=7.5),))
    check_limits(limits, usage, wanted(1, 2.5), NOW)
    assert "alice may have 10 lease hours, has 7.5 now, and 3 more are asked for" in refusal(
        limits, usage, wanted(1, 3)
    )


def test_what_is_more_than_the_limit_itself_never_fits() -> None:
    assert refusal(LimitSettings(lease_hours=5), Usage(), wanted(1, 6)) == (
        "All together may have 5 lease hours, have 0 now, and 6 more are asked for: that never fits."
    )


def test_a_lease_that_is_over_frees_now_and_not_in_the_past() -> None:
    said = refusal(LimitSettings(machines=1), Usage((place("bob", -2, hours=1),)), wanted())
    assert f"ends at {NOW:%Y-%m-%d %H:%M} UTC" in said


def test_a_role_replaces_the_general_limit_and_the_most_generous_counts() -> None:
    limits = LimitSettings(
        machines_per_person=5,
        roles={
            "guest": RoleLimitSettings(machines_per_person=1),
            "releng": RoleLimitSettings(machines_per_person=2),
            "night": RoleLimitSettings(lease_hours_per_person=3),
        },
    )
    check_limits(limits, Usage(), wanted(5), NOW)
    check_limits(limits, Usage(), wanted(5, 3, "night"), NOW)  # says nothing of machines
    assert "alice may have 1 machine, has 0 now" in refusal(limits, Usage(), wanted(2, 1, "guest"))
    assert "alice may have 2 machines" in refusal(limits, Usage(), wanted(3, 1, "guest", "releng"))


def test_an_extension_asks_for_hours_alone_and_is_not_kept_by_full_machines() -> None:
    limits = LimitSettings(machines_per_person=1, lease_hours_per_person=4)
    usage = Usage((place("alice", 3),))
    check_limits(limits, usage, wanted(0, 1), NOW)
    assert "lease hours" in refusal(limits, usage, wanted(0, 2))


def test_an_unknown_role_and_a_negative_limit_are_mistakes_of_the_configuration() -> None:
    document = put(valid_document(), "limits.roles.relang.machines_per_person", 2)
    (problem,) = problems_of(document)
    assert problem.startswith('limits.roles.relang: there is no role "relang"; did you mean "releng"?')
    assert problems_of(put(valid_document(), "limits.machines", -1)) == (
        "limits.machines: it is -1; must be at least 0",
    )
