"""Under which terms a profile launches: who may, for how long, how many, and when somebody has to agree. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_duration
from slipway.bot.people import Person
from slipway.bot.subjects.machines.settings import Override, ProfileSettings

MOST_AT_ONCE = 50
"""How many machines one launch may ask for, whoever agrees."""


def may_use(person: Person | None, profile: ProfileSettings) -> bool:
    """Whether somebody may launch by a profile, beside the right to launch."""
    if not profile.may:
        return True
    return person is not None and (
        person.id in profile.may or any(role in profile.may for role in person.roles)
    )


def check_may_use(
    person: Person | None, requester: str, name: str, profiles: Mapping[str, ProfileSettings]
) -> None:
    """Raise UserError where somebody may not launch by a profile; names those that they may."""
    if may_use(person, profiles[name]):
        return
    own = [other for other, profile in profiles.items() if may_use(person, profile)]
    instead = f"you may use {' and '.join(own)}" if own else "there is none that you may use"
    raise UserError(
        f"Profile {name} is for {' and '.join(profiles[name].may)}, and not for {requester}; {instead}.",
        nearest=tuple(own[:3]),
        given=name,
        hint="profiles",
    )


def check_count(count: int) -> None:
    """Raise UserError where no approval lets anybody launch so many machines at a time."""
    if not 1 <= count <= MOST_AT_ONCE:
        raise UserError(f"A launch makes 1 to {MOST_AT_ONCE} machines, not {count}.", hint="profiles")


def lifetime_of(seconds: int | None, name: str, profile: ProfileSettings) -> timedelta:
    """How long machines of a profile live if so many seconds are asked for; None is the profile's default.

    Raises:
        UserError: longer than the whole life that the profile allows, or no time at all.
    """
    if seconds is None:
        return min(profile.default_for, profile.max_for, profile.cap)
    lifetime = timedelta(seconds=seconds)
    if lifetime <= timedelta():
        raise UserError(f"A machine cannot live for {format_duration(lifetime)}.", hint="help launch")
    if lifetime > profile.cap:
        raise UserError(
            f"Machines of profile {name} live for at most {format_duration(profile.cap)}, "
            f"not {format_duration(lifetime)}.",
            hint="profiles",
        )
    return lifetime


def region_of(wanted: str | None, name: str, profile: ProfileSettings) -> str:
    """Where to launch; empty for the account's own region.

    Raises:
        UserError: the profile does not launch there.
    """
    if wanted is None:
        return profile.regions[0] if profile.regions else ""
    if wanted not in profile.regions:
        there = " and ".join(profile.regions)
        where = f"launches in {there}" if there else "names no regions to choose from"
        raise UserError(
            f"Profile {name} {where}, and not in {wanted}.",
            nearest=nearest(wanted, profile.regions),
            given=wanted,
            hint="profiles",
        )
    return wanted


def check_override(instance_type: str | None, name: str, profile: ProfileSettings) -> None:
    """Raise UserError where a profile does not let people choose the type of a machine."""
    if instance_type is not None and Override.TYPE not in profile.overrides:
        raise UserError(
            f"Profile {name} fixes the type of its machines; leave `--type` out, or take another profile.",
            hint="profiles",
        )


def reasons_to_ask(count: int, lifetime: timedelta, name: str, profile: ProfileSettings) -> Iterator[str]:
    """Why somebody has to agree although nobody would otherwise, a sentence each."""
    if not profile.standing_approval:
        yield f"Profile {name} asks for an approval at each launch."
    if count > profile.max_count:
        most = "1 machine" if profile.max_count == 1 else f"{profile.max_count} machines"
        yield f"Profile {name} launches {most} at a time without asking, and {count} are asked for."
    if lifetime > profile.max_for:
        yield (
            f"Profile {name} launches for {format_duration(profile.max_for)} without asking, and "
            f"{format_duration(lifetime)} are asked for."
        )
