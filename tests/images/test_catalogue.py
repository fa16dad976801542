"""Order, latest, candidates, and finding what somebody named."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import (
    ImageVersion,
    UnreadableVersion,
    VersionListing,
    VersionNumber,
    VersionState,
)
from slipway.bot.clouds.simulated.azure import Seed
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.versions import (
    VersionStatus,
    find_version,
    latest,
    latest_by_region,
    nearest_numbers,
    newest_candidate,
    newest_first,
    version_statuses,
)
from tests.images.builders import MemoryGallery, promoted, version
from tests.support.azure import ARM, RAWHIDE, X64, azure_harness
from tests.support.clock import DAY, NOW
from tests.support.clouds import galleries

BOTH = (DefinitionRef("azure", X64), DefinitionRef("azure", ARM))


def test_versions_compare_as_integers_never_as_text() -> None:
    held = [promoted("1.0.9"), promoted("1.0.12"), promoted("1.0.1")]
    assert [str(each.number) for each in newest_first(held)] == ["1.0.12", "1.0.9", "1.0.1"]
    assert latest(held, "eastus") == held[1]


def test_latest_is_told_by_region_where_flags_and_replicas_differ() -> None:
    old = promoted("43.1.0")
    here = promoted("43.2.0", regions={"eastus": None})
    held_back = promoted("43.3.0", regions={"eastus": True, "westus": None})
    opened = version("43.0.5", regions={"northeurope": False})  # excluded, but not in this region
    top = latest_by_region([old, here, held_back, opened])
    assert {region: str(each.number) for region, each in top.items()} == {
        "eastus": "43.2.0",
        "northeurope": "43.0.5",
        "westus": "43.3.0",
    }
    assert latest([old, here], "brazilsouth") is None


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.booleans(), st.sets(st.sampled_from("abc"))),
        unique_by=lambda each: each[0],
    )
)
def test_latest_by_region_is_latest_of_each_region(drawn: list[tuple[int, bool, set[str]]]) -> None:
    held = [version(f"1.{number}.0", excluded=flag, regions=where) for number, flag, where in drawn]
    top = latest_by_region(held)
    assert {region: latest(held, region) for region in "abc"} == {region: top.get(region) for region in "abc"}


def test_the_newest_candidate_is_sound_and_newer_than_everything_promoted() -> None:
    held = [
        version("43.9.0", state=VersionState.FAILED),
        version("43.8.0", ends=NOW - DAY),
        version("43.7.0"),
        version("43.6.0"),
        promoted("43.5.0"),
    ]
    assert newest_candidate(held, NOW) == held[2]
    assert newest_candidate([version("43.1.0"), promoted("43.5.0")], NOW) is None
    assert newest_candidate([version("43.1.0")], NOW) == version("43.1.0")
    assert newest_candidate([], NOW) is None


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (promoted("43.5.0"), (VersionStatus.LATEST,)),
        (promoted("43.4.0"), (VersionStatus.PROMOTED,)),
        (version("43.6.0"), (VersionStatus.CANDIDATE,)),
        (version("43.6.0", state=VersionState.FAILED), (VersionStatus.CANDIDATE, VersionStatus.FAILED)),
        (version("43.6.0", state=VersionState.CREATING), (VersionStatus.CANDIDATE, VersionStatus.BUSY)),
        (
            promoted("43.4.0", ends=NOW - DAY, tags={"delete": "never"}),
            (VersionStatus.PROMOTED, VersionStatus.ENDED, VersionStatus.PROTECTED),
        ),
    ],
)
def test_a_versions_status_says_its_part_in_launches_first(
    shown: ImageVersion, words: tuple[str, ...]
) -> None:
    top = latest_by_region([promoted("43.5.0"), shown])
    assert version_statuses(shown, top, NOW, "fedora-cloud") == words


def test_an_unknown_version_names_the_nearest_and_gibberish_says_how_versions_look() -> None:
    held = [version("43.20261001.0"), version("43.20261008.0")]
    with pytest.raises(UserError) as unknown:
        find_version(held, X64, "43.20261009.0")
    assert "43.20261008.0" in unknown.value.nearest
    with pytest.raises(UserError, match=r"look like 40\.20240501\.0"):
        find_version(held, X64, "newest")


@given(
    st.lists(st.tuples(st.integers(40, 44), st.integers(0, 30), st.integers(0, 2)), min_size=1, unique=True),
    st.tuples(st.integers(40, 44), st.integers(0, 30), st.integers(0, 2)),
)
def test_the_nearest_numbers_are_neighbours(held: list[tuple[int, ...]], wanted: tuple[int, ...]) -> None:
    numbers = [VersionNumber(*parts) for parts in held]
    first, *others = nearest_numbers(VersionNumber(*wanted), numbers)
    assert len(others) <= 2

    def distance(text: str) -> tuple[int, ...]:
        return tuple(
            abs(one - other) for one, other in zip(VersionNumber.parse(text).parts, wanted, strict=True)
        )

    assert distance(first) == min(distance(str(number)) for number in numbers)


def test_a_version_that_cannot_be_read_is_not_said_to_be_missing() -> None:
    odd = UnreadableVersion("43.20261008.00", "is no version")
    with pytest.raises(
        UserError, match=r"43\.20261008\.00 is no version in .*: it is held back from every change"
    ):
        find_version([version("43.20261001.0")], X64, "43.20261008.00", unreadable=[odd])


async def test_definitions_are_found_by_name_in_any_case_and_by_pattern() -> None:
    catalogue = Catalogue(galleries(MemoryGallery(empty=[X64, ARM, RAWHIDE])))
    assert [each.name for each in await catalogue.matching("fedora-cloud-43-X64")] == [X64]
    assert [each.name for each in await catalogue.matching("Fedora-Cloud-43-*")] == [ARM, X64]
    assert len(await catalogue.matching(None)) == 3


@pytest.mark.parametrize("wanted", ["Fedora-Cloud-43-x46", "Fedora-Clod-43-x6*"])
async def test_an_unknown_definition_names_the_nearest(wanted: str) -> None:
    with pytest.raises(UserError) as caught:
        await Catalogue(galleries(MemoryGallery(empty=[X64, ARM, RAWHIDE]))).matching(wanted)
    assert caught.value.nearest[0] == X64


async def test_one_definition_is_not_a_pattern_that_fits_two() -> None:
    catalogue = Catalogue(galleries(MemoryGallery(empty=[X64, ARM])))
    assert (await catalogue.one("*-x64")).name == X64
    with pytest.raises(UserError, match="one at a time"):
        await catalogue.one("Fedora-*")


async def test_a_gallery_without_definitions_is_a_fault() -> None:
    with pytest.raises(CloudError) as caught:
        await Catalogue(galleries(MemoryGallery())).matching(None)
    assert caught.value.kind is CloudErrorKind.UNEXPECTED_ANSWER


class MeetingGallery(MemoryGallery):
    """Answers no listing before all of them have been asked for."""

    def __init__(self, *versions: ImageVersion, parties: int) -> None:
        super().__init__(*versions)
        self.barrier = asyncio.Barrier(parties)

    async def versions(self, definition: str) -> VersionListing:
        await self.barrier.wait()
        return await super().versions(definition)


async def test_versions_of_many_definitions_are_listed_side_by_side() -> None:
    gallery = MeetingGallery(promoted("43.1.0"), promoted("43.1.0", definition=ARM), parties=2)
    found = await asyncio.wait_for(
        Catalogue(galleries(gallery)).versions_of(BOTH),
        10,
    )
    assert {each.name: len(versions) for each, versions in found.items()} == {X64: 1, ARM: 1}


async def test_one_failed_listing_fails_them_all_with_the_clouds_own_error() -> None:
    gallery = MemoryGallery(promoted("43.1.0"), promoted("43.1.0", definition=ARM))
    gallery.failing[ARM] = CloudError(CloudErrorKind.THROTTLED, cloud="azure", sentence="slow down")
    with pytest.raises(CloudError, match="slow down"):
        await Catalogue(galleries(gallery)).versions_of(BOTH)


async def test_versions_are_listed_while_the_pages_of_definitions_still_arrive() -> None:
    async with azure_harness(many(6, 2, NOW), page_size=2) as here:
        second_page = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET */images", after=1))
        found = asyncio.create_task(Catalogue(here.clouds).everything())
        await second_page.reached.wait()
        first = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET */images/*/versions"))
        await first.reached.wait()
        first.release()
        second_page.release()
        assert [(ref.name, len(versions)) for ref, versions in (await found).items()] == [
            (definition.name, 2) for definition in here.azure.seed.definitions
        ]
        assert len(here.azure.requests) == 3 + 6


@pytest.mark.parametrize("match", ["GET */images", "GET */images/*/versions"])
async def test_what_cannot_be_listed_while_pages_arrive_fails_all_of_it(match: str) -> None:
    async with azure_harness(many(6, 2, NOW), page_size=2) as here:
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match=match, after=1))
        with pytest.raises(CloudError) as caught:
            await Catalogue(here.clouds).everything()
        assert caught.value.kind is CloudErrorKind.REFUSED


async def test_a_gallery_that_lists_no_definitions_is_no_ground_for_anything() -> None:
    async with azure_harness(Seed(())) as here:
        with pytest.raises(CloudError, match="lists no image definitions at all"):
            await Catalogue(here.clouds).everything()
