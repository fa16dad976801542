"""Policies that too few people can meet, for `slipway check` and `slipway doctor`."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.problems import Problem
from slipway.bot.declared import Declarations
from slipway.bot.operations.policy_reach import Unmet, unmet
from slipway.bot.people import People, Person


def unmet_policies(settings: SlipwaySettings, declarations: Declarations) -> Iterator[Problem]:
    """A problem for each policy that waits in vain for some who may ask, by the configuration alone."""
    for each in unmet_among(settings, declarations):
        yield Problem(each.key, " ".join(filter(None, (each.what, each.detail))))


def unmet_among(settings: SlipwaySettings, declarations: Declarations) -> tuple[Unmet, ...]:
    """Those policies. Who is in user groups of platforms is not known here."""
    platforms = {chat.platform for chat in declarations.enabled_chats(settings)}

    def reachable(person: Person) -> bool:
        return any(each.platform in platforms for each in person.identities)

    people = People(settings, {chat.platform: chat.group_key for chat in declarations.chats})
    wanted = {kind.name for kind in declarations.spec.kinds if kind.wanted(settings)}
    kinds = (kind for kind in declarations.registry.kinds.values() if kind.name in wanted)
    return unmet(kinds, settings.policy, people, reachable)
