"""`!profiles`: what `!launch` can launch by, how much of it, and for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import click

from slipway.bot.chat.model import Card, Field, Tone
from slipway.bot.chat.tables import Cell, Row, number, span, table_of, text, texts
from slipway.bot.clouds.machine_model import Backstop, Template
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.config.policies.matching import Change, counted
from slipway.bot.core.commands import command
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.steps import Target
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_duration
from slipway.bot.people import Person, listed
from slipway.bot.subjects.machines.launching.prices import money
from slipway.bot.subjects.machines.launching.terms import lifetime_of, may_use, region_of
from slipway.bot.subjects.machines.leases.limits import left_in_words
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.settings import IdleAction, Override, ProfileSettings
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import NAME

_COLUMNS = {"profile": "Profile", "launches": "Launches", "limits": "Limits", "who": "Who may use it"}
_OVERRIDES = {Override.TYPE: "the machine type (`--type`)"}
_WITHOUT_SLIPWAY = {
    Backstop.GUEST_TIMER: "a timer in the machine ends it when its whole life does",
    Backstop.CLOUD_SCHEDULE: "a schedule of the cloud stops it every day at the hour at which its whole life ends",
    Backstop.NONE: "nothing ends it: there is no backstop",
}


@command(
    "profiles",
    summary="The profiles that machines are launched by: what they launch, how much of it, and for whom.",
    examples=("profiles", "profiles small"),
    aliases=("profile",),
)
@click.argument("name", type=NAME, required=False, help="One of them: all that is known of it.")
async def profiles(call: CommandContext, name: str | None) -> CardReply:
    """In the configuration's order: without `--profile`, `launch` takes the first that you may use and that runs the
    image."""
    machines = call.services.get(MachineServices)
    if not machines.profiles:
        raise UserError("No profile is configured, so nothing can be launched; add one under [profiles].")
    left = left_in_words(await machines.allowance.uses(call.person.id)) or "no limit is set"
    if name is not None:
        return CardReply(_one(call, await _look_up(machines, _known(machines, name)), left))
    found = await asyncio.gather(*(_look_up(machines, each) for each in machines.profiles))
    return CardReply(_all(call, found, left))


@dataclass(frozen=True)
class _Found:
    """A profile, and what its cloud has for it.

    Attributes:
        account: where it launches.
        region: where in it, unless somebody says otherwise.
        template: None where it could not be looked up.
        trouble: why.
    """

    name: str
    profile: ProfileSettings
    account: Machines | None = None
    region: str = ""
    template: Template | None = None
    trouble: str = ""

    @property
    def machine(self) -> str:
        """What the template launches, by the cloud's word, and by the configuration's."""
        if self.template is None:
            return ", ".join(filter(None, ("⚠ not known", self.profile.description)))
        kind = self.template.instance_type or "as its template says"
        runs = " and ".join(self.template.architectures)
        return ", ".join(filter(None, (f"{kind} ({runs})" if runs else kind, self.profile.description)))

    @property
    def template_in_words(self) -> str:
        """The template with its version."""
        if self.template is None:
            return self.profile.template_name(self.name)
        return self.template.words

    @property
    def regions(self) -> tuple[str, ...]:
        """Where it launches, the usual region first."""
        return self.profile.regions or ((self.region,) if self.region else ())


def _known(machines: MachineServices, wanted: str) -> str:
    folded = {each.casefold(): each for each in machines.profiles}
    if wanted.casefold() not in folded:
        raise UserError(
            f"There is no profile {wanted}.",
            nearest=nearest(wanted, machines.profiles),
            given=wanted,
            hint="profiles",
        )
    return wanted if wanted in machines.profiles else folded[wanted.casefold()]


async def _look_up(machines: MachineServices, name: str) -> _Found:
    profile = machines.profiles[name]
    try:
        account = machines.clouds.get(MACHINES, profile.cloud)
        region = region_of(None, name, profile)
        account = account.at(region) if region else account
        template = await account.template(profile.template_name(name), profile.template_version)
    except (CloudError, UserError) as error:
        words = error.words if isinstance(error, CloudError) else str(error)
        return _Found(name, profile, region=region_of(None, name, profile), trouble=words)
    return _Found(name, profile, account, account.region, template)


def _all(call: CommandContext, found: Sequence[_Found], left: str) -> Card:
    troubles = [f"⚠ Profile {each.name}: {each.trouble}" for each in found if each.trouble]
    own = next((each.name for each in found if _may_use(call, call.person, each.profile)), None)
    notes = [*troubles, f"All of one: `{call.prefix}profiles {found[0].name}`"]
    if own is not None:
        notes.append(f"Launch one: `{call.prefix}launch IMAGE --profile {own}`")
    return Card(
        tone=Tone.WARNING if troubles else Tone.INFO,
        title=f"{len(found)} profile{'s' if len(found) != 1 else ''}",
        fields=(Field(label="Left for you", value=left),),
        tables=(table_of(_COLUMNS, [_row(call, each) for each in found]),),
        notes=tuple(notes),
    )


def _row(call: CommandContext, found: _Found) -> Row:
    profile, template = found.profile, found.template
    where = f"in {profile.cloud}" + (f", {' or '.join(found.regions)}" if found.regions else "")
    return {
        "profile": text(found.name),
        "launches": Cell(f"{found.machine}; {found.template_in_words} {where}", found.machine),
        "limits": Cell(_limits(call, found), None),
        "who": Cell(_who(call, profile), None),
        "usable": Cell("", _may_use(call, call.person, profile)),
        "may": texts(profile.may, ""),
        "cloud": text(profile.cloud),
        "template": text(profile.template_name(found.name)),
        "version": Cell("", template.version if template is not None else None),
        "type": text(template.instance_type if template is not None else None),
        "architectures": texts(template.architectures if template is not None else (), ""),
        "regions": texts(found.regions, ""),
        "most_at_a_time": number(profile.max_count),
        "default_seconds": span(lifetime_of(None, found.name, profile), ""),
        "longest_seconds": span(profile.max_for, ""),
        "whole_life_seconds": span(profile.cap, ""),
        "overrides": texts([each.value for each in profile.overrides], ""),
        "standing_approval": Cell("", profile.standing_approval),
        "approvals": number(_approvals(call, found)),
    }


def _limits(call: CommandContext, found: _Found) -> str:
    """What a launch by it may ask for, in few words."""
    profile = found.profile
    usual, longest = lifetime_of(None, found.name, profile), profile.max_for
    time = f"for {format_duration(usual)}" + (
        f" (up to {format_duration(longest)})" if usual < longest else ""
    )
    needed = _approvals(call, found)
    agreed = "no approval" if not needed else f"{needed} approval{'s' if needed > 1 else ''}"
    chosen = (
        f"; `{'`, `'.join(f'--{each.value}' for each in profile.overrides)}`" if profile.overrides else ""
    )
    return f"{profile.max_count} at a time, {time}, {format_duration(profile.cap)} in all; {agreed}{chosen}"


def _one(call: CommandContext, found: _Found, left: str) -> Card:
    profile = found.profile
    usual = format_duration(lifetime_of(None, found.name, profile))
    others = f"{listed(_users(call, profile)) or 'nobody'}"
    facts = (
        ("Launches", found.machine),
        ("Cloud", profile.cloud),
        ("Template", _template(found)),
        ("Template fixes", _fixed(found)),
        ("Regions", _regions(found)),
        ("At a time", f"{profile.max_count} machine{'s' if profile.max_count != 1 else ''}"),
        ("For", f"{usual} where nobody says, up to {format_duration(profile.max_for)}"),
        ("Whole life", f"at most {format_duration(profile.cap)}, however often it is extended"),
        ("Approval", _approval(call, found)),
        ("May be chosen", ", ".join(("the image", *(_OVERRIDES[each] for each in profile.overrides)))),
        ("You may use it", "yes" if _may_use(call, call.person, profile) else "no; ask one of those who may"),
        ("Who may", others),
        ("Left for you", left),
        ("Price", _price(call, found)),
        ("Log in as", profile.login),
        ("Not used", _unused(call, profile)),
        ("Without Slipway", _backstop(found)),
    )
    usage = f"launch IMAGE --profile {found.name}"
    notes = [f"⚠ {found.trouble}"] if found.trouble else []
    if _may_use(call, call.person, profile):
        notes.append(f"Launch one: `{call.prefix}{usage}`")
    return Card(
        tone=Tone.WARNING if found.trouble else Tone.INFO,
        title=f"Profile {found.name}",
        fields=tuple(Field(label=label, value=value) for label, value in facts if value),
        notes=tuple(notes),
    )


def _template(found: _Found) -> str:
    profile = found.profile
    if profile.machine is not None:
        return f"described in slipway.toml, {found.template_in_words}"
    how = "always this version" if profile.template_version is not None else "its default version now"
    return f"{found.template_in_words} ({how})" if found.template is not None else found.template_in_words


def _fixed(found: _Found) -> str:
    return "; ".join(
        f"{name.lower()} {value}" for name, value in (found.template.fixed if found.template else ())
    )


def _regions(found: _Found) -> str:
    first, *others = found.regions or ("",)
    return f"{first} where nobody says, or {' or '.join(others)} (`--region`)" if others else first


def _approval(call: CommandContext, found: _Found) -> str:
    needed = _approvals(call, found)
    if needed:
        return f"{needed} for each launch"
    return "none within these limits; beyond them, one is asked for"


def _approvals(call: CommandContext, found: _Found) -> int:
    """How many persons have to agree to the launch of one machine within the limits."""
    settings = call.services.settings
    change = Change((Target(found.name, found.profile.cloud),))
    (asked,) = counted("launch", settings.policy["launch"], change, settings.environment)
    return asked.settings.needed if found.profile.standing_approval else max(asked.settings.needed, 1)


def _price(call: CommandContext, found: _Found) -> str:
    if found.template is None:
        return ""
    prices = call.services.get(MachineServices).prices
    price = prices.of(found.profile.cloud, found.region, found.template.instance_type)
    if price is None:
        return "unknown; whoever runs Slipway can write it into [prices]"
    return f"about {money(price)} {prices.currency} an hour; disks and traffic not counted"


def _unused(call: CommandContext, profile: ProfileSettings) -> str:
    if profile.idle_after is None:
        return ""
    told = f"for {format_duration(profile.idle_after)}, its owner is told"
    if profile.idle_action is not IdleAction.STOP:
        return told
    grace = call.services.get(MachineServices).rules.idle_grace
    return f"{told}, and {format_duration(grace)} later it is stopped"


def _backstop(found: _Found) -> str:
    if found.template is None or found.account is None:
        return ""
    return _WITHOUT_SLIPWAY[found.template.backstop or found.account.backstop]


def _may_use(call: CommandContext, person: Person, profile: ProfileSettings) -> bool:
    return call.services.people.may(person, "launch", changes=True) and may_use(person, profile)


def _users(call: CommandContext, profile: ProfileSettings) -> tuple[Person, ...]:
    """The humans who may launch by a profile."""
    return tuple(each for each in call.services.people.persons if _may_use(call, each, profile))


def _who(call: CommandContext, profile: ProfileSettings) -> str:
    """“You”, or whom to ask."""
    if _may_use(call, call.person, profile):
        return "you"
    others = listed(_users(call, profile))
    return f"not you, but {others}" if others else "nobody yet; whoever runs Slipway can change that"


PARTS = (profiles,)
