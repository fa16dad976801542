"""What is told of an end: why steps failed, each reason once."""

from __future__ import annotations

from slipway.bot.core.errors import ResponsibleParty
from slipway.bot.core.steps import StepDone
from slipway.bot.operations.model import Failure, OperationState, Outcome, StepReport
from slipway.bot.operations.presentation.endings import told_in_full
from tests.operations.builders import operation, step

LOST, GONE = "AuthorizationFailed", "ParentResourceNotFound"


def failures(*why: tuple[str, str] | None) -> list[str]:
    """What is told of the steps of an operation that failed, of which each ended so."""
    reports = []
    for number, each in enumerate(why, start=1):
        report = StepReport(number=number, title=f"step {number}", done=StepDone(summary="done"))
        if each is not None:
            sentence, code = each
            failure = Failure(sentence=sentence, responsible=ResponsibleParty.ADMIN, code=code)
            report = report.model_copy(update={"done": None, "failure": failure})
        reports.append(report)
    found = operation(steps=tuple(step(f"43.{number}.0") for number in range(len(why))))
    failed = found.model_copy(
        update={
            "state": OperationState.FAILED,
            "reports": tuple(reports),
            "outcome": Outcome(summary="failed", failure=reports[-1].failure),
        }
    )
    return [line for line in told_in_full(failed, "!") if line.startswith("Step")]


def lost(number: int) -> tuple[str, str]:
    """A right that is not there, for one version."""
    return f"Azure refused to delete 43.{number}.0 of Fedora-43: no right ({LOST}).", LOST


def test_a_right_lost_in_the_middle_is_told_of_the_first_and_counted_for_hundreds() -> None:
    assert failures(None, *(lost(number) for number in range(500))) == [
        f"Step 2: {lost(0)[0]}",
        f"Steps 3 to 501: the same, each of what it is about ({LOST}).",
    ]


def test_what_differs_in_more_than_names_or_has_no_code_of_a_cloud_is_told_of_each() -> None:
    other = ("Azure does not know the group of 43.1.0.", GONE)
    held = [(f"43.{number}.0 is held by Bob.", "") for number in (1, 2)]
    assert failures(lost(1), other, lost(2), None, *held, lost(3)) == [
        f"Step 1: {lost(1)[0]}",
        f"Steps 3 and 7: the same, each of what it is about ({LOST}).",
        f"Step 2: {other[0]}",
        f"Step 5: {held[0][0]}",
        f"Step 6: {held[1][0]}",
    ]


def test_the_very_same_words_are_told_once_for_all() -> None:
    assert failures(lost(1), lost(1), None, lost(1)) == [f"Steps 1, 2 and 4: {lost(1)[0]}"]
