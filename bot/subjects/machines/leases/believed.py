"""What a machine's tags are believed of its time, where nothing is stored of it. Pure.

Whoever may write tags in a cloud may write any moment into them. So a tag can shorten a life and never lengthen it:
none is longer than its profile's ``cap`` from the launch on, or, where the profile is not known, than the longest
``cap`` of all that are configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from slipway.bot.clouds.machine_model import Instance
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.tags import cap_of, profile_of, until_of

CAP = timedelta(days=7)
"""The longest whole life of a machine where there are no profiles at all: what a profile has by default."""

_FOR = timedelta(hours=3)


def longest_life(instance: Instance, profiles: Mapping[str, ProfileSettings]) -> timedelta:
    """How long a machine may live at most, from its launch on."""
    profile = profiles.get(profile_of(instance))
    if profile is not None:
        return profile.cap
    return max((each.cap for each in profiles.values()), default=CAP)


def cap_for(
    instance: Instance, profiles: Mapping[str, ProfileSettings], *, since: datetime | None = None
) -> datetime:
    """The end of a machine's whole life: what its tags say, and never more than :func:`longest_life`.

    Machines of former versions carry no cap, and live as long as that.

    Args:
        instance: the machine.
        profiles: ``[profiles.NAME]``.
        since: when it was launched, where that is stored; without, what its cloud says.
    """
    longest = (since or instance.launched_at) + longest_life(instance, profiles)
    return min(cap_of(instance) or longest, longest)


def doubtful_cap(instance: Instance, profiles: Mapping[str, ProfileSettings]) -> tuple[str, ...]:
    """A sentence where a machine's tags give it a longer life than counts."""
    tagged, cap = cap_of(instance), cap_for(instance, profiles)
    if tagged is None or tagged <= cap:
        return ()
    whose = "its profile" if profile_of(instance) in profiles else "any profile"
    said = f"Its tags say that its whole life ends at {tagged:%Y-%m-%d %H:%M} UTC."
    return (f"{said} That is longer than {whose} allows, so {cap:%Y-%m-%d %H:%M} UTC counts.",)


def default_end(instance: Instance, profiles: Mapping[str, ProfileSettings], now: datetime) -> datetime:
    """Until when a machine is to live of whose lease only its tags tell; as by its profile where these do not."""
    profile = profiles.get(profile_of(instance))
    fresh = now.replace(microsecond=0) + (profile.default_for if profile is not None else _FOR)
    return until_of(instance) or fresh
