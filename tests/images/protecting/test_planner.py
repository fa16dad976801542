"""What is planned to be protected from deletion, and what stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_protection import ProtectionSeen
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.promoting.planner import PromotePlanner, PromotionT
from slipway.bot.subjects.images.protecting.planner import ProtectingPlanner, latest_after
from slipway.bot.subjects.images.requests import LatestChange, Promote, Rollback
from slipway.bot.subjects.images.revoking.planner import RevokePlanner
from slipway.bot.subjects.images.revoking.requests import Revoke
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner
from slipway.bot.subjects.images.rules.settings import PromotionSettings
from slipway.bot.subjects.images.steps import ProtectVersion
from tests.images.builders import MemoryGallery, promoted, version
from tests.support.azure import ARM, X64
from tests.support.clock import NOW
from tests.support.clouds import galleries

PROTECT = {"*": PromotionSettings(protect=True)}

PLANNERS: Mapping[type[LatestChange], Any] = {
    Promote: PromotePlanner,
    Rollback: RollbackPlanner,
    Revoke: RevokePlanner,
}


class ProtectingGallery(MemoryGallery):
    """One whose versions can be protected; ``seen`` says how those are that are not as nothing protects them."""

    protection_title = "a lock"
    protection_cooldown = timedelta()

    def __init__(self, *versions: ImageVersion, seen: Mapping[str, ProtectionSeen] | None = None) -> None:
        super().__init__(*versions)
        self.seen = dict(seen or {})

    async def protections(self, versions: Sequence[ImageVersion]) -> tuple[ProtectionSeen, ...]:
        return tuple(self.seen.get(str(each.number), ProtectionSeen()) for each in versions)

    async def protect_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        raise NotImplementedError

    async def lift_protection(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        raise NotImplementedError


def usual(*more: ImageVersion, **seen: ProtectionSeen) -> ProtectingGallery:
    """Two promoted versions, and a candidate."""
    return ProtectingGallery(promoted("43.1.0"), promoted("43.2.0"), version("43.3.0"), *more, seen=seen)


async def plan(
    gallery: MemoryGallery, request: LatestChange, tables: Mapping[str, PromotionSettings] = PROTECT
) -> Draft[Any]:
    planner: ProtectingPlanner[Any] = ProtectingPlanner(
        PLANNERS[type(request)], Catalogue(galleries(gallery)), tables
    )
    return await planner.plan(request, NOW)


def protected(draft: Draft[Any]) -> list[str]:
    return [step.version for step in draft.steps if isinstance(step, ProtectVersion)]


async def test_what_becomes_latest_is_protected_by_a_step_behind_its_promotion() -> None:
    draft = await plan(usual(), Promote(definition=X64))
    assert [step.title for step in draft.steps] == [
        f"promote 43.3.0 of {X64}",
        f"protect 43.3.0 of {X64} from deletion",
    ]
    assert dict(draft.evidence)["Protected from deletion"] == "by a lock"
    assert draft.summary == f"43.3.0 is latest of {X64}."


async def test_nothing_is_protected_unless_it_is_configured_for_the_definition() -> None:
    for tables in (
        {},
        {"*": PromotionSettings()},
        {X64: PromotionSettings(), "*": PromotionSettings(protect=True)},
    ):
        assert protected(await plan(usual(), Promote(definition=X64), tables)) == []


@pytest.mark.parametrize(
    ("request_", "version_"),
    [
        (Rollback(definition=X64), "43.1.0"),
        (Revoke(definition=X64, version="43.2.0", person="alice", words="it hangs"), "43.1.0"),
    ],
)
async def test_what_is_latest_again_is_protected_and_what_is_taken_back_is_left_as_it_is(
    request_: LatestChange, version_: str
) -> None:
    on = {"43.2.0": ProtectionSeen(on=True, ours=True)}
    draft = await plan(ProtectingGallery(promoted("43.1.0"), promoted("43.2.0"), seen=on), request_)
    assert protected(draft) == [version_]
    on["43.1.0"] = ProtectionSeen(on=True, others=True)
    draft = await plan(ProtectingGallery(promoted("43.1.0"), promoted("43.2.0"), seen=on), request_)
    assert protected(draft) == []


async def test_what_is_latest_already_is_protected_when_it_is_asked_for() -> None:
    gallery = ProtectingGallery(promoted("43.1.0"), promoted("43.2.0"), promoted("43.7.0", definition=ARM))
    draft = await plan(gallery, Promote(definition=X64))
    assert [step.title for step in draft.steps] == [f"protect 43.2.0 of {X64} from deletion"]
    assert draft.summary == f"43.2.0 of {X64}, latest already, is protected from deletion."
    assert draft.warnings == (f"Nothing to promote: {X64} has no candidate newer than its latest, 43.2.0.",)
    both = await plan(gallery, Promote(definition="*"))
    assert protected(both) == ["43.7.0", "43.2.0"]
    assert both.independent


async def test_other_architectures_that_a_rule_looks_at_stay_as_they_are() -> None:
    class Looking(PromotePlanner):
        """Reads what the rule `architectures` reads, besides."""

        def __init__(self, catalogue: Catalogue) -> None:
            super().__init__(catalogue)
            self._beside = catalogue

        async def plan(self, request: PromotionT, now: datetime, **how: Any) -> Draft[PromotionT]:
            await self._beside.versions(DefinitionRef("azure", ARM))
            return await super().plan(request, now, **how)

    gallery = ProtectingGallery(promoted("43.1.0"), version("43.3.0"), promoted("43.7.0", definition=ARM))
    planner: ProtectingPlanner[Any] = ProtectingPlanner(Looking, Catalogue(galleries(gallery)), PROTECT)
    assert protected(await planner.plan(Promote(definition=X64), NOW)) == ["43.3.0"]


async def test_what_is_protected_already_by_whomever_takes_no_step() -> None:
    for seen in (ProtectionSeen(on=True, ours=True), ProtectionSeen(on=True, others=True)):
        gallery = ProtectingGallery(promoted("43.2.0"), seen={"43.2.0": seen})
        draft = await plan(gallery, Promote(definition=X64))
        assert draft.steps == ()
        assert draft.summary.startswith("Nothing to promote")


async def test_what_cannot_be_protected_is_told_and_promoted_all_the_same() -> None:
    gallery = usual(**{"43.3.0": ProtectionSeen(obstacle="has no end of life")})
    draft = await plan(gallery, Promote(definition=X64))
    assert protected(draft) == []
    assert f"43.3.0 of {X64} has no end of life: it is not protected from deletion." in draft.warnings
    plain = MemoryGallery(promoted("43.2.0"), version("43.3.0"))
    assert (
        "Azure cannot protect versions from deletion."
        in (await plan(plain, Promote(definition=X64))).warnings
    )


async def test_planned_again_it_is_the_same_whatever_was_protected_meanwhile() -> None:
    gallery = usual()
    first = await plan(gallery, Promote(definition=X64))
    gallery.seen["43.3.0"] = ProtectionSeen(on=True, others=True)
    again = await plan(gallery, first.request)
    assert (again.request, again.steps, again.observed) == (first.request, first.steps, first.observed)


@pytest.mark.parametrize("request_", [Promote(definition=X64), Rollback(definition=X64)])
async def test_what_is_left_after_a_break_is_still_planned(request_: LatestChange) -> None:
    """The flag is set, and then the process died: the step that protects is left."""
    gallery = (
        usual()
        if isinstance(request_, Promote)
        else ProtectingGallery(promoted("43.1.0"), promoted("43.2.0"))
    )
    first = await plan(gallery, request_)
    step = first.steps[0]
    number = VersionNumber.parse(step.version)  # type: ignore[attr-defined]
    await gallery.set_promoted(X64, number, promoted=isinstance(request_, Promote))
    again = await plan(gallery, first.request)
    assert again.steps == first.steps[1:]


async def test_a_request_without_anything_to_protect_is_stored_as_before() -> None:
    draft = await plan(usual(), Promote(definition=X64), {})
    assert draft.request.protects == ()


def test_latest_after_is_by_the_flags_and_leaves_out_what_cannot_be_changed() -> None:
    ref = DefinitionRef("azure", X64)
    here = promoted("43.1.0", regions=("westus",))
    held = [here, promoted("43.2.0", regions=("eastus",)), version("43.3.0")]
    assert [str(each.number) for each in latest_after(ref, held, ())] == ["43.2.0", "43.1.0"]
    failed = [replace(here, state=VersionState.FAILED), *held[1:]]
    assert [str(each.number) for each in latest_after(ref, failed, ())] == ["43.2.0"]
