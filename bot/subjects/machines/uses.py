"""What looking after machines does with which accounts, for the rights that this takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slipway.bot.clouds.rights import Purpose, Use
from slipway.bot.subjects.machines.settings import ProfileSettings

_SPEC = "spec:"


def uses(profiles: Mapping[str, ProfileSettings]) -> Iterator[Use]:
    """By the profiles: without one, nothing is launched."""
    for profile in profiles.values():
        yield Use(profile.cloud, Purpose.LAUNCH)
        if (profile.template or "").startswith(_SPEC):
            yield Use(profile.cloud, Purpose.SPEC)
