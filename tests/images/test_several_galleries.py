"""Two galleries in one installation: names, patterns, plans and changes."""

from __future__ import annotations

import pytest

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Definition
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.definitions import split_cloud
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Cleanup, Pin, Promote, Rollback
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from slipway.bot.subjects.images.steps import DeleteVersion, FlagReason, SetExcluded
from tests.images.builders import POLICY, MemoryGallery, candidates, promoted, version
from tests.support.azure import ARM, RAWHIDE, X64
from tests.support.clock import DAY, NOW, POLL_AT_ONCE
from tests.support.clouds import galleries

STAGING = "azure.staging"


def main_gallery() -> MemoryGallery:
    """X64 in both galleries, ARM in this one alone."""
    return MemoryGallery(promoted("43.1.0"), version("43.2.0"), promoted("43.1.0", definition=ARM))


def staging_gallery() -> MemoryGallery:
    """X64 in both galleries, RAWHIDE in this one alone."""
    return MemoryGallery(
        promoted("43.1.0", cloud=STAGING),
        version("43.2.0", cloud=STAGING),
        promoted("44.1.0", definition=RAWHIDE, cloud=STAGING),
        cloud=STAGING,
    )


@pytest.fixture
def main() -> MemoryGallery:
    return main_gallery()


@pytest.fixture
def staging() -> MemoryGallery:
    return staging_gallery()


@pytest.fixture
def clouds(main: MemoryGallery, staging: MemoryGallery) -> Clouds:
    return galleries(main, staging=staging)


async def test_a_definition_is_told_with_its_cloud_only_where_another_cloud_has_one_of_its_name(
    clouds: Clouds,
) -> None:
    found = await Catalogue(clouds).definitions()
    assert [str(each) for each in found] == [ARM, f"azure:{X64}", f"{STAGING}:{X64}", RAWHIDE]


async def test_a_name_means_the_definition_in_every_cloud_that_has_it_or_the_one_that_is_said(
    clouds: Clouds,
) -> None:
    catalogue = Catalogue(clouds)
    everywhere = [f"azure:{X64}", f"{STAGING}:{X64}"]
    assert [str(each) for each in await catalogue.namesakes(X64.lower())] == everywhere
    assert [str(each) for each in await catalogue.matching(X64.lower())] == everywhere
    for wanted, cloud in ((f"azure:{X64}", "azure"), (f"Azure.Staging:{X64.lower()}", STAGING)):
        assert (await catalogue.one(wanted)).cloud == cloud
    with pytest.raises(UserError, match="matches 3 definitions; this works on one at a time"):
        await catalogue.namesakes("Fedora-Cloud-43-*")


async def test_a_cloud_that_cannot_be_read_keeps_nobody_from_rolling_back_in_another(
    clouds: Clouds, main: MemoryGallery, staging: MemoryGallery
) -> None:
    async def refused() -> tuple[Definition, ...]:
        raise CloudError(CloudErrorKind.REFUSED, cloud=STAGING, sentence="Its secret has expired.")

    main.put(promoted("43.2.0", definition=ARM))
    planner = RollbackPlanner(Catalogue(clouds))
    before = await planner.plan(Rollback(definition=ARM), NOW)
    staging.definitions = refused  # type: ignore[method-assign]
    main.change(X64, "43.2.0", excluded=False)
    assert (await planner.plan(before.request, NOW)).steps == before.steps
    with pytest.raises(CloudError, match="Its secret has expired"):
        await planner.plan(Rollback(definition=X64), NOW)
    draft = await planner.plan(Rollback(definition=f"azure:{X64}"), NOW)
    assert [step.title for step in draft.steps] == [f"take 43.2.0 of azure:{X64} back from latest"]
    assert (await planner.plan(draft.request, NOW)).steps == draft.steps
    with pytest.raises(UserError, match="no image definition azure:Fedora-Cloud-9"):
        await planner.plan(Rollback(definition="azure:Fedora-Cloud-9"), NOW)


async def test_what_works_in_one_cloud_only_asks_which(clouds: Clouds) -> None:
    with pytest.raises(UserError) as caught:
        await Catalogue(clouds).one(X64.lower())
    assert caught.value.sentence == f"{X64.lower()} is a definition in azure and {STAGING}; say which."
    assert caught.value.nearest == (f"azure:{X64}", f"{STAGING}:{X64}")


async def test_a_name_in_several_clouds_is_promoted_in_each_and_says_where_it_is_not(
    clouds: Clouds, staging: MemoryGallery
) -> None:
    planner = PromotePlanner(Catalogue(clouds))
    for request in (Promote(definition=X64), Promote(definition=X64, version="43.2.0")):
        both = await planner.plan(request, NOW)
        assert [step.title for step in both.steps] == [
            f"promote 43.2.0 of azure:{X64}",
            f"promote 43.2.0 of {STAGING}:{X64}",
        ]
        assert both.warnings == ()
    staging.change(X64, "43.2.0", excluded=False)
    one = await planner.plan(Promote(definition=X64), NOW)
    assert [step.title for step in one.steps] == [f"promote 43.2.0 of azure:{X64}"]
    assert one.warnings == (f"{STAGING}:{X64} has no candidate newer than its latest, 43.2.0.",)
    del staging.held[X64][version("43.2.0").number]
    with pytest.raises(UserError, match=rf"{STAGING}:{X64} has no version 43\.2\.0"):
        await planner.plan(Promote(definition=X64, version="43.2.0"), NOW)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Fedora-Cloud-43-*", [ARM, f"azure:{X64}", f"{STAGING}:{X64}"]),
        ("azure:Fedora-*", [ARM, f"azure:{X64}"]),
        (f"{STAGING}:*", [f"{STAGING}:{X64}", RAWHIDE]),
        (f"{STAGING}:{RAWHIDE}", [RAWHIDE]),
    ],
)
async def test_a_pattern_matches_in_all_clouds_or_in_the_one_that_is_named(
    clouds: Clouds, wanted: str, found: list[str]
) -> None:
    assert [str(each) for each in await Catalogue(clouds).matching(wanted)] == found


async def test_a_definition_of_another_cloud_is_not_found_in_the_one_that_is_named(clouds: Clouds) -> None:
    with pytest.raises(UserError, match=f"There is no image definition azure:{RAWHIDE}"):
        await Catalogue(clouds).matching(f"azure:{RAWHIDE}")
    with pytest.raises(UserError, match=r"There is no image definition azure\.typo:"):
        await Catalogue(clouds).matching(f"azure.typo:{X64}")


async def test_with_one_gallery_its_name_is_accepted_and_not_shown() -> None:
    catalogue = Catalogue(galleries(main_gallery()))
    assert str(await catalogue.one(f"azure:{X64}")) == X64


@pytest.mark.parametrize("failing", ["main", "staging"])
async def test_one_gallery_that_cannot_be_listed_fails_the_plan(
    clouds: Clouds, main: MemoryGallery, staging: MemoryGallery, failing: str
) -> None:
    gallery = main if failing == "main" else staging
    gallery.failing[X64] = CloudError(CloudErrorKind.THROTTLED, cloud=gallery.cloud, sentence="slow down")
    with pytest.raises(CloudError, match="slow down"):
        await CleanupPlanner(Catalogue(clouds), POLICY).plan(Cleanup(), NOW)


async def test_a_gallery_without_definitions_is_a_fault_that_says_which() -> None:
    with pytest.raises(CloudError, match="The gallery in Staging lists no image definitions") as caught:
        await Catalogue(
            galleries(main_gallery(), staging=MemoryGallery(cloud=STAGING, title="Staging"))
        ).definitions()
    assert caught.value.cloud == STAGING


async def test_the_same_version_is_promoted_in_each_cloud_by_a_step_of_its_own(
    clouds: Clouds, main: MemoryGallery, staging: MemoryGallery
) -> None:
    planner = PromotePlanner(Catalogue(clouds))
    draft = await planner.plan(Promote(definition="*-x64"), NOW)
    assert [step.title for step in draft.steps] == [
        f"promote 43.2.0 of azure:{X64}",
        f"promote 43.2.0 of {STAGING}:{X64}",
    ]
    assert len(draft.observed) == 4  # two versions and two latest: no cloud's facts hide another's
    again = await planner.plan(draft.request, NOW)
    assert (again.request, again.steps, again.observed) == (draft.request, draft.steps, draft.observed)

    step = draft.steps[1]
    assert isinstance(step, SetExcluded)
    executor = SetExcludedExecutor(clouds, POLL_AT_ONCE)
    await executor.act(step, "token")
    done = await executor.verify(step, "token")
    assert done.summary == (f"43.2.0 of {STAGING}:{X64} is promoted. Latest is 43.2.0 in eastus and westus.")
    assert [gallery.held[X64][version("43.2.0").number].promoted for gallery in (main, staging)] == [
        False,
        True,
    ]


def two_promoted() -> tuple[MemoryGallery, MemoryGallery]:
    """X64 in two galleries, with a version each to roll back to."""
    return MemoryGallery(promoted("43.1.0"), promoted("43.2.0")), MemoryGallery(
        promoted("43.1.0", cloud=STAGING), promoted("43.3.0", cloud=STAGING), cloud=STAGING
    )


async def test_a_rollback_keeps_to_its_cloud_when_it_is_planned_again() -> None:
    main, staging = two_promoted()
    planner = RollbackPlanner(Catalogue(galleries(main, staging=staging)))
    draft = await planner.plan(Rollback(definition=f"{STAGING}:{X64}"), NOW)
    (step,) = draft.steps
    assert isinstance(step, SetExcluded)
    assert step.cloud == STAGING
    again = await planner.plan(draft.request, NOW)
    assert (again.request, again.steps) == (draft.request, draft.steps)


async def test_a_rollback_of_a_name_takes_back_what_is_latest_in_each_cloud_or_nothing() -> None:
    main, staging = two_promoted()
    planner = RollbackPlanner(Catalogue(galleries(main, staging=staging)))
    draft = await planner.plan(Rollback(definition=X64), NOW)
    assert [step.title for step in draft.steps] == [
        f"take 43.2.0 of azure:{X64} back from latest",
        f"take 43.3.0 of {STAGING}:{X64} back from latest",
    ]
    assert draft.independent
    assert (
        draft.summary == f"43.1.0 is latest of azure:{X64} again. 43.1.0 is latest of {STAGING}:{X64} again."
    )
    again = await planner.plan(draft.request, NOW)
    assert (again.request, again.steps, again.observed) == (draft.request, draft.steps, draft.observed)
    main.change(X64, "43.2.0", excluded=True)  # as after the first of the steps
    left = await planner.plan(draft.request, NOW)
    assert (left.request, left.steps) == (draft.request, draft.steps[1:])
    del staging.held[X64][version("43.1.0").number]
    main.change(X64, "43.2.0", excluded=False)
    with pytest.raises(UserError, match=rf"{STAGING}:{X64} has no promoted version before 43\.3\.0"):
        await planner.plan(Rollback(definition=X64), NOW)


async def test_a_cleanup_deletes_in_the_cloud_that_it_judged() -> None:
    old = version("43.0.1", ends=NOW - DAY)
    main = MemoryGallery(promoted("43.1.0"), old)
    staging = MemoryGallery(
        promoted("43.1.0", cloud=STAGING),
        *(version(str(each.number), cloud=STAGING) for each in candidates(9, first=2)),
        cloud=STAGING,
    )
    clouds = galleries(main, staging=staging)
    draft = await CleanupPlanner(Catalogue(clouds), POLICY).plan(Cleanup(), NOW)
    assert [step.title for step in draft.steps] == [
        f"delete 43.0.1 of azure:{X64}",
        f"delete 43.2.0 of {STAGING}:{X64}",
        f"delete 43.3.0 of {STAGING}:{X64}",
    ]
    executor = DeleteVersionExecutor(clouds, RemovalChecks(clouds, POLICY, lambda: NOW), POLL_AT_ONCE)
    for step in draft.steps:
        assert isinstance(step, DeleteVersion)
        assert await executor.observe(step, "token") is None
        await executor.act(step, "token")
        await executor.verify(step, "token")
    assert [len(gallery.held[X64]) for gallery in (main, staging)] == [1, 8]


async def test_a_step_of_a_cloud_that_is_configured_no_more_changes_nothing_and_says_so() -> None:
    step = SetExcluded.model_validate(
        {"definition": X64, "version": "43.2.0", "cloud": "azure.gone", "excluded": False, "why": "named"}
    )
    with pytest.raises(UserError, match=r"slipway\.toml has no \[azure\.gone\] table"):
        await SetExcludedExecutor(galleries(main_gallery()), POLL_AT_ONCE).observe(step, "token")


def test_what_was_stored_without_a_cloud_is_azures() -> None:
    step = SetExcluded.model_validate_json(
        '{"kind":"set-excluded","definition":"F","version":"1.2.3","excluded":true,"why":"rolled-back"}'
    )
    assert (step.cloud, step.title) == ("azure", "take 1.2.3 of F back from latest")
    assert Pin.model_validate_json('{"definition":"F","version":"1.2.3"}').ref.cloud == "azure"


def test_what_a_step_changes_is_named_for_locks_and_for_looking_back() -> None:
    step = SetExcluded(definition=X64, version="43.1.0", excluded=True, why=FlagReason.NAMED, cloud=STAGING)
    assert step.touched == (f"definition {STAGING}:{X64.lower()}",)
    assert step.target == f"version {STAGING} {X64.lower()} 43.1.0"


def test_a_cloud_is_known_in_any_case_and_best_as_it_is_written() -> None:
    assert split_cloud("Azure.Staging:F", ("azure", "azure.staging")) == ("azure.staging", "F")
    for clouds in (("azure.One", "azure.one"), ("azure.one", "azure.One")):
        assert split_cloud("azure.one:F", clouds) == ("azure.one", "F")
        assert split_cloud("azure.One:F", clouds) == ("azure.One", "F")
    assert split_cloud("azure.two:F", ("azure",)) == (None, "azure.two:F")
