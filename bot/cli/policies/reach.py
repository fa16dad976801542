"""Policies that too few people can meet, for `slipway check` and `slipway doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slipway.bot.chat.model import Platform
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.declared import Declarations
from slipway.bot.operations.policy_reach import Unmet, unmet
from slipway.bot.people import Identity, People, Person

WHAT = "approvals"
"""How the look of `slipway doctor` is called."""

Members = Mapping[Platform, frozenset[str]]
"""The accounts in the bot's rooms, by platform, as far as that could be asked."""


def unmet_policies(settings: SlipwaySettings, declarations: Declarations) -> Iterator[Problem]:
    """A problem for each policy that waits in vain for some who may ask, by the configuration alone."""
    for each in _unmet(settings, declarations, {}):
        yield Problem(each.key, " ".join(filter(None, (each.what, each.detail))))


async def look_at_approvals(settings: SlipwaySettings, declarations: Declarations) -> Finding:
    """The same by those who are in the bot's rooms, as far as their platforms say."""
    members, unknown = await _members(settings, declarations)
    found = _unmet(settings, declarations, members)
    asked = f"by who is in rooms on {', '.join(members)}" if members else "by the configuration alone"
    told = [
        f"Who is in the bot's rooms on {platform} is not known: {why}" for platform, why in unknown.items()
    ]
    return Finding(
        WHAT,
        f"{'some wait in vain' if found else 'each can be met'}, {asked}",
        warnings=(*(" ".join(filter(None, (each.what, each.detail))) for each in found), *told),
        connection=False,
    )


async def _members(
    settings: SlipwaySettings, declarations: Declarations
) -> tuple[Members, dict[Platform, str]]:
    members: dict[Platform, frozenset[str]] = {}
    unknown: dict[Platform, str] = {}
    for chat in declarations.enabled_chats(settings):
        if chat.members is None:
            continue
        try:
            found = await chat.members(settings.optional(chat.table), str(settings.state_dir))
        except ChatError as error:
            unknown[chat.platform] = str(error)
            continue
        if found is not None:
            members[chat.platform] = found
    return members, unknown


def _unmet(settings: SlipwaySettings, declarations: Declarations, members: Members) -> tuple[Unmet, ...]:
    """Those policies. Who is in user groups of platforms is not known here."""
    platforms = {chat.platform for chat in declarations.enabled_chats(settings)}

    def there(identity: Identity) -> bool:
        known = members.get(identity.platform)
        return identity.platform in platforms and (known is None or identity.account in known)

    def reachable(person: Person) -> bool:
        return any(map(there, person.identities))

    people = People(settings, {chat.platform: chat.group_key for chat in declarations.chats})
    wanted = {kind.name for kind in declarations.spec.kinds if kind.wanted(settings)}
    kinds = (kind for kind in declarations.registry.kinds.values() if kind.name in wanted)
    return unmet(kinds, settings.policy, people, reachable)
