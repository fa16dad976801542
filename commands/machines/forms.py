"""What a form for launching machines offers, for platforms that have forms, and the command line it makes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from slipway.bot.config.settings import ProfileSettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.times import format_duration
from slipway.bot.machines.launch import check_count, lifetime_of
from slipway.commands.dispatch.context import Services
from slipway.commands.grammar.values import DURATION
from slipway.commands.machines.launch import COUNT

MOST_IMAGES = 100
"""As many choices as a Slack menu may have; the newest images come first."""


@dataclass(frozen=True)
class ProfileChoice:
    """A profile and its limits, in words."""

    name: str
    description: str
    max_count: int
    default_for: str  # a duration as it is typed
    max_for: str


@dataclass(frozen=True)
class LaunchForm:
    """What can be chosen."""

    images: tuple[str, ...]
    profiles: tuple[ProfileChoice, ...]


async def launch_form(services: Services) -> LaunchForm:
    """The choices as things stand.

    Raises:
        Mistake: no machines can be launched here.
        CloudError: the images cannot be listed.
    """
    images = sorted(
        await services.machines.images(), key=lambda each: (str(each.created_at), each.name), reverse=True
    )
    usable = [each.name for each in images if each.state == "available" and each.name]
    profiles = tuple(
        ProfileChoice(
            name=name,
            description=profile.description,
            max_count=profile.max_count,
            default_for=format_duration(profile.default_for),
            max_for=format_duration(profile.max_for),
        )
        for name, profile in services.settings.profiles.items()
    )
    return LaunchForm(tuple(dict.fromkeys(usable))[:MOST_IMAGES], profiles)


def launch_line(*, image: str, profile: str, duration: str, count: str) -> str:
    """The command line for a filled form; the door reads it as it reads any other."""
    words = ["launch", image]
    for option, value in (("--profile", profile), ("--for", duration), ("--count", count)):
        if value:
            words += [option, value]
    return shlex.join(words)


def launch_mistakes(
    profiles: Mapping[str, ProfileSettings], *, profile: str, duration: str, count: str
) -> dict[str, str]:
    """What is wrong with a filled form, by field, as far as it shows without asking a cloud.

    So that it can be mended where it was typed. The command itself asks all of it again.
    """
    chosen = profiles.get(profile)
    wrong: dict[str, str] = {}
    try:
        lifetime = DURATION.read(duration) if duration else None
        if chosen is not None:
            lifetime_of(_seconds(lifetime), profile, chosen)
    except (ValueError, UserError) as error:
        wrong["duration"] = str(error)
    try:
        number = COUNT.read(count) if count else 1
        if chosen is not None:
            check_count(number, profile, chosen)
    except (ValueError, UserError) as error:
        wrong["count"] = str(error)
    return wrong


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())
