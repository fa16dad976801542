"""Which versions were rolled back, by what was done before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.bot.core.steps import Step
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.repository import OperationRepository
from slipway.bot.store.database import Database
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.history import RollbackHistory, rolled_back
from slipway.bot.subjects.images.promote import PromotePlanner
from slipway.bot.subjects.images.requests import Pin, Promote, without_rollbacks
from slipway.bot.subjects.images.retention import Rule
from slipway.bot.subjects.images.steps import DeleteVersion, FlagReason, SetExcluded
from tests.images.builders import MemoryGallery, promoted, version
from tests.support.azure import X64
from tests.support.clock import NOW
from tests.support.clouds import galleries
from tests.support.configuration import DECLARED


def change(number: str, *, excluded: bool, cloud: str = "azure") -> SetExcluded:
    why = FlagReason.ROLLED_BACK if excluded else FlagReason.NAMED
    return SetExcluded(definition=X64, version=number, excluded=excluded, why=why, cloud=cloud)


def pin(number: str, cloud: str = "azure") -> Pin:
    return Pin(definition=X64, version=number, cloud=cloud)


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (OperationState.PROPOSED, False),
        (OperationState.APPROVED, True),
        (OperationState.RUNNING, True),
        (OperationState.DONE, True),
        (OperationState.FAILED, True),
        (OperationState.STALE, False),
        (OperationState.REJECTED, False),
        (OperationState.CANCELLED, False),
    ],
)
def test_a_rollback_counts_from_its_approval_on_and_if_it_failed(state: OperationState, counts: bool) -> None:
    assert rolled_back([(state, [change("43.1.0", excluded=True)])]) == ((pin("43.1.0"),) if counts else ())


def test_a_promotion_that_was_done_takes_it_back_and_another_one_does_not() -> None:
    taken_back = (OperationState.DONE, [change("43.1.0", excluded=True)])
    promotion = [change("43.1.0", excluded=False)]
    assert rolled_back([taken_back, (OperationState.DONE, promotion)]) == ()
    assert rolled_back([taken_back, (OperationState.FAILED, promotion)]) == (pin("43.1.0"),)
    assert rolled_back([(OperationState.DONE, promotion), taken_back]) == (pin("43.1.0"),)
    elsewhere = [change("43.1.0", excluded=False, cloud="azure.staging")]
    assert rolled_back([taken_back, (OperationState.DONE, elsewhere)]) == (pin("43.1.0"),)


def test_other_steps_count_for_nothing() -> None:
    step = DeleteVersion(definition=X64, version="43.1.0", rule=Rule.CANDIDATES, promoted=False)
    assert rolled_back([(OperationState.DONE, [step])]) == ()


@dataclass
class Past:
    state: OperationState
    steps: tuple[Step, ...]


class PastOperations:
    """Notes what it is asked for, and knows one rollback."""

    def __init__(self, *rolled_back: str) -> None:
        self.rolled_back = rolled_back
        self.asked: list[Collection[str] | None] = []

    async def past(
        self,
        kinds: Collection[str],
        states: Collection[OperationState],
        targets: Collection[str] | None = None,
    ) -> Sequence[Past]:
        self.asked.append(None if targets is None else set(targets))
        steps = tuple(change(number, excluded=True) for number in self.rolled_back)
        return [Past(OperationState.DONE, steps)]


async def test_only_the_versions_that_are_asked_about_are_looked_up_and_told() -> None:
    operations = PastOperations("43.1.0", "43.2.0")
    history = RollbackHistory(operations)
    assert await history.rolled_back([pin("43.1.0")]) == (pin("43.1.0"),)
    assert await history.rolled_back([]) == ()
    assert await history.rolled_back() == (pin("43.1.0"), pin("43.2.0"))
    assert operations.asked == [{pin("43.1.0").target}, None]


async def test_a_gallery_can_have_more_versions_than_one_query_can_name(tmp_path: Path) -> None:
    database = Database(tmp_path / "slipway.db")
    await database.open()
    history = RollbackHistory(OperationRepository(database, DECLARED.registry))
    versions = [pin(f"43.{number}.0") for number in range(40_000)]
    assert await history.rolled_back(versions) == ()
    await database.close()
    operations = PastOperations("43.1.0", "43.39999.0")
    assert await RollbackHistory(operations).rolled_back(versions) == (pin("43.1.0"), pin("43.39999.0"))
    assert {target for asked in operations.asked for target in asked or ()} == {
        each.target for each in versions
    }


async def test_a_promotion_without_a_version_looks_up_the_candidates_that_it_may_choose() -> None:
    gallery = MemoryGallery(version("43.0.1"), promoted("43.1.0"), version("43.2.0"), version("43.3.0"))
    operations = PastOperations("43.3.0")
    planner = PromotePlanner(Catalogue(galleries(gallery)), RollbackHistory(operations))
    draft = await planner.plan(Promote(definition=X64), NOW)
    assert [step.title for step in draft.steps] == [f"promote 43.2.0 of {X64}"]
    assert draft.request.avoid == (pin("43.3.0"),)
    assert operations.asked == [{pin("43.2.0").target, pin("43.3.0").target}]
    again = await planner.plan(draft.request, NOW)
    named = await planner.plan(Promote(definition=X64, version="43.3.0"), NOW)
    assert (again.request, again.steps) == (draft.request, draft.steps)
    assert [step.title for step in named.steps] == [f"promote 43.3.0 of {X64}"]
    # Again and by its number, that version alone is looked up: whether it was rolled back since.
    assert operations.asked[1:] == [{pin("43.2.0").target}, {pin("43.3.0").target}]


async def test_what_was_rolled_back_after_it_was_chosen_is_known_by_counting_and_not_by_time() -> None:
    operations = PastOperations("43.1.0")
    history = RollbackHistory(operations)
    assert await history.taken_back_since(pin("43.1.0"), 0, named=True)
    assert not await history.taken_back_since(pin("43.1.0"), 1, named=True)
    assert not await history.taken_back_since(pin("43.2.0"), 0, named=False)
    # A plan of format 1 noted nothing: what was named may have been rolled back before.
    assert await history.taken_back_since(pin("43.1.0"), None, named=False)
    assert not await history.taken_back_since(pin("43.1.0"), None, named=True)


async def test_a_plan_of_format_1_is_planned_again_as_it_was() -> None:
    fields = {"kind": "promote", "definition": X64, "pins": [{"definition": X64, "version": "43.2.0"}]}
    request = Promote.model_validate(without_rollbacks(dict(fields)))
    gallery = MemoryGallery(promoted("43.1.0"), version("43.2.0"))
    planner = PromotePlanner(Catalogue(galleries(gallery)), RollbackHistory(PastOperations()))
    draft = await planner.plan(request, NOW)
    assert draft.request == request
    stored = {"kind": "set-excluded", "definition": X64, "version": "43.2.0", "excluded": False}
    step = SetExcluded.model_validate(without_rollbacks({**stored, "why": "newest-candidate"}))
    assert draft.steps == (step,)
