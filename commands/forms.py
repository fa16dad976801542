"""What a form for launching machines offers, for platforms that have forms, and the command line it makes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from bot.times import format_duration
from commands.call import Services

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
