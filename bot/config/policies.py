"""Who must agree by default, and whether a policy can ever be met."""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from slipway.bot.config.settings import (
    HOLDERS,
    NOBODY,
    PersonSettings,
    PolicySettings,
    ScheduleMode,
    ScheduleSettings,
    SlipwaySettings,
    rights_of,
)
from slipway.bot.config.spec import CommandRight, ConfigSpec, KindSpec, gives
from slipway.bot.core.problems import Problem, listing, unknown
from slipway.bot.core.times import format_duration

DEFAULT_ROLE = "releng"
"""Who approves where slipway.toml has no ``[policy.KIND]``."""


def with_defaults(
    spec: ConfigSpec, settings: SlipwaySettings, roles: Container[str] | None = None
) -> SlipwaySettings:
    """The same settings with a policy for every kind of operation.

    Args:
        spec: the kinds there are, with what counts where slipway.toml does not say.
        settings: with or without ``[policy.KIND]`` tables.
        roles: the roles there are; None stands for those of the settings.
    """
    role = DEFAULT_ROLE if DEFAULT_ROLE in (settings.roles if roles is None else roles) else ""
    policy = {
        kind.name: settings.policy.get(kind.name)
        or settings.policy.get(kind.like)
        or PolicySettings(
            approvals=kind.approvals,
            role="" if kind.by_oneself else role,
            requester_may_approve=kind.by_oneself,
        )
        for kind in spec.kinds
    }
    return settings.model_copy(update={"policy": policy})


def approvals_needed(settings: SlipwaySettings, kind: KindSpec) -> int:
    """The largest number of approvals that an operation of this kind can ever ask for."""
    policy = settings.policy[kind.name]
    return max(policy.approvals, policy.approvals_scheduled or 0, kind.demanded(settings))


def may_request(settings: SlipwaySettings, person: PersonSettings, kind: KindSpec) -> bool:
    """Whether one of the person's roles gives the right to this kind of operation."""
    return gives(rights_of(person.roles, settings), CommandRight(kind.name, kind.right, guarded=True))


def holders(settings: SlipwaySettings, kind: KindSpec) -> list[PersonSettings]:
    """Whose approval could count, as far as slipway.toml says."""
    role = settings.policy[kind.name].role
    return [
        person
        for person in settings.person
        if (role in person.roles if role else may_request(settings, person, kind))
    ]


def by_requesters_alone(settings: SlipwaySettings, kinds: Iterable[KindSpec]) -> list[str]:
    """The kinds that ask for an approval which whoever asks may give alone, though others could; empty where one of
    the kinds that ask for any wants somebody else's. What one confirms oneself by nature is not among them."""
    asking = [kind for kind in kinds if not kind.by_oneself and settings.policy[kind.name].approvals]
    own = [
        kind.name
        for kind in asking
        if settings.policy[kind.name].approvals == 1
        and settings.policy[kind.name].requester_may_approve
        and len(holders(settings, kind)) > 1
    ]
    return own if len(own) == len(asking) else []


@dataclass(frozen=True)
class PolicyCheck:
    """Looks for policies that name nobody, or that nobody could ever meet.

    Attributes:
        spec: the kinds there are, and the platforms whose user groups give roles.
        settings: with a policy for every kind.
        written: the kinds that slipway.toml itself speaks of, right or wrong.
        roles: the names of all roles there, right or wrong.
        unsure: how many persons had mistakes, and may hold any role once these are mended.
        unsure_roles: whether a role had mistakes, and may give any right once these are mended.
    """

    spec: ConfigSpec
    settings: SlipwaySettings
    written: frozenset[str]
    roles: frozenset[str]
    unsure: int
    unsure_roles: bool

    def problems(self) -> Iterator[Problem]:
        """One problem for each policy that cannot work."""
        for kind in self.spec.kinds:
            if kind.name in self.written:
                yield from self._written(kind)
            elif kind.like in self.written:
                continue  # what is wrong with that one is told of it
            elif kind.wanted(self.settings) and (
                not kind.tables or any(getattr(self.settings, table) for table in kind.tables)
            ):
                yield from self._default(kind)

    def _needed(self, kind: KindSpec) -> int:
        """The largest number of approvals ever asked for, also by a schedule that asks whatever the policy says."""
        asking = (entry for entry in self.settings.schedule if entry.mode is ScheduleMode.ASK)
        asks = any(kind.right == right for right in map(self._right_of, asking))
        return max(approvals_needed(self.settings, kind), int(asks))

    def _right_of(self, entry: ScheduleSettings) -> str:
        """The right to the command that a schedule says; empty where it says none."""
        try:
            found = self.spec.find_command(shlex.split(entry.command))
        except ValueError:  # told where schedules are checked
            return ""
        return found.right if found is not None else ""

    def _default(self, kind: KindSpec) -> Iterator[Problem]:
        needed = 0 if kind.by_oneself else self._needed(kind)
        if needed and DEFAULT_ROLE not in self.roles:
            yield Problem(
                f"policy.{kind.name}",
                f'is missing, and by default {_approvals(needed)} asked for from the role "{DEFAULT_ROLE}", '
                f"which does not exist; write [policy.{kind.name}] with role = one of {self._choice()}, "
                f"or add [roles.{DEFAULT_ROLE}]",
            )
        elif needed:
            yield from self._reachable(kind, needed)

    def _written(self, kind: KindSpec) -> Iterator[Problem]:
        role = self.settings.policy[kind.name].role
        needed = self._needed(kind)
        if role and role not in self.roles:
            yield Problem(f"policy.{kind.name}.role", unknown("role", role, self.roles, "Roles here"))
        elif needed and not role and not kind.by_oneself:
            asked = f"{_approvals(needed)} asked for"
            if not self.settings.policy[kind.name].approvals:
                asked = f"{_approvals(needed)} asked for at times (by a schedule, or for a large plan)"
            yield Problem(
                f"policy.{kind.name}.role",
                f"is missing: {asked}, and no role may give it; write role = one of {self._choice()}",
            )
        elif needed:
            yield from self._reachable(kind, needed)
        yield from self._mentioned(kind)
        yield from self._reminding(kind)

    def _reminding(self, kind: KindSpec) -> Iterator[Problem]:
        """A reminder that never comes, as what it reminds of has expired by then."""
        policy = self.settings.policy[kind.name]
        if policy.remind and policy.remind_after is not None and policy.remind_after >= policy.expires:
            yield Problem(
                f"policy.{kind.name}.remind_after",
                f"comes when it has expired, after {format_duration(policy.expires)}; write less, or remind = false",
            )

    def _mentioned(self, kind: KindSpec) -> Iterator[Problem]:
        """Whoever is to be mentioned and does not exist; as long as persons have mistakes, nobody can tell."""
        known = [*(person.id for person in self.settings.person), HOLDERS, NOBODY]
        for name in () if self.unsure else self.settings.policy[kind.name].mention:
            if name not in known:
                yield Problem(f"policy.{kind.name}.mention", unknown("person", name, known, "Possible"))

    def _grows(self, kind: KindSpec) -> bool:
        """Whether who may approve is not known from here: a user group of a platform adds to a role that gives it."""
        role = self.settings.policy[kind.name].role
        right = CommandRight(kind.name, kind.right, guarded=True)
        giving = [
            held
            for name, held in self.settings.roles.items()
            if (name == role if role else gives(held.may, right))
        ]
        return any(held.groups(chat.group_key) for held in giving for chat in self.spec.chats)

    def _choice(self) -> str:
        return listing(self.roles, "the roles that you add")

    def _reachable(self, kind: KindSpec, needed: int) -> Iterator[Problem]:
        policy = self.settings.policy[kind.name]
        persons = self.settings.person
        if self._grows(kind):
            return
        able = holders(self.settings, kind)
        what = f'role "{policy.role}"' if policy.role else f'right "{kind.right}"'
        if len(able) + self.unsure < needed and (policy.role or policy.approvals > 1):
            yield Problem(
                f"policy.{kind.name}.approvals",
                f"{_approvals(needed)} asked for, and the {what} is held by "
                f"{_persons(able)}; ask for fewer, or give more persons the {what.partition(' ')[0]}",
            )
            return
        requesters = [person for person in persons if may_request(self.settings, person, kind)]
        if policy.requester_may_approve or not requesters or self.unsure or self.unsure_roles:
            return
        if all(len(able) - (requester in able) < policy.approvals for requester in requesters):
            yield Problem(
                f"policy.{kind.name}.approvals",
                f"{_approvals(policy.approvals)} asked for from others than the requester, and whoever may "
                f"{kind.right} ({listing(person.id for person in requesters)}) never finds as many: the {what} "
                f"is held by {_persons(able)}; give more persons the {what.partition(' ')[0]}, "
                "or set requester_may_approve = true",
            )


def _approvals(count: int) -> str:
    return "1 approval is" if count == 1 else f"{count} approvals are"


def _persons(persons: Iterable[PersonSettings]) -> str:
    names = [person.id for person in persons]
    count = "1 person" if len(names) == 1 else f"{len(names)} persons"
    return f"{count} ({listing(names)})" if names else "nobody"
