"""Whether those can give codes of whom step-up asks for one."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.config.settings import PersonSettings, SlipwaySettings
from slipway.bot.core.problems import Problem, listing


def shared_secrets(settings: SlipwaySettings) -> Iterator[Problem]:
    """Persons who share one secret: a code of the one would be a code of the other."""
    owners: dict[str, PersonSettings] = {}
    for person in settings.person:
        if person.totp_secret is None:
            continue
        other = owners.setdefault(person.totp_secret.get_secret_value(), person)
        if other is not person:
            said = (
                f"is the secret of {other.id}, too, so that a code of one of them would be the other's; make one "
                f"for each: slipway totp new {person.id}"
            )
            yield Problem(f"person.{person.id}.totp_secret", said)


def without_secret(settings: SlipwaySettings) -> str:
    """The persons who can give no code, for a sentence."""
    return listing(person.id for person in settings.person if person.totp_secret is None)
