"""Approving, rejecting and cancelling: the only ways in which people move an operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from slipway.bot.chat.model import Choice
from slipway.bot.core.errors import UserError
from slipway.bot.core.problems import one_of
from slipway.bot.core.text import nearest
from slipway.bot.core.times import Clock
from slipway.bot.operations.audit import WITHDRAWN, AuditEntry, AuditKey, by_code, doubted
from slipway.bot.operations.decisions import (
    LONGEST_REASON,
    CodeNeededError,
    Decision,
    TooLateError,
    closed,
)
from slipway.bot.operations.model import Operation, OperationState, Outcome, Vote
from slipway.bot.operations.persistence.changes import OperationChange
from slipway.bot.operations.persistence.records import UnknownOperationError
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.policy import (
    Enough,
    Missing,
    Vetoed,
    approval_status,
    deciders,
    may_approve,
    may_decide,
)
from slipway.bot.operations.runs.integrity import VOTE_ACTIONS
from slipway.bot.operations.runs.outcomes import ended_stale
from slipway.bot.people import People, Person

T = TypeVar("T")


class ApprovalService:
    """Applies decisions. Reads everything again from the store; believes nothing but who pressed what."""

    def __init__(self, operations: OperationRepository, people: People, clock: Clock) -> None:
        self._operations = operations
        self._people = people
        self._clock = clock

    async def find(self, operation_id: str) -> Operation:
        """The operation with this id.

        Raises:
            UserError: there is none; names the nearest.
        """
        operation = await self._operations.find(operation_id)
        if operation is None:
            raise self._no_such(operation_id, await self._operations.ids())
        return operation

    def _no_such(self, operation_id: str, offered: Iterable[str]) -> UserError:
        names = nearest(operation_id, offered)
        return UserError(
            f"There is no operation {operation_id}.", nearest=names, given=operation_id, hint="pending"
        )

    async def _change(self, operation_id: str, work: Callable[[OperationChange], Awaitable[T]]) -> T:
        try:
            return await self._operations.change(operation_id, work)
        except UnknownOperationError:
            still_open = [each.id for each in await self._operations.open_ones()]
            raise self._no_such(operation_id, still_open) from None

    async def decide(self, decision: Decision) -> Operation:
        """Count an approval or a rejection, and return the operation as it is then.

        The same event decides once: after a crash it only reports where the operation stands.

        Raises:
            UserError: it does not count, and why.
        """
        return await self._change(decision.operation_id, lambda change: self._decide(change, decision))

    async def _decide(self, change: OperationChange, decision: Decision) -> Operation:
        operation = change.operation
        key = AuditKey.of_vote(operation.id, decision.event_key)
        if not await change.noted(key, AuditKey.of_cancellation(operation.id, decision.event_key)):
            self._check_open(operation, decision.choice)
            self._check_plan(operation, decision)
            withdraws = decision.choice is Choice.REJECT and decision.person.id == operation.requester
            if not withdraws and not may_decide(decision.person, operation, self._people):
                raise UserError(self._refusal(operation, decision))
            if decision.choice is Choice.APPROVE and not may_approve(decision.person, operation):
                name = self._people.name(operation.requester)
                raise UserError(
                    f"{operation.id} is an emergency of {name}'s: it waits for a code of theirs alone."
                )
            self._check_genuine(operation, decision)
            if withdraws:
                await self._cancel(change, decision)
                return change.operation
            await self._vote(change, decision, key, stepped_up=await self._steps_up(change, decision))
        await self._settle(change, decision.person.id)
        return change.operation

    def _check_plan(self, operation: Operation, decision: Decision) -> None:
        """Whether this plan is the one that is meant, and can be decided on."""
        if decision.digest_prefix is not None and not operation.digest.startswith(decision.digest_prefix):
            raise UserError(
                f"{operation.id} has another plan than the one you agree to. Look at it again.",
                hint=f"op {operation.id}",
            )
        if operation.plan.unknown and decision.choice is Choice.APPROVE:
            raise UserError(
                f"{operation.id} was proposed by another version of Slipway, and this one "
                f"{operation.plan.unknown}. It can be rejected or cancelled here.",
                hint=f"op {operation.id}",
            )

    def _check_genuine(self, operation: Operation, decision: Decision) -> None:
        """Whether it counts though somebody could have made it up. Who may not decide is not told to type it."""
        if decision.forgeable and not operation.plan.policy.forgeable_presses:
            raise UserError(
                f"A reaction is not encrypted, so it does not count for {operation.id}. Type it instead.",
                hint=f"{decision.choice} {operation.id} {operation.digest_prefix}",
            )

    async def needs_code(self, operation_id: str, person: Person, digest_prefix: str) -> Operation | None:
        """The operation, if this person's approval of this plan would count with a code, and does not without; None
        where it takes none, or cannot be given: whoever tries hears why."""
        operation = await self._operations.find(operation_id)
        if operation is None or not operation.plan.policy.step_up:
            return None
        decision = Decision(operation_id, person, Choice.APPROVE, "", digest_prefix)
        try:
            self._check_open(operation, decision.choice)
            self._check_plan(operation, decision)
        except UserError:
            return None
        able = may_decide(person, operation, self._people) and may_approve(person, operation)
        return operation if able else None

    async def _steps_up(self, change: OperationChange, decision: Decision) -> bool:
        """Whether a code came with an approval.

        Raises:
            CodeNeededError: none did, and it takes one.
        """
        if decision.choice is not Choice.APPROVE or not change.operation.plan.policy.step_up:
            return False
        if not await change.stepped_up(decision.event_key, decision.person.id):
            raise CodeNeededError(change.operation, decision.reason)
        return True

    async def _vote(
        self, change: OperationChange, decision: Decision, key: AuditKey, *, stepped_up: bool
    ) -> None:
        operation = change.operation
        vote = Vote(
            person=decision.person.id,
            choice=decision.choice,
            reason=decision.reason[:LONGEST_REASON],
            at=self._clock(),
            event_key=decision.event_key,
            doubt=decision.doubt,
            stepped_up=stepped_up,
        )
        entry = AuditEntry(
            key=key,
            at=vote.at,
            actor=vote.person,
            action=VOTE_ACTIONS[vote.choice],
            operation_id=operation.id,
            detail=(
                ("digest", operation.digest),
                ("reason", vote.reason),
                *doubted(vote.doubt),
                *by_code(vote.stepped_up),
            ),
        )
        await change.vote(vote, entry)

    async def _settle(self, change: OperationChange, actor: str) -> None:
        """Move the operation if the votes decide it now."""
        operation = change.operation
        where = approval_status(operation, operation.votes, self._people)
        if operation.state is not OperationState.PROPOSED or isinstance(where, Missing):
            return
        to, outcome = OperationState.APPROVED, None
        if isinstance(where, Vetoed):
            to = OperationState.REJECTED
            why = f": {where.reason.rstrip('.')}." if where.reason else "."
            name = self._people.name(where.by)
            outcome = Outcome(summary=f"Rejected by {name}{why} Nothing was changed.")
        entry = AuditEntry(
            key=AuditKey.of_state(operation.id, to),
            at=self._clock(),
            actor=actor,
            action=to,
            operation_id=operation.id,
            detail=(("digest", operation.digest),),
        )
        await change.move(to, entry, outcome=outcome)

    async def withdraw(self, event_key: str, person: Person) -> str | None:
        """Take back what this person said by this event, unless its operation has begun.

        An approved operation that lacks an approval then ends: what was agreed to is agreed to no more.

        Returns the operation's id; None where there was nothing to take back.

        Raises:
            TooLateError: it has begun, or ended.
        """
        operation_id = await self._operations.voted_on(event_key, person.id)
        if operation_id is not None:
            await self._change(operation_id, lambda change: self._withdraw(change, event_key, person))
        return operation_id

    async def _withdraw(self, change: OperationChange, event_key: str, person: Person) -> None:
        operation = change.operation
        given = next((vote for vote in operation.votes if vote.event_key == event_key), None)
        if given is not None:  # else it was taken back already
            await self._take_back(change, given, person, event_key)

    async def take_back(self, operation_id: str, person: Person, event_key: str) -> Operation:
        """Take back what this person said of an operation, unless it has begun; the same event does it once.

        Raises:
            UserError: there is no such operation, or nothing of theirs to take back.
            TooLateError: it has begun, or ended.
        """

        async def take_back(change: OperationChange) -> Operation:
            if not await change.noted(AuditKey.of_withdrawal(event_key)):
                operation = change.operation
                given = next((vote for vote in operation.votes if vote.person == person.id), None)
                if given is None:
                    raise UserError(
                        f"You have not approved {operation.id}, so there is nothing to take back.",
                        hint=f"op {operation.id}",
                    )
                await self._take_back(change, given, person, event_key)
            return change.operation

        return await self._change(operation_id, take_back)

    async def _take_back(self, change: OperationChange, given: Vote, person: Person, event_key: str) -> None:
        """Take a vote back. ``event_key`` names what the entry is of: the vote itself, or the command for it."""
        operation = change.operation
        if operation.state not in (OperationState.PROPOSED, OperationState.APPROVED):
            raise TooLateError(operation, given)
        entry = AuditEntry(
            key=AuditKey.of_withdrawal(event_key),
            at=self._clock(),
            actor=person.id,
            action=WITHDRAWN,
            operation_id=operation.id,
        )
        await change.take_back(given, entry)
        await self._unsettle(change, person)

    async def _unsettle(self, change: OperationChange, person: Person) -> None:
        """End an approved operation that lacks an approval since this person took theirs back."""
        operation = change.operation
        if operation.state is not OperationState.APPROVED:
            return
        if isinstance(approval_status(operation, operation.votes, self._people), Enough):
            return
        to, outcome = ended_stale((f"{person.name} took their approval back before it began",))
        entry = AuditEntry(
            key=AuditKey.of_state(operation.id, to),
            at=self._clock(),
            actor=person.id,
            action=to,
            operation_id=operation.id,
        )
        await change.move(to, entry, outcome=outcome)

    async def cancel(
        self, operation_id: str, person: Person, event_key: str, *, doubt: str = ""
    ) -> Operation:
        """Withdraw a proposal, or stop a running operation before its next step; the same event does it once.

        Raises:
            UserError: it has ended, or this person may not.
        """

        async def cancel(change: OperationChange) -> Operation:
            if not await change.noted(AuditKey.of_cancellation(change.operation.id, event_key)):
                withdrawal = Decision(operation_id, person, Choice.REJECT, event_key, doubt=doubt)
                await self._cancel(change, withdrawal)
            return change.operation

        return await self._change(operation_id, cancel)

    async def _cancel(self, change: OperationChange, decision: Decision) -> None:
        operation, person = change.operation, decision.person
        reason = decision.reason[:LONGEST_REASON]
        if not self._may_cancel(operation, person):
            who = self._people.name(operation.requester)
            others = ", ".join(each.name for each in deciders(operation, self._people)) or "nobody else"
            raise UserError(f"{operation.id} can be cancelled by {who}, who asked for it, and by: {others}.")
        if operation.state.ended:
            raise UserError(closed(operation), hint=f"op {operation.id}")
        if operation.cancelled_by is not None:
            name = self._people.name(operation.cancelled_by)
            raise UserError(
                f"{name} has stopped {operation.id} already; the step under way is being finished."
            )
        withdrawn = operation.state is OperationState.PROPOSED
        entry = AuditEntry(
            key=AuditKey.of_cancellation(operation.id, decision.event_key),
            at=self._clock(),
            actor=person.id,
            action="cancelled" if withdrawn else "asked to stop",
            operation_id=operation.id,
            detail=((("reason", reason),) if reason else ()) + doubted(decision.doubt),
        )
        if not withdrawn:
            await change.ask_to_stop(entry)
            return
        why = f": {reason.rstrip('.')}." if reason else "."
        summary = f"Cancelled by {self._people.name(person.id)}{why} Nothing was changed."
        outcome = Outcome(summary=summary, doubt=decision.doubt)
        await change.move(OperationState.CANCELLED, entry, outcome=outcome, cancelled_by=person.id)

    def _may_cancel(self, operation: Operation, person: Person) -> bool:
        return person.id == operation.requester or may_decide(person, operation, self._people)

    async def expire(self, operation_id: str) -> bool:
        """End a proposal whose time is over; False if it is not proposed, or its time is not over."""
        operation = await self.find(operation_id)
        now = self._clock()
        if operation.state is not OperationState.PROPOSED or now < operation.expires_at:
            return False
        return await self._operations.move(
            operation.id,
            expected=OperationState.PROPOSED,
            to=OperationState.EXPIRED,
            entry=AuditEntry(
                key=AuditKey.of_state(operation.id, OperationState.EXPIRED),
                at=now,
                actor="slipway",
                action="expired",
                operation_id=operation.id,
            ),
            outcome=Outcome(summary="Too few people agreed in time. Nothing was changed."),
        )

    def _check_open(self, operation: Operation, choice: Choice) -> None:
        hint = f"op {operation.id}"
        if operation.state is not OperationState.PROPOSED:
            if (
                choice is Choice.REJECT and not operation.state.ended
            ):  # too late for that, not for stopping it
                hint = f"cancel {operation.id}"
            raise UserError(closed(operation), hint=hint)
        if self._clock() >= operation.expires_at:  # housekeeping will end it within the minute
            raise UserError(f"{operation.id} has expired; nothing was changed by this.", hint=hint)

    def _refusal(self, operation: Operation, decision: Decision) -> str:
        able = ", ".join(person.name for person in deciders(operation, self._people)) or "nobody"
        verb = decision.choice.value
        if decision.person.id == operation.requester:
            return f"You asked for {operation.id}, so somebody else must {verb} it: {able}."
        right = f"the right to {operation.plan.policy.right or operation.kind}"
        roles = one_of(
            f"the role {demand.role}" if demand.role else right for demand in operation.plan.policy.demands
        )
        return f"You may not {verb} {operation.id}: that takes {roles}. Who can: {able}."
