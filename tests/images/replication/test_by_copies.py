"""Rolling back, revoking and cleaning up go by what is there, and not by flags alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from slipway.bot.clouds.model import ImageVersion, Replication, ReplicationState, VersionListing
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.replication.looking import newest_first_asked
from slipway.bot.subjects.images.requests import Cleanup, Rollback
from slipway.bot.subjects.images.revoking.planner import RevokePlanner
from slipway.bot.subjects.images.revoking.requests import Revoke
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from slipway.bot.subjects.images.steps import DeleteVersion
from tests.images.builders import POLICY, CopyingGallery, promoted
from tests.support.azure import RAWHIDE, X64
from tests.support.clock import DAY, NOW
from tests.support.clouds import galleries

REGIONS = ("eastus", "westeurope")
DONE = Replication(ReplicationState.COMPLETED, 100)
FAILED = Replication(ReplicationState.FAILED, 0, "No capacity.")
HALF = Replication(ReplicationState.REPLICATING, 40)


def there(number: str, copies: Mapping[str, Replication] | None = None, **given: object) -> ImageVersion:
    """A promoted version with its copies; complete where nothing else is said."""
    made = promoted(number, regions=REGIONS, **given)
    told = copies or {}
    return replace(
        made, regions=tuple(replace(each, replication=told.get(each.name, DONE)) for each in made.regions)
    )


def catalogue(*versions: ImageVersion) -> Catalogue:
    return Catalogue(galleries(CopyingGallery(*versions)))


async def test_a_rollback_says_where_what_takes_over_is_not_and_what_launches_there() -> None:
    held = catalogue(there("43.1.0"), there("43.2.0", {"westeurope": FAILED}), there("43.3.0"))
    draft = await RollbackPlanner(held).plan(Rollback(definition=X64), NOW)
    assert [step.title for step in draft.steps] == [f"take 43.3.0 of {X64} back from latest"]
    assert draft.summary == f"Latest of {X64} are again 43.2.0 in eastus and 43.1.0 in westeurope."
    assert draft.evidence[:2] == (
        ("Latest in eastus", "43.3.0 → 43.2.0"),
        ("Latest in westeurope", "43.3.0 → 43.1.0"),
    )
    told = (
        f"43.2.0 of {X64} is not in every region: westeurope failed (“No capacity.”). There, 43.1.0 launches."
    )
    assert told in draft.warnings


async def test_a_rollback_leaves_no_region_without_a_latest_and_says_what_does() -> None:
    held = catalogue(there("43.2.0", {"westeurope": FAILED}), there("43.3.0"))
    with pytest.raises(UserError) as caught:
        await RollbackPlanner(held).plan(Rollback(definition=X64), NOW)
    assert caught.value.sentence == (
        f"43.2.0 would be latest of {X64} again, and is not in westeurope (westeurope failed (“No capacity.”)): "
        "nothing would launch there. `revoke` takes 43.3.0 back all the same."
    )
    assert caught.value.hint == f"revoke {X64}/43.3.0 it has to go at once"


async def test_what_is_latest_nowhere_yet_is_taken_back_though_nothing_changes() -> None:
    held = catalogue(there("43.1.0"), there("43.2.0", dict.fromkeys(REGIONS, HALF)))
    draft = await RollbackPlanner(held).plan(Rollback(definition=X64), NOW)
    assert draft.summary == f"43.2.0 of {X64} may be latest nowhere any more."
    assert ("Latest", "stays 43.1.0") in draft.evidence


async def test_a_copy_that_ends_meanwhile_makes_no_rollback_and_no_revocation_stale() -> None:
    gallery = CopyingGallery(there("43.1.0"), there("43.2.0", {"westeurope": HALF}), there("43.3.0"))
    held = Catalogue(galleries(gallery))
    back = await RollbackPlanner(held).plan(Rollback(definition=X64), NOW)
    revoke = Revoke(person="bob", definition=X64, version="43.3.0", words="it hangs")
    revoked = await RevokePlanner(held).plan(revoke, NOW)
    gallery.put(there("43.2.0"))
    again = await RollbackPlanner(held).plan(back.request, NOW)
    assert (again.request, again.steps, again.observed) == (back.request, back.steps, back.observed)
    assert again.summary == f"43.2.0 is latest of {X64} again."
    once_more = await RevokePlanner(held).plan(revoked.request, NOW)
    assert (once_more.steps, once_more.observed) == (revoked.steps, revoked.observed)


async def test_a_revocation_tells_the_regions_that_are_left_bare_by_copies() -> None:
    held = catalogue(there("43.2.0", {"westeurope": FAILED}), there("43.3.0"))
    revoke = Revoke(person="bob", definition=X64, version="43.3.0", words="it hangs")
    draft = await RevokePlanner(held).plan(revoke, NOW)
    assert draft.needs_approval == (
        f"{X64} in westeurope is left without a latest: launching it by default will fail."
    )
    assert ("Latest in westeurope", "43.3.0 → none") in draft.evidence


@pytest.mark.parametrize("copies", [{}, {"westeurope": FAILED}])
async def test_a_clean_up_keeps_what_launches_where_the_newer_ones_are_not(
    copies: Mapping[str, Replication],
) -> None:
    old = there("43.0.0", definition=RAWHIDE)
    newer = [there(f"43.{number}.0", copies, definition=RAWHIDE) for number in range(1, 10)]
    planner = CleanupPlanner(catalogue(old, *newer), POLICY)
    draft = await planner.plan(Cleanup(definition=RAWHIDE), NOW)
    gone = {step.version for step in draft.steps if isinstance(step, DeleteVersion)}
    assert gone == ({"43.1.0", "43.2.0"} if copies else {"43.0.0", "43.1.0", "43.2.0"})


def test_of_very_many_definitions_those_with_the_newest_latest_are_asked_about() -> None:
    listed = {
        DefinitionRef("azure", f"D{number}"): VersionListing(
            (promoted("43.1.0", definition=f"D{number}", published=NOW - number * DAY),)
        )
        for number in range(5)
    }
    listed[DefinitionRef("azure", "Empty")] = VersionListing()
    assert [each.name for each in newest_first_asked(listed, 2)] == ["D0", "D1"]
    assert len(newest_first_asked(listed, 9)) == 5
