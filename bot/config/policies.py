"""Who must agree by default, and whether a policy can ever be met."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from slipway.bot.core.problems import Problem, listing, unknown
from slipway.bot.config.settings import OperationKind, PersonSettings, PolicySettings, SlipwaySettings

DEFAULT_ROLE = "releng"
"""Who approves where slipway.toml has no ``[policy.KIND]``."""

DEFAULT_APPROVALS = {
    OperationKind.LAUNCH: 0,
    OperationKind.TERMINATE: 0,
    OperationKind.PROMOTE: 1,
    OperationKind.ROLLBACK: 1,
    OperationKind.CLEANUP: 1,
}
"""How many persons agree where slipway.toml has no ``[policy.KIND]``: what others rely on asks for one."""

CLOUD_OF = {
    OperationKind.LAUNCH: "aws",
    OperationKind.TERMINATE: "aws",
    OperationKind.PROMOTE: "azure",
    OperationKind.ROLLBACK: "azure",
    OperationKind.CLEANUP: "azure",
}
"""The cloud that operations of a kind change."""


def with_defaults(settings: SlipwaySettings, roles: Container[str] | None = None) -> SlipwaySettings:
    """The same settings with a policy for every kind of operation.

    Args:
        settings: with or without ``[policy.KIND]`` tables.
        roles: the roles there are; None stands for those of the settings.
    """
    role = DEFAULT_ROLE if DEFAULT_ROLE in (settings.roles if roles is None else roles) else ""
    missing = {
        kind: PolicySettings(approvals=count, role=role)
        for kind, count in DEFAULT_APPROVALS.items()
        if kind not in settings.policy
    }
    policy = {kind: (settings.policy | missing)[kind] for kind in OperationKind}
    return settings.model_copy(update={"policy": policy})


def approvals_needed(settings: SlipwaySettings, kind: OperationKind) -> int:
    """The largest number of approvals that an operation of this kind can ever ask for."""
    policy = settings.policy[kind]
    needed = max(policy.approvals, policy.approvals_scheduled or 0)
    if kind is OperationKind.CLEANUP and settings.retention.approval_share < 1:
        return max(needed, 1)  # a plan above the share asks for one whatever the policy says
    return needed


def may_request(settings: SlipwaySettings, person: PersonSettings, kind: OperationKind) -> bool:
    """Whether one of the person's roles gives the right to this kind of operation."""
    rights = {right for role in person.roles if role in settings.roles for right in settings.roles[role].may}
    return bool(rights & {kind.value, "*"})


@dataclass(frozen=True)
class PolicyCheck:
    """Looks for policies that name nobody, or that nobody could ever meet.

    Attributes:
        settings: with a policy for every kind.
        written: the kinds that slipway.toml itself speaks of, right or wrong.
        roles: the names of all roles there, right or wrong.
        unsure: how many persons had mistakes, and may hold any role once these are mended.
        unsure_roles: whether a role had mistakes, and may give any right once these are mended.
    """

    settings: SlipwaySettings
    written: frozenset[str]
    roles: frozenset[str]
    unsure: int
    unsure_roles: bool

    def problems(self) -> Iterator[Problem]:
        """One problem for each policy that cannot work."""
        for kind in OperationKind:
            if kind.value in self.written:
                yield from self._written(kind)
            elif getattr(self.settings, CLOUD_OF[kind]) is not None:
                yield from self._default(kind)

    def _default(self, kind: OperationKind) -> Iterator[Problem]:
        needed = approvals_needed(self.settings, kind)
        if needed and DEFAULT_ROLE not in self.roles:
            yield Problem(
                f"policy.{kind}",
                f'is missing, and by default {_approvals(needed)} asked for from the role "{DEFAULT_ROLE}", '
                f"which does not exist; write [policy.{kind}] with role = one of {self._choice()}, "
                f"or add [roles.{DEFAULT_ROLE}]",
            )
        elif needed:
            yield from self._reachable(kind, needed)

    def _written(self, kind: OperationKind) -> Iterator[Problem]:
        role = self.settings.policy[kind].role
        needed = approvals_needed(self.settings, kind)
        if role and role not in self.roles:
            yield Problem(f"policy.{kind}.role", unknown("role", role, self.roles, "Roles here"))
        elif needed and not role:
            asked = f"{_approvals(needed)} asked for"
            if not self.settings.policy[kind].approvals:
                asked = f"{_approvals(needed)} asked for at times (by a schedule, or for a large plan)"
            yield Problem(
                f"policy.{kind}.role",
                f"is missing: {asked}, and no role may give it; write role = one of {self._choice()}",
            )
        elif needed:
            yield from self._reachable(kind, needed)

    def _grows(self, role: str) -> bool:
        """Whether who holds a role is not known from here: a Slack user group adds to it."""
        return role in self.settings.roles and bool(self.settings.roles[role].slack_groups)

    def _choice(self) -> str:
        return listing(self.roles, "the roles that you add")

    def _reachable(self, kind: OperationKind, needed: int) -> Iterator[Problem]:
        policy = self.settings.policy[kind]
        persons = self.settings.person
        if self._grows(policy.role):
            return
        holders = [person for person in persons if policy.role in person.roles]
        if len(holders) + self.unsure < needed:
            yield Problem(
                f"policy.{kind}.approvals",
                f'{_approvals(needed)} asked for, and the role "{policy.role}" is held by '
                f"{_persons(holders)}; ask for fewer, or give more persons the role",
            )
            return
        requesters = [person for person in persons if may_request(self.settings, person, kind)]
        if policy.requester_may_approve or not requesters or self.unsure or self.unsure_roles:
            return
        if all(len(holders) - (requester in holders) < policy.approvals for requester in requesters):
            yield Problem(
                f"policy.{kind}.approvals",
                f"{_approvals(policy.approvals)} asked for from others than the requester, and whoever may "
                f"{kind} ({listing(person.id for person in requesters)}) never finds as many: the role "
                f'"{policy.role}" is held by {_persons(holders)}; give more persons the role, '
                "or set requester_may_approve = true",
            )


def _approvals(count: int) -> str:
    return "1 approval is" if count == 1 else f"{count} approvals are"


def _persons(persons: Iterable[PersonSettings]) -> str:
    names = [person.id for person in persons]
    count = "1 person" if len(names) == 1 else f"{len(names)} persons"
    return f"{count} ({listing(names)})" if names else "nobody"
