"""Whether a policy can ever be met, by the persons and roles of slipway.toml."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slipway.bot.config.policies.defaults import DEFAULT_ROLE, approvals_needed, holders, may_request
from slipway.bot.config.policies.rule_checks import Places, environment_problems, rule_problems
from slipway.bot.config.policies.settings import HOLDERS, NOBODY, PolicySettings
from slipway.bot.config.settings import PersonSettings, ScheduleMode, ScheduleSettings, SlipwaySettings
from slipway.bot.config.spec import CommandRight, ConfigSpec, KindSpec, gives
from slipway.bot.core.problems import Problem, listing, unknown
from slipway.bot.core.seats import Seats
from slipway.bot.core.times import format_duration


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
        accounts: the clouds' accounts that are configured, rightly or wrongly.
        environments: the names of all environments there, right or wrong.
    """

    spec: ConfigSpec
    settings: SlipwaySettings
    written: frozenset[str]
    roles: frozenset[str]
    unsure: int
    unsure_roles: bool
    accounts: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()

    def problems(self) -> Iterator[Problem]:
        """One problem for each policy that cannot work."""
        yield from environment_problems(self.settings.environment, self.accounts)
        for kind in self.spec.kinds:
            if kind.name in self.written:
                yield from self._written(kind)
            elif kind.like in self.written:
                continue  # what is wrong with that one is told of it
            elif kind.wanted(self.settings) and (
                not kind.tables or any(getattr(self.settings, table) for table in kind.tables)
            ):
                yield from self._default(kind)

    def _demanded(self, kind: KindSpec) -> int:
        """How many approvals may be asked for whatever a policy says: by a plan, or a schedule that always asks."""
        asking = (entry for entry in self.settings.schedule if entry.mode is ScheduleMode.ASK)
        asks = any(kind.right == right for right in map(self._right_of, asking))
        return max(kind.demanded(self.settings), int(asks))

    def _right_of(self, entry: ScheduleSettings) -> str:
        """The right to the command that a schedule says; empty where it says none."""
        try:
            found = self.spec.find_command(shlex.split(entry.command))
        except ValueError:  # told where schedules are checked
            return ""
        return found.right if found is not None else ""

    def _default(self, kind: KindSpec) -> Iterator[Problem]:
        policy = self.settings.policy[kind.name]
        needed = 0 if kind.by_oneself else approvals_needed(policy, self._demanded(kind))
        if needed and DEFAULT_ROLE not in self.roles:
            yield Problem(
                f"policy.{kind.name}",
                f'is missing, and by default {_approvals(needed)} asked for from the role "{DEFAULT_ROLE}", '
                f"which does not exist; write [policy.{kind.name}] with role = one of {self._choice()}, "
                f"or add [roles.{DEFAULT_ROLE}]",
            )
        elif needed:
            yield from self._reachable(kind, f"policy.{kind.name}", policy, needed)

    def _written(self, kind: KindSpec) -> Iterator[Problem]:
        key = f"policy.{kind.name}"
        whole = self.settings.policy[kind.name]
        for place, policy in whole.everywhere():
            yield from self._one(kind, f"{key}{place}", policy)
        yield from rule_problems(
            key, whole, Places(self.accounts, self.settings.environment, self.environments), self._names(kind)
        )

    def _names(self, kind: KindSpec) -> frozenset[str] | None:
        names = kind.target_names(self.settings)
        return None if names is None else frozenset(names)

    def _one(self, kind: KindSpec, key: str, policy: PolicySettings) -> Iterator[Problem]:
        """What is wrong with a table, or with what one of its rules asks for."""
        needed = approvals_needed(policy, self._demanded(kind))
        unknown_roles = [role for role in (policy.role, *policy.also) if role and role not in self.roles]
        if policy.role in unknown_roles:
            yield Problem(f"{key}.role", unknown("role", policy.role, self.roles, "Roles here"))
        elif unknown_roles:
            yield Problem(f"{key}.also", unknown("role", unknown_roles[0], self.roles, "Roles here"))
        elif policy.role in policy.also:
            said = f'names the role "{policy.role}" once more; write how many of it into approvals'
            yield Problem(f"{key}.also", said)
        elif needed > sum(policy.also.values()) and not policy.role and not kind.by_oneself:
            asked = f"{_approvals(needed)} asked for"
            if not policy.approvals:
                asked = f"{_approvals(needed)} asked for at times (by a schedule, or for a large plan)"
            yield Problem(
                f"{key}.role",
                f"is missing: {asked}, and no role may give it; write role = one of {self._choice()}",
            )
        elif needed:
            yield from self._reachable(kind, key, policy, needed)
        yield from self._mentioned(key, policy)
        yield from self._reminding(key, policy)

    def _reminding(self, key: str, policy: PolicySettings) -> Iterator[Problem]:
        """A reminder that never comes, as what it reminds of has expired by then."""
        if policy.remind and policy.remind_after is not None and policy.remind_after >= policy.expires:
            yield Problem(
                f"{key}.remind_after",
                f"comes when it has expired, after {format_duration(policy.expires)}; write less, or remind = false",
            )

    def _mentioned(self, key: str, policy: PolicySettings) -> Iterator[Problem]:
        """Whoever is to be mentioned and does not exist; as long as persons have mistakes, nobody can tell."""
        known = [*(person.id for person in self.settings.person), HOLDERS, NOBODY]
        for name in () if self.unsure else policy.mention:
            if name not in known:
                yield Problem(f"{key}.mention", unknown("person", name, known, "Possible"))

    def _grows(self, kind: KindSpec, role: str) -> bool:
        """Whether who may approve is not known from here: a user group of a platform adds to a role that gives it."""
        right = CommandRight(kind.name, kind.right, guarded=True)
        giving = [
            held
            for name, held in self.settings.roles.items()
            if (name == role if role else gives(held.may, right))
        ]
        return any(held.groups(chat.group_key) for held in giving for chat in self.spec.chats)

    def _choice(self) -> str:
        return listing(self.roles, "the roles that you add")

    def _reachable(self, kind: KindSpec, key: str, policy: PolicySettings, needed: int) -> Iterator[Problem]:
        if any(self._grows(kind, role) for role in (policy.role, *policy.also)):
            return
        if policy.also:
            yield from self._several(kind, key, policy)
            return
        persons = self.settings.person
        able = holders(self.settings, kind, policy.role)
        what = f'role "{policy.role}"' if policy.role else f'right "{kind.right}"'
        if len(able) + self.unsure < needed and (policy.role or policy.approvals > 1):
            yield Problem(
                f"{key}.approvals",
                f"{_approvals(needed)} asked for, and the {what} is held by "
                f"{_persons(able)}; ask for fewer, or give more persons the {what.partition(' ')[0]}",
            )
            return
        requesters = [person for person in persons if may_request(self.settings, person, kind)]
        if policy.requester_may_approve or not requesters or self.unsure or self.unsure_roles:
            return
        if all(len(able) - (requester in able) < policy.approvals for requester in requesters):
            yield Problem(
                f"{key}.approvals",
                f"{_approvals(policy.approvals)} asked for from others than the requester, and whoever may "
                f"{kind.right} ({listing(person.id for person in requesters)}) never finds as many: the {what} "
                f"is held by {_persons(able)}; give more persons the {what.partition(' ')[0]}, "
                "or set requester_may_approve = true",
            )

    def _several(self, kind: KindSpec, key: str, policy: PolicySettings) -> Iterator[Problem]:
        """Whether those of several roles, each another person, can be found: for somebody who asks at least."""
        if self.unsure or self.unsure_roles:
            return
        persons = self.settings.person
        requesters = [person for person in persons if may_request(self.settings, person, kind)]
        left_out = [None] if policy.requester_may_approve or not requesters else requesters
        if any(self._found(kind, policy, without) for without in left_out):
            return
        roles = {policy.role: policy.approvals} if policy.approvals else {}
        asked = " and ".join(
            f"{count} of {role or kind.right}" for role, count in (roles | policy.also).items()
        )
        held = "; ".join(
            f"{role or kind.right} is held by {_persons(holders(self.settings, kind, role))}"
            for role in roles | policy.also
        )
        others = "" if policy.requester_may_approve else ", none of them whoever asks"
        yield Problem(
            f"{key}.also",
            f"{asked} are asked for, each another person{others}, and there are not as many: {held}; "
            "ask for fewer, or give more persons the roles",
        )

    def _found(self, kind: KindSpec, policy: PolicySettings, without: PersonSettings | None) -> bool:
        places = Seats({policy.role: policy.approvals} | policy.also)
        for person in self.settings.person:
            held = {
                role for role in (policy.role, *policy.also) if person in holders(self.settings, kind, role)
            }
            if person is not without:
                places.take(person.id, frozenset(held))
        return places.count == policy.needed


def _approvals(count: int) -> str:
    return "1 approval is" if count == 1 else f"{count} approvals are"


def _persons(persons: Iterable[PersonSettings]) -> str:
    names = [person.id for person in persons]
    count = "1 person" if len(names) == 1 else f"{len(names)} persons"
    return f"{count} ({listing(names)})" if names else "nobody"
