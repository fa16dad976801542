"""What slipway.toml asks for, of one operation: its rules put together for what the operation changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from slipway.bot.config.policies.matching import Change, Counted, counted
from slipway.bot.config.policies.settings import HOLDERS, NOBODY, Environments, PolicySettings
from slipway.bot.config.settings import ScheduleMode
from slipway.bot.core.steps import Step
from slipway.bot.operations.declarations import OperationKind
from slipway.bot.operations.model import Demand, Operation, Policy, PolicyReason

MOST_NAMED = 5
"""Targets that a reason names; more are counted."""


@dataclass(frozen=True)
class Asker:
    """What of whoever asks decides how many have to agree.

    Attributes:
        scheduled: whether a schedule asks, for which the configuration may ask fewer approvals.
        mode: what that schedule's own entry says.
        name: what the schedule is called.
    """

    scheduled: bool = False
    mode: ScheduleMode = ScheduleMode.POLICY
    name: str = ""


@dataclass(frozen=True)
class PlanDemands:
    """What a plan itself says of who must agree, whatever the configuration says.

    Attributes:
        approval: whether it demands one at least.
        by_another: whether whoever asks cannot give it.
        harmless: whether nobody has to agree.
    """

    approval: bool = False
    by_another: bool = False
    harmless: bool = False


def policy_for(
    kind: OperationKind[Any, Any],
    settings: PolicySettings,
    change: Change,
    *,
    environments: Environments = MappingProxyType({}),
    asker: Asker = Asker(),
    demands: PlanDemands = PlanDemands(),
) -> Policy:
    """The policy of one operation.

    What several rules ask for is asked for together: of each role the largest number that one of them asks for.
    Whoever asks may approve only where each that asks for somebody lets them.

    Args:
        kind: what it does.
        settings: the configuration for its kind.
        change: what it changes.
        environments: what rules mean by them.
        asker: who asks.
        demands: what the plan itself says.
    """
    found = counted(kind.name, settings, change, environments)
    plain = not (settings.rule or settings.also)
    return put_together(kind, found, asker=asker, demands=demands, told=not plain)


def put_together(
    kind: OperationKind[Any, Any],
    found: Sequence[Counted],
    *,
    asker: Asker = Asker(),
    demands: PlanDemands = PlanDemands(),
    told: bool = True,
) -> Policy:
    """What tables and rules ask for together.

    Args:
        kind: what it is about.
        found: all that counts, at least one.
        asker: who asks.
        demands: what the plan itself says.
        told: whether it is kept what asks for what where nothing but these does.
    """
    asked = tuple(_asked(each.settings, asker) for each in found)
    roles = _largest(demand for demanded in asked for demand in demanded)
    special = [*_by_schedule(roles, asker), *_by_plan(roles, demands)]
    reasons = [_reason(each, demanded) for each, demanded in zip(found, asked, strict=True)]
    those = [
        each.settings
        for each, demanded in zip(found, asked, strict=True)
        if any(demand.approvals for demand in demanded)
    ] or [each.settings for each in found]
    first, *also = (Demand(role=role, approvals=count) for role, count in roles.items())
    return Policy(
        approvals=first.approvals,
        role=first.role,
        requester_may_approve=not demands.by_another and all(each.requester_may_approve for each in those),
        forgeable_presses=all(_forgeable(kind, each) for each in those),
        right=kind.right,
        also=tuple(demand for demand in also if demand.approvals),
        step_up=any(demand.approvals for demand in (first, *also)) and any(each.step_up for each in those),
        asked_by=(*reasons, *special) if told or special else (),
    )


def _forgeable(kind: OperationKind[Any, Any], settings: PolicySettings) -> bool:
    forgeable = settings.encrypted_reactions
    return kind.policy.forgeable_presses if forgeable is None else forgeable


def _asked(settings: PolicySettings, asker: Asker) -> tuple[Demand, ...]:
    """How many of which role one table or rule asks for."""
    approvals = settings.approvals
    if asker.scheduled and settings.approvals_scheduled is not None:
        approvals = settings.approvals_scheduled
    also = (Demand(role=role, approvals=count) for role, count in settings.also.items())
    return (Demand(role=settings.role, approvals=approvals), *also)


Roles = dict[str, int]
"""How many of each role; those of whom nobody is asked for, too, behind the others."""


def _largest(demands: Iterable[Demand]) -> Roles:
    roles: Roles = {}
    for demand in demands:
        roles[demand.role] = max(roles.get(demand.role, 0), demand.approvals)
    return dict(sorted(roles.items(), key=lambda pair: not pair[1]))


def _by_schedule(roles: Roles, asker: Asker) -> Iterator[PolicyReason]:
    """Change what is asked for as the entry of a schedule says."""
    by = f"the schedule {asker.name}, whose mode is {asker.mode}".replace("  ", " ")
    if asker.mode is ScheduleMode.RUN and any(roles.values()):
        roles.update(dict.fromkeys(roles, 0))
        yield PolicyReason(by=by, asks=in_words(roles))
    elif asker.mode is ScheduleMode.ASK and not any(roles.values()):
        roles[next(iter(roles))] = 1
        yield PolicyReason(by=by, asks=in_words(roles))


def _by_plan(roles: Roles, demands: PlanDemands) -> Iterator[PolicyReason]:
    """Change what is asked for as the plan itself demands."""
    if demands.harmless and any(roles.values()):
        roles.update(dict.fromkeys(roles, 0))
        yield PolicyReason(by="the plan itself, which changes no cloud", asks=in_words(roles))
    elif not demands.harmless and demands.approval and not any(roles.values()):
        roles[next(iter(roles))] = 1
        yield PolicyReason(by="the plan itself, whatever the configuration says", asks=in_words(roles))
    if demands.by_another:
        yield PolicyReason(
            by="the plan itself, whatever the configuration says", asks="somebody else than whoever asked"
        )


def _reason(each: Counted, demanded: Sequence[Demand]) -> PolicyReason:
    names = list(dict.fromkeys(str(target) for target in each.targets if target.name))
    if len(names) > MOST_NAMED:
        names[MOST_NAMED - 1 :] = [f"{len(names) - MOST_NAMED + 1} more"]
    return PolicyReason(by=each.place, asks=in_words(_largest(demanded)), about=tuple(names))


def in_words(roles: Mapping[str, int]) -> str:
    """How many of which role: ``2 of releng and 1 of security``; ``nobody``."""
    each = [f"{count} of {role or 'those who may ask for it'}" for role, count in roles.items() if count]
    return " and ".join(filter(None, (", ".join(each[:-1]), *each[-1:]))) or "nobody"


class Policies:
    """What slipway.toml says of each kind of operation.

    Args:
        settings: ``[policy.KIND]``, of every kind.
        environments: ``[environment.NAME]``.
    """

    def __init__(
        self, settings: Mapping[str, PolicySettings], environments: Environments = MappingProxyType({})
    ) -> None:
        self._settings = settings
        self._environments = environments

    def of(
        self,
        kind: OperationKind[Any, Any],
        steps: Iterable[Step],
        asker: Asker = Asker(),
        demands: PlanDemands = PlanDemands(),
    ) -> Policy:
        """The policy of a plan with these steps."""
        change = Change.of(steps)
        return policy_for(
            kind,
            self._settings[kind.name],
            change,
            environments=self._environments,
            asker=asker,
            demands=demands,
        )

    def expiry(self, kind: str, steps: Iterable[Step]) -> timedelta:
        """How long a proposal waits for its approvals: the shortest time of all that counts."""
        return min(each.expires for each in self._counted(kind, steps))

    def mentioned(self, operation: Operation) -> tuple[str, ...]:
        """Whom the card of an operation mentions, as :data:`.Mention` has it: everybody whom something that counts
        names. Of a kind that the configuration does not know, everybody whose approval counts."""
        if operation.kind not in self._settings:
            return (HOLDERS,)
        each_counted = self._counted(operation.kind, operation.plan.steps)
        whom = dict.fromkeys(name for each in each_counted for name in each.mention)
        return tuple(name for name in whom if name != NOBODY)

    def reminder(self, operation: Operation) -> datetime | None:
        """When those are called once more who can approve what nobody has answered; None for never."""
        if operation.kind not in self._settings:
            return None
        asked_at, expires_at = operation.created_at, operation.expires_at
        reminding = [each for each in self._counted(operation.kind, operation.plan.steps) if each.remind]
        after = [
            (expires_at - asked_at) / 2 if each.remind_after is None else each.remind_after
            for each in reminding
        ]
        at = asked_at + min(after) if after else expires_at
        return at if at < expires_at else None

    def _counted(self, kind: str, steps: Iterable[Step]) -> tuple[PolicySettings, ...]:
        found = counted(kind, self._settings[kind], Change.of(steps), self._environments)
        return tuple(each.settings for each in found)
