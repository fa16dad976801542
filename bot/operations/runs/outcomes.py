"""How operations end, in words: pure rules over a plan and the reports of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.bot.core.errors import ResponsibleParty
from slipway.bot.operations.model import Failure, OperationState, Outcome, Plan, StepReport


def own_failure(operation_id: str) -> Failure:
    """A fault of Slipway's own."""
    return Failure(
        sentence="Internal error: Slipway's log says how.",
        responsible=ResponsibleParty.ADMIN,
        hint=f"op {operation_id}",
    )


def unknown_failure(operation_id: str, plan: Plan) -> Failure:
    """Why a plan is not carried out that this Slipway does not know in every part."""
    return Failure(
        sentence=f"This version of Slipway {plan.unknown}.",
        responsible=ResponsibleParty.ADMIN,
        hint=f"op {operation_id}",
    )


def not_seen(plan: Plan, number: int, why: str) -> StepReport:
    """That a step was begun and is not seen done; ``why`` is what was said when it was looked at, if anything."""
    sentence = "It was begun, and is not seen done; whether it takes effect is not known."
    failure = Failure(
        sentence=f"{sentence} {why}".strip(),
        responsible=ResponsibleParty.REQUESTER,
        hint=plan.command,
        unknown=True,
    )
    return StepReport(number=number, title=plan.steps[number - 1].title, failure=failure)


def untried(plan: Plan, number: int, before: Failure) -> StepReport:
    """That a step was not even tried, as the one before it failed like that."""
    failure = Failure(
        sentence=f"It was not tried, as step {number - 1} failed.",
        responsible=before.responsible,
        hint=before.hint,
        when=before.when,
        untried=True,
    )
    return StepReport(number=number, title=plan.steps[number - 1].title, failure=failure)


def contradicted(operation_id: str, sentence: str) -> Failure:
    """Why an operation is not carried out that is not what people agreed to; ``sentence`` says what does not fit."""
    return Failure(
        sentence=f"{sentence} Somebody may have changed Slipway's database: `slipway audit verify` tells more.",
        responsible=ResponsibleParty.ADMIN,
        hint=f"op {operation_id}",
    )


def cancelled_early(by: str) -> tuple[OperationState, Outcome]:
    """The end of what was cancelled before it began; ``by`` is a person's name."""
    return OperationState.CANCELLED, Outcome(summary=f"Cancelled by {by}. Nothing was changed.")


def failed_before(failure: Failure) -> tuple[OperationState, Outcome]:
    """The end of what failed before it began."""
    return OperationState.FAILED, Outcome(summary="It failed before anything was changed.", failure=failure)


def ended_stale(changed: tuple[str, ...], hint: str | None = None) -> tuple[OperationState, Outcome]:
    """The end of what does not hold any more; ``hint`` as in :class:`slipway.bot.operations.model.Outcome`."""
    summary = "Things changed after this was proposed, so nothing was done."
    return OperationState.STALE, Outcome(summary=summary, differences=changed, hint=hint)


@dataclass(frozen=True)
class Stop:
    """What was begun is not to go on.

    Attributes:
        why: a clause, such as “After a break of 3d what was left was planned again, and does not hold any more”.
        changed: what does not hold any more, a line each.
        failure: why it cannot go on, where that is no change.
        hint: what to type next, as in :class:`slipway.bot.operations.model.Outcome`.
    """

    why: str
    changed: tuple[str, ...] = ()
    failure: Failure | None = None
    hint: str | None = None


def stopped_short(plan: Plan, reports: Sequence[StepReport], stop: Stop) -> tuple[OperationState, Outcome]:
    """The end of what was begun, and is not to go on; ``reports`` are of the steps that were tried."""
    state = OperationState.STALE if stop.failure is None else OperationState.FAILED
    summary = f"{stop.why}, so it stopped there: {_counts(plan, reports)}."
    return state, Outcome(summary=summary, differences=stop.changed, failure=stop.failure, hint=stop.hint)


def _counts(plan: Plan, reports: Sequence[StepReport]) -> str:
    """How many steps ended how: ``1 of 3 steps done, of 1 it is not known whether it took effect, 1 not begun``."""
    reports = [report for report in reports if not report.untried]
    total, unknown = len(plan.steps), sum(report.unknown for report in reports)
    failed = sum(report.failure is not None for report in reports) - unknown
    parts = [f"{len(reports) - failed - unknown} of {total} steps done"]
    if failed:
        parts.append(f"{failed} failed")
    if unknown:
        parts.append(f"of {unknown} it is not known whether it took effect")
    if len(reports) < total:
        parts.append(f"{total - len(reports)} not begun")
    return ", ".join(parts)


def steps_outcome(
    operation_id: str,
    plan: Plan,
    reports: Sequence[StepReport],
    cancelled_by: str,
    unconfirmed: Failure | None = None,
) -> tuple[OperationState, Outcome]:
    """How an operation ended, by its steps' reports.

    Args:
        operation_id: which.
        plan: what was to be done.
        reports: of the steps that were tried.
        cancelled_by: the name of whoever asked it to stop; empty if nobody did.
        unconfirmed: why what was done cannot be said to be so after all, where a last look told that.
    """
    total, reports = len(plan.steps), [report for report in reports if not report.untried]
    failed = [report for report in reports if report.failure is not None]
    done = len(reports) - len(failed)
    if failed:
        counts = f"{len(failed)} of {total} steps failed, {done} done"
        left = total - len(reports)
        summary = counts + (f", {left} not tried." if left else ".")
        if any(report.unknown for report in failed):
            stopped = f"Stopped by {cancelled_by}: " if cancelled_by else ""
            summary = f"{stopped}{_counts(plan, reports)}."
        if unconfirmed is not None:
            summary += f" A last look does not confirm that: {unconfirmed.sentence}"
        return OperationState.FAILED, Outcome(summary=summary, failure=failed[0].failure)
    if unconfirmed is not None:
        summary = f"{done} of {total} steps were done, and a last look does not confirm that."
        return OperationState.FAILED, Outcome(summary=summary, failure=unconfirmed)
    if plan.unknown:
        summary = f"It was begun by another version of Slipway, which did {done} of its steps."
        return OperationState.FAILED, Outcome(summary=summary, failure=unknown_failure(operation_id, plan))
    if done < total and cancelled_by:
        summary = f"Stopped by {cancelled_by}: {done} of {total} steps were done, the others were not begun."
        return OperationState.CANCELLED, Outcome(summary=summary)
    if done < total:
        summary = f"It broke off after {done} of {total} steps; the others were not begun."
        return OperationState.FAILED, Outcome(summary=summary, failure=own_failure(operation_id))
    return OperationState.DONE, Outcome(summary=plan.summary)
