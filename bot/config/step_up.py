"""Whether those can give codes of whom policies ask for one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from slipway.bot.config.policies.defaults import holders
from slipway.bot.config.settings import PersonSettings, SlipwaySettings
from slipway.bot.config.spec import ConfigSpec
from slipway.bot.core.problems import Problem, listing

_MAKE_ONE = "`slipway totp new PERSON` makes a secret"


@dataclass(frozen=True)
class _Asked:
    """Those of a role of whom a table or rule asks for approvals with a code."""

    key: str
    approvals: int
    able: list[PersonSettings]
    unable: list[PersonSettings]


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


def too_few_with_secrets(
    spec: ConfigSpec, settings: SlipwaySettings, written: Collection[str]
) -> Iterator[Problem]:
    """Tables and rules that ask for more approvals with a code than there are people who can give one.

    Args:
        spec: the kinds there are.
        settings: with a policy for every kind.
        written: the kinds that slipway.toml itself speaks of.
    """
    for asked in _asked(spec, settings, written):
        if len(asked.able) < asked.approvals:
            who = _names(asked.able) or "nobody"
            yield Problem(
                f"{asked.key}.step_up",
                f"asks for {asked.approvals} with a code, and of those who could approve ({_names(asked.unable)} "
                f"without a secret) {who} can give one; {_MAKE_ONE}",
            )


def without_secrets(
    spec: ConfigSpec, settings: SlipwaySettings, written: Collection[str]
) -> Iterator[Problem]:
    """Tables and rules whose approvals take a code that some of those could not give whose approval would count."""
    for asked in _asked(spec, settings, written):
        if asked.unable and len(asked.able) >= asked.approvals:
            said = f"{_names(asked.unable)} cannot approve: they have no totp_secret_file; {_MAKE_ONE}"
            yield Problem(f"{asked.key}.step_up", said)


def _asked(spec: ConfigSpec, settings: SlipwaySettings, written: Collection[str]) -> Iterator[_Asked]:
    for kind in spec.kinds:
        if kind.name not in written:
            continue
        for place, policy in settings.policy[kind.name].everywhere():
            roles = {policy.role: policy.approvals, **policy.also}
            for role, approvals in roles.items() if policy.step_up else ():
                each = holders(settings, kind, role)
                able = [person for person in each if person.totp_secret is not None]
                unable = [person for person in each if person.totp_secret is None]
                yield _Asked(f"policy.{kind.name}{place}", approvals, able, unable)


def _names(persons: list[PersonSettings]) -> str:
    return listing((person.id for person in persons), "")
