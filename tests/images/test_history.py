"""Which versions were rolled back, by what was done before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.bot.operations.model import OperationState
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.store.database import Database
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.history import RollbackHistory, rolled_back
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Pin, Promote, without_rollbacks, without_rules
from slipway.bot.subjects.images.steps import SetExcluded
from tests.images.builders import MemoryGallery, promoted, version
from tests.support.azure import X64
from tests.support.clock import NOW
from tests.support.clouds import galleries
from tests.support.configuration import DECLARED


@dataclass
class Past:
    """What one operation did to one thing."""

    target: str
    kind: str
    state: OperationState = OperationState.DONE
    times: int = 1
    operation_id: str = ""


def pin(number: str, cloud: str = "azure") -> Pin:
    return Pin(definition=X64, version=number, cloud=cloud)


def change(
    number: str, kind: str = "rollback", state: OperationState = OperationState.DONE, cloud: str = "azure"
) -> Past:
    return Past(pin(number, cloud).target, kind, state)


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (OperationState.PROPOSED, False),
        (OperationState.APPROVED, True),
        (OperationState.RUNNING, True),
        (OperationState.DONE, True),
        (OperationState.FAILED, True),
        (OperationState.STALE, True),  # noted only of one that had begun, and may have done it
        (OperationState.REJECTED, False),
        (OperationState.CANCELLED, True),
    ],
)
def test_a_rollback_counts_from_its_approval_on_however_it_ended(state: OperationState, counts: bool) -> None:
    expected = {pin("43.1.0").target} if counts else set()
    assert rolled_back([change("43.1.0", state=state)]) == expected


def test_a_promotion_that_was_done_takes_it_back_and_another_one_does_not() -> None:
    taken_back = change("43.1.0")
    promoted_again, failed = change("43.1.0", "promote"), change("43.1.0", "promote", OperationState.FAILED)
    back = {pin("43.1.0").target}
    assert rolled_back([taken_back, promoted_again]) == set()
    assert rolled_back([taken_back, change("43.1.0", "promote-override")]) == set()
    assert rolled_back([taken_back, failed]) == back
    assert rolled_back([promoted_again, taken_back]) == back
    assert rolled_back([taken_back, change("43.1.0", "promote", cloud="azure.staging")]) == back


def test_other_kinds_count_for_nothing() -> None:
    assert rolled_back([change("43.1.0", "cleanup")]) == set()


class PastOperations:
    """Notes what it is asked for, and knows some rollbacks."""

    def __init__(self, *rolled_back: str) -> None:
        self.rolled_back = rolled_back
        self.asked: list[Collection[str]] = []

    async def past(
        self, kinds: Collection[str], states: Collection[OperationState], targets: Collection[str]
    ) -> Sequence[Past]:
        self.asked.append(set(targets))
        return [change(number) for number in self.rolled_back]


async def test_only_the_versions_that_are_asked_about_are_looked_up_and_told() -> None:
    operations = PastOperations("43.1.0", "43.2.0")
    history = RollbackHistory(operations)
    assert await history.rolled_back([pin("43.1.0")]) == (pin("43.1.0"),)
    assert await history.rolled_back([]) == ()
    assert operations.asked == [{pin("43.1.0").target}]


async def test_a_gallery_can_have_more_versions_than_one_query_can_name(tmp_path: Path) -> None:
    database = Database(tmp_path / "slipway.db")
    await database.open()
    history = RollbackHistory(OperationRepository(database, DECLARED.registry))
    versions = [pin(f"43.{number}.0") for number in range(40_000)]
    assert await history.rolled_back(versions) == ()
    await database.close()
    operations = PastOperations("43.1.0", "43.39999.0")
    assert await RollbackHistory(operations).rolled_back(versions) == (pin("43.1.0"), pin("43.39999.0"))
    assert {target for asked in operations.asked for target in asked} == {each.target for each in versions}


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


async def test_a_plan_of_format_2_overrides_no_rule_and_chose_by_none() -> None:
    fields = {"kind": "promote", "definition": X64, "pins": [{"definition": X64, "version": "43.2.0"}]}
    request = Promote.model_validate(without_rules({**fields, "rollbacks": {}}))
    assert not request.by_rules
    assert request.overridden == ()
    stored = {
        "kind": "set-excluded",
        "definition": X64,
        "version": "43.2.0",
        "excluded": False,
        "rollbacks": 1,
    }
    step = SetExcluded.model_validate(without_rules({**stored, "why": "newest-candidate"}))
    assert step.overridden == ()
    kinds, steps = DECLARED.registry.kinds, DECLARED.registry.steps
    assert kinds["promote"].upgrades[2] is without_rules
    assert steps["set-excluded"].upgrades[2] is without_rules


async def test_what_can_never_be_chosen_is_not_stored_with_the_plan_and_what_is_many_is_counted() -> None:
    rolled = [f"43.{number}.0" for number in range(1000, 6000)]
    gallery = MemoryGallery(promoted("43.1.0"), version("43.9999.0"), *(version(each) for each in rolled))
    planner = PromotePlanner(Catalogue(galleries(gallery)), RollbackHistory(PastOperations(*rolled)))
    draft = await planner.plan(Promote(definition=X64), NOW)
    assert [step.title for step in draft.steps] == [f"promote 43.9999.0 of {X64}"]
    assert draft.request.avoid == ()

    gallery = MemoryGallery(promoted("43.1.0"), version("43.2.0"), *(version(each) for each in rolled))
    planner = PromotePlanner(Catalogue(galleries(gallery)), RollbackHistory(PastOperations(*rolled)))
    draft = await planner.plan(Promote(definition=X64), NOW)
    assert [step.title for step in draft.steps] == [f"promote 43.2.0 of {X64}"]
    assert len(draft.request.model_dump_json()) < 10_000
    passed_over = [warning for warning in draft.warnings if "43.2.0" not in warning]
    assert passed_over == [
        f"43.5999.0 of {X64} is newer, and is passed over because it was rolled back.",
        f"43.5998.0 of {X64} is newer, and is passed over because it was rolled back.",
        f"43.5997.0 of {X64} is newer, and is passed over because it was rolled back.",
        f"So are 4997 more of {X64}.",
    ]
    again = await planner.plan(draft.request, NOW)
    assert (again.request, again.steps, again.observed) == (draft.request, draft.steps, draft.observed)
