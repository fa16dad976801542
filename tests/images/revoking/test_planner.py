"""What revoking a version would do, and on how little its plan rests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.clouds.ports.image_publishing import Besides, PublishingPreview
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.revoking.planner import RevokePlanner
from slipway.bot.subjects.images.revoking.requests import Revoke
from tests.images.builders import MemoryGallery, promoted, version
from tests.support.azure import X64
from tests.support.clock import NOW
from tests.support.clouds import galleries

STAGING = "azure.staging"
LATER = NOW + timedelta(hours=2)


def request(number: str = "43.2.0", definition: str = X64, **more: object) -> Revoke:
    return Revoke(person="alice", definition=definition, version=number, words="it hangs", **more)


async def revoke(gallery: MemoryGallery, wanted: Revoke, **others: MemoryGallery) -> Draft[Revoke]:
    return await RevokePlanner(Catalogue(galleries(gallery, **others))).plan(wanted, NOW)


def titles(draft: Draft[Revoke]) -> list[str]:
    return [step.title for step in draft.steps]


def usual() -> MemoryGallery:
    return MemoryGallery(promoted("43.1.0"), promoted("43.2.0"), promoted("43.3.0"), version("43.4.0"))


async def test_the_named_version_goes_whichever_is_latest_and_is_called_bad() -> None:
    draft = await revoke(usual(), request())
    assert titles(draft) == [
        f"take 43.2.0 of {X64} back from latest",
        f"record that 43.2.0 of {X64} is bad",
    ]
    assert draft.evidence == (("Why", "it hangs"), ("Latest", "stays 43.3.0"))
    assert draft.not_before is None
    assert not draft.needs_approval
    latest = await revoke(usual(), request("43.3.0"))
    assert latest.evidence[1] == ("Latest", "43.3.0 → 43.2.0")


async def test_the_card_says_what_else_changes_and_the_plan_does_not_rest_on_it() -> None:
    class Publishing(MemoryGallery):
        """One in which a parameter follows what is latest."""

        async def previews(
            self, versions: Sequence[ImageVersion], *, promoted: bool
        ) -> tuple[PublishingPreview, ...]:
            assert not promoted
            besides = (Besides("Parameter /fedora/43", "eastus", "ami-3 → ami-2"),)
            return tuple(PublishingPreview(besides=besides) for _ in versions)

    gallery = Publishing(promoted("43.1.0"), promoted("43.2.0"), promoted("43.3.0"))
    draft = await revoke(gallery, request("43.3.0"))
    assert dict(draft.evidence)["Parameter /fedora/43"] == "ami-3 → ami-2 in eastus"
    assert draft.observed == {}


async def test_every_cloud_that_has_it_is_meant_and_one_that_lacks_it_is_told() -> None:
    def staging(*numbers: str) -> MemoryGallery:
        return MemoryGallery(*(promoted(each, cloud=STAGING) for each in numbers), cloud=STAGING)

    both = await revoke(usual(), request(), staging=staging("43.1.0", "43.2.0"))
    assert titles(both)[:2] == [
        f"take 43.2.0 of azure:{X64} back from latest",
        f"take 43.2.0 of {STAGING}:{X64} back from latest",
    ]
    one = await revoke(usual(), request(), staging=staging("43.1.0"))
    assert len(one.steps) == 2
    assert one.warnings == (f"{STAGING}:{X64} has no version 43.2.0.",)


async def test_what_was_agreed_to_holds_whatever_is_latest_then_or_was_taken_back() -> None:
    gallery = usual()
    agreed = await revoke(gallery, request(at=LATER))
    assert agreed.not_before == LATER
    gallery.change(X64, "43.4.0", excluded=False)
    gallery.change(X64, "43.2.0", excluded=True, state=VersionState.UPDATING)
    again = await revoke(gallery, agreed.request)
    assert (again.request, again.steps, again.observed) == (agreed.request, agreed.steps, agreed.observed)


async def test_a_region_that_would_be_left_without_a_latest_takes_an_approval_that_knew_it() -> None:
    gallery = usual()
    agreed = await revoke(gallery, request(at=LATER))
    for number in ("43.1.0", "43.3.0"):
        gallery.change(X64, number, excluded=True)
    left = await revoke(gallery, agreed.request)
    assert left.observed == {f"left without a latest in {X64}": ["eastus", "westus"]}
    assert left.observed != agreed.observed
    assert left.needs_approval == f"{X64} is left without a latest: launching it by default will fail."


async def test_what_takes_over_though_it_is_not_fit_is_told() -> None:
    gallery = usual()
    gallery.change(X64, "43.2.0", state=VersionState.FAILED)
    draft = await revoke(gallery, request("43.3.0"))
    assert draft.warnings == (f"43.2.0 takes over in {X64}, though it is Failed, not Succeeded.",)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (
            "43.4.0",
            r"43\.4\.0 of .* is not promoted, so there is nothing to take out of latest; `bad` keeps it",
        ),
        ("43.9.0", r"has no version 43\.9\.0"),
    ],
)
async def test_what_cannot_be_revoked_says_why(number: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        await revoke(usual(), request(number))


async def test_what_is_under_way_with_it_is_in_the_way_of_now_and_not_of_later() -> None:
    gallery = usual()
    gallery.change(X64, "43.2.0", state=VersionState.UPDATING)
    with pytest.raises(UserError, match="is Updating right now"):
        await revoke(gallery, request())
    assert len((await revoke(gallery, request(at=LATER))).steps) == 2
