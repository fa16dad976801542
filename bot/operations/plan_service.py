"""From a request to a plan, and from a plan to a proposed operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from slipway.bot.chat.model import Room
from slipway.bot.config.settings import ScheduleMode
from slipway.bot.core.steps import Draft, Request
from slipway.bot.core.times import Clock
from slipway.bot.operations.admission import Admission
from slipway.bot.operations.audit import AuditEntry, AuditKey
from slipway.bot.operations.emergency.rules import NO_EMERGENCIES, Emergencies
from slipway.bot.operations.model import Operation, OperationState, Plan
from slipway.bot.operations.persistence.records import Proposal
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.policies import Asker, PlanDemands, Policies
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.people import Person, is_automatic, schedule_of


@dataclass(frozen=True)
class NothingToDo:
    """Things are already as asked; the summary says how they are, and ``warnings``, as a draft's, what is to be known
    of that."""

    summary: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskedBefore:
    """An operation that has not ended would change the same."""

    operation: Operation


@dataclass(frozen=True)
class Asked:
    """Who asks for something, by which event, and where it is told: whoever asks need not be there.

    ``doubt`` says in a sentence why it may not be they who ask; empty where nobody doubts it. ``emergency`` is why it
    cannot wait for approvals; empty where it can.
    """

    person: Person
    event_key: str
    room: Room | None
    thread: str | None
    doubt: str = ""
    emergency: str = ""


class PlanService:
    """Makes plans and proposals. Changes nothing in any cloud.

    Args:
        subjects: what plans requests, and carries them out.
        policies: who must agree.
        operations: where proposals are kept.
        clock: the present.
        admission: what is not proposed, as it could not begin.
        modes: what becomes of that which schedules ask for, by the ids under which they ask.
        emergencies: who may pass the approvals of what.
    """

    def __init__(
        self,
        subjects: SubjectServices,
        policies: Policies,
        operations: OperationRepository,
        clock: Clock,
        admission: Admission,
        modes: Mapping[str, ScheduleMode] = MappingProxyType({}),
        emergencies: Emergencies = NO_EMERGENCIES,
    ) -> None:
        self._admission = admission
        self._emergencies = emergencies
        self._modes = modes
        self._subjects = subjects
        self._policies = policies
        self._operations = operations
        self._clock = clock

    async def plan(self, request: Request, person: Person, emergency: str = "") -> Plan | NothingToDo:
        """Plan a request as things stand. ``emergency`` is why it cannot wait for approvals; empty where it can.

        Raises:
            UserError: it cannot be met as asked, or nobody declared such requests.
            CloudError: a cloud could not be read.
        """
        self._subjects.planner(request)  # before its policy: what nobody declared has none
        if emergency:
            self._emergencies.check(person.id, request.kind)
        return await self._plan(request, person.id, None, emergency)

    async def again(self, plan: Plan) -> Plan | NothingToDo:
        """Plan an agreed plan's request once more, to see whether it still holds.

        Raises:
            UserError: it can no longer be met.
            CloudError: a cloud could not be read.
        """
        emergency = plan.policy.emergency
        if emergency and not self._emergencies.permits(plan.requester, plan.kind):
            emergency = ""
        return await self._plan(plan.request, plan.requester, plan.expires_at, emergency)

    async def _plan(
        self, request: Request, requester: str, expires_at: datetime | None, emergency: str
    ) -> Plan | NothingToDo:
        """Plan a request. ``expires_at`` is when what it is compared with expires; None where it is new."""
        draft = await self._subjects.planner(request).plan(request, self._clock())
        if not draft.steps:
            return NothingToDo(draft.summary, draft.warnings)
        for step in {step.kind: step for step in draft.steps}.values():
            self._subjects.executor(step)  # what nobody can carry out is not proposed
        kind = self._subjects.registry.kinds[request.kind]
        policy = self._policies.of(kind, draft.steps, self._asker(requester), _demands(draft))
        if emergency:
            policy = self._emergencies.passed(kind.name, policy, emergency, draft)
        return Plan(
            kind=kind.name,
            request=draft.request,
            command=self._subjects.registry.command_line(draft.request),
            requester=requester,
            policy=policy,
            expires_at=expires_at or self._clock() + self._policies.expiry(kind.name, draft.steps),
            summary=draft.summary,
            steps=draft.steps,
            observed=draft.observed,
            evidence=draft.evidence,
            warnings=(*((draft.needs_approval,) if draft.needs_approval else ()), *draft.warnings),
            independent=draft.independent,
            not_before=draft.not_before,
        )

    def _asker(self, requester: str) -> Asker:
        mode = self._modes.get(requester, ScheduleMode.POLICY)
        return Asker(scheduled=is_automatic(requester), mode=mode, name=schedule_of(requester))

    async def propose(self, request: Request, asked: Asked) -> Operation | NothingToDo | AskedBefore:
        """Plan a request and store it as an operation; approved at once where nobody needs to agree.

        One event proposes once: asked again after a crash, the operation of the first time is returned. What is under
        way already is not proposed again, whoever asks.

        Raises:
            UserError: it cannot be met as asked, or not now.
            CloudError: a cloud could not be read.
        """
        operation = await self._operations.by_event_key(asked.event_key)
        if operation is None:
            plan = await self.plan(request, asked.person, asked.emergency)
            if isinstance(plan, NothingToDo):
                return plan
            await self._admission.check(plan)
            operation = await self._operations.create(
                Proposal(asked.event_key, plan, asked.room, asked.thread, self._clock(), asked.doubt)
            )
            if operation.event_key != asked.event_key:
                return AskedBefore(operation)
        if operation.state is OperationState.PROPOSED and not operation.plan.policy.needed:
            await self._operations.move(
                operation.id,
                expected=OperationState.PROPOSED,
                to=OperationState.APPROVED,
                entry=AuditEntry(
                    key=AuditKey.of_state(operation.id, OperationState.APPROVED),
                    at=self._clock(),
                    actor="slipway",
                    action="approved",
                    operation_id=operation.id,
                    detail=(("why", _why_nobody(operation)),),
                ),
            )
            operation = await self._operations.get(operation.id)
        return operation


def _why_nobody(operation: Operation) -> str:
    """Why nobody has to agree, as the audit trail has it."""
    emergency = operation.plan.policy.emergency
    return f"emergency: {emergency}" if emergency else "policy asks for no approval"


def _demands(draft: Draft[Any]) -> PlanDemands:
    return PlanDemands(bool(draft.needs_approval), draft.by_another, draft.harmless)
