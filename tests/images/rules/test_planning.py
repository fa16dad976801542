"""Promotions by their rules: what is chosen, what is refused, and what is said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.ports.image_evidence import Evidence
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.contents.comparing import Contents, Inside
from slipway.bot.subjects.images.contents.settings import ContentsSettings
from slipway.bot.subjects.images.evidence.standing import Standing, standing
from slipway.bot.subjects.images.evidence.store import target_of
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.requests import Pin, Promote, PromoteOverride
from slipway.bot.subjects.images.rules.gathering import PromotionRules
from slipway.bot.subjects.images.rules.settings import PromotionSettings
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from tests.images.builders import MemoryGallery, promoted, version
from tests.images.evidence.facts import BOOT, FAILED, PASSED, TESTS, VERDICT, evidence
from tests.support.azure import ARM, X64
from tests.support.clock import NOW
from tests.support.clouds import galleries

HOUR = timedelta(hours=1)
BOOTED = PromotionSettings(evidence=(BOOT,))


class Known:
    """Evidence in memory."""

    def __init__(self, *held: Evidence) -> None:
        self.held = list(held)
        self.asked: list[set[str]] = []

    async def standing(self, versions: Collection[Pin]) -> Mapping[str, Standing]:
        self.asked.append({pin.version for pin in versions})
        wanted = {pin.target for pin in versions}
        found: dict[str, list[Evidence]] = {}
        for each in self.held:
            if target_of(each) in wanted:
                found.setdefault(target_of(each), []).append(each)
        return {target: standing(each) for target, each in found.items()}


def planner(
    gallery: MemoryGallery, known: Known, wanted: PromotionSettings = BOOTED, pattern: str = "*"
) -> PromotePlanner:
    catalogue = Catalogue(galleries(gallery))
    return PromotePlanner(catalogue, rules=PromotionRules(catalogue, known, {pattern: wanted}))


def titles(draft: Draft[Promote]) -> list[str]:
    return [step.title for step in draft.steps]


def booted(*numbers: str, definition: str = X64) -> list[Evidence]:
    return [
        evidence(BOOT, PASSED, version=number, definition=definition, number=place)
        for place, number in enumerate(numbers, start=1)
    ]


def usual() -> MemoryGallery:
    return MemoryGallery(
        promoted("43.1.0"),
        *(version(f"43.{number}.0", published=NOW - 48 * HOUR) for number in (2, 3, 4)),
    )


class TestByName:
    @pytest.mark.parametrize("number", [None, "43.4.0"])
    async def test_what_breaks_a_rule_is_refused_with_which_and_what_helps(self, number: str | None) -> None:
        with pytest.raises(UserError) as caught:
            await planner(usual(), Known(*booted("43.3.0"))).plan(
                Promote(definition=X64, version=number), NOW
            )
        assert caught.value.sentence == (
            f"43.4.0 of {X64} has no boot test (rule evidence). So it is not promoted. To promote it all the same, "
            f"by the approvals that takes: `promote --override evidence {X64}/43.4.0 REASON`."
        )
        assert caught.value.hint == f"test {X64}/43.4.0"

    async def test_a_bad_verdict_is_refused_without_a_way_round(self) -> None:
        known = Known(evidence(VERDICT, FAILED, version="43.4.0", summary="it hangs"))
        with pytest.raises(UserError) as caught:
            await planner(usual(), known, PromotionSettings()).plan(Promote(definition=X64), NOW)
        assert caught.value.sentence == (
            f"43.4.0 of {X64} is said to be bad: it hangs (rule verdict). So it is not promoted."
        )
        assert caught.value.hint == f"promote --due {X64}"  # an older one may do
        with pytest.raises(UserError) as caught:
            await planner(usual(), known, PromotionSettings()).plan(
                Promote(definition=X64, version="43.4.0"), NOW
            )
        assert caught.value.hint == f"good {X64}/43.4.0"

    async def test_the_card_has_the_evidence_and_the_rules(self) -> None:
        draft = await planner(usual(), Known(*booted("43.4.0"))).plan(Promote(definition=X64), NOW)
        rows = dict(draft.evidence)
        assert rows["Boot test"] == "passed, by service:boot-tests on 2026-11-20"
        assert rows["Rules met"] == "evidence"
        none = await planner(usual(), Known(), PromotionSettings()).plan(Promote(definition=X64), NOW)
        assert dict(none.evidence)["Evidence"] == "none recorded"
        assert "Rules met" not in dict(none.evidence)

    async def test_what_failed_and_no_rule_asks_for_is_told_and_observed(self) -> None:
        known = Known(*booted("43.4.0"))
        planned = planner(usual(), known)
        before = await planned.plan(Promote(definition=X64), NOW)
        assert before.warnings == ()
        known.held.append(evidence(TESTS, FAILED, version="43.4.0", number=9))
        after = await planned.plan(before.request, NOW)
        assert after.warnings == (f"43.4.0 of {X64} failed: tests. No rule asks for that.",)
        assert after.observed != before.observed, "whoever agreed did not know"
        known.held.append(evidence(TESTS, PASSED, version="43.4.0", number=10))
        assert (await planned.plan(before.request, NOW)).observed == before.observed

    async def test_a_rule_that_is_broken_meanwhile_makes_the_plan_stale(self) -> None:
        known = Known(*booted("43.4.0"))
        planned = planner(usual(), known)
        draft = await planned.plan(Promote(definition=X64), NOW)
        assert (await planned.plan(draft.request, NOW)).steps == draft.steps
        known.held.append(evidence(BOOT, FAILED, version="43.4.0", number=9))
        with pytest.raises(UserError, match="failed its boot test"):
            await planned.plan(draft.request, NOW)


class TestByPattern:
    async def test_what_breaks_a_rule_is_told_beside_what_does_not(self) -> None:
        gallery = MemoryGallery(version("43.2.0"), version("43.2.0", definition=ARM))
        draft = await planner(gallery, Known(*booted("43.2.0"))).plan(
            Promote(definition="Fedora-Cloud-43-*"), NOW
        )
        assert titles(draft) == [f"promote 43.2.0 of {X64}"]
        assert draft.warnings == (f"43.2.0 of {ARM} has no boot test (rule evidence).",)


class TestDue:
    async def test_the_newest_that_meets_its_rules_is_chosen_and_the_newer_are_told(self) -> None:
        planned = planner(usual(), Known(*booted("43.2.0", "43.3.0")))
        draft = await planned.plan(Promote(definition="*", due=True), NOW)
        (step,) = draft.steps
        assert step.title == f"promote 43.3.0 of {X64}"
        assert step.reason == "it is the newest candidate that meets its rules"
        assert draft.warnings == (f"43.4.0 of {X64} has no boot test (rule evidence).",)
        assert draft.request.pins == (Pin(definition=X64, version="43.3.0"),)

    async def test_nothing_is_asked_about_what_is_older_than_what_is_chosen(self) -> None:
        known = Known(*booted("43.2.0", "43.3.0"))
        await planner(usual(), known).plan(Promote(definition="*", due=True), NOW)
        assert known.asked == [{"43.4.0"}, {"43.3.0"}]

    async def test_what_comes_newer_meanwhile_changes_nothing_of_the_plan(self) -> None:
        gallery = usual()
        planned = planner(gallery, Known(*booted("43.4.0", "43.5.0")))
        draft = await planned.plan(Promote(definition="*", due=True), NOW)
        newer = version("43.5.0")
        gallery.held[X64][newer.number] = newer
        again = await planned.plan(draft.request, NOW)
        assert (again.request, again.steps, again.observed) == (draft.request, draft.steps, draft.observed)

    async def test_where_nothing_is_due_each_definition_has_a_line_that_says_why(self) -> None:
        gallery = MemoryGallery(
            version("43.2.0"), version("43.2.0", definition=ARM), promoted("43.9.0", definition="Other")
        )
        draft = await planner(gallery, Known()).plan(Promote(definition="*", due=True), NOW)
        assert draft.steps == ()
        assert draft.summary.split("\n") == [
            "Nothing to promote: no candidate meets its rules.",
            f"43.2.0 of {ARM} has no boot test (rule evidence).",
            f"43.2.0 of {X64} has no boot test (rule evidence).",
        ]


class TestOverride:
    def request(self, *rules: str, version: str | None = "43.4.0") -> PromoteOverride:
        return PromoteOverride(definition=X64, version=version, rules=rules, words="it closes a hole")

    async def test_the_rule_is_passed_over_and_the_plan_says_so(self) -> None:
        planned = planner(usual(), Known())
        draft = await planned.plan(self.request("evidence"), NOW)
        (step,) = draft.steps
        assert isinstance(step, SetExcluded)
        assert step.overridden == ("evidence",)
        assert (
            draft.summary
            == f"43.4.0 is latest of {X64}. That is in spite of the rule evidence: it closes a hole"
        )
        assert f"Overridden: 43.4.0 of {X64} has no boot test (rule evidence)." in draft.warnings
        assert (await planned.plan(draft.request, NOW)).steps == draft.steps

    async def test_other_rules_hold_all_the_same_and_a_bad_verdict_always(self) -> None:
        wanted = PromotionSettings(evidence=(BOOT,), minimum_age=72 * HOUR)
        with pytest.raises(UserError, match=r"\(rule age\)"):
            await planner(usual(), Known(), wanted).plan(self.request("evidence"), NOW)
        known = Known(evidence(VERDICT, FAILED, version="43.4.0"))
        with pytest.raises(UserError, match=r"\(rule verdict\)"):
            await planner(usual(), known).plan(self.request("evidence"), NOW)

    async def test_what_changes_inside_is_looked_at_beside_a_rule_that_is_overridden(self) -> None:
        wanted = PromotionSettings(evidence=(BOOT,), contents=True)
        planned = planner(usual(), Known(), wanted)  # no manifests are configured, so that nobody knows
        with pytest.raises(
            UserError, match=r"\(rule evidence\); it changes nobody knows what.*\(rule contents\)"
        ):
            await planned.plan(Promote(definition=X64, version="43.4.0"), NOW)
        with pytest.raises(UserError, match=r"^43\.4\.0 of .* changes nobody knows what"):
            await planned.plan(self.request("evidence"), NOW)
        among = usual()
        among.put(version("43.1.0", definition=ARM))
        several = PromoteOverride(definition="*", rules=("evidence",), words="urgent")
        with pytest.raises(UserError, match=r"\(rule contents\)"):
            await planner(among, Known(), wanted).plan(several, NOW)
        assert (await planned.plan(self.request("evidence", "contents"), NOW)).steps

    async def test_one_that_is_not_needed_is_refused_at_first_and_does_no_harm_later(self) -> None:
        known = Known()
        planned = planner(usual(), known)
        draft = await planned.plan(self.request("evidence"), NOW)
        known.held += booted("43.4.0")
        assert (await planned.plan(draft.request, NOW)).steps == draft.steps
        with pytest.raises(UserError, match="breaks no rule evidence: leave `--override evidence` out"):
            await planned.plan(self.request("evidence"), NOW)


class TestAtTheWrite:
    def executor(self, gallery: MemoryGallery, known: Known) -> SetExcludedExecutor:
        clouds = galleries(gallery)
        rules = PromotionRules(Catalogue(clouds), known, {"*": BOOTED})
        return SetExcludedExecutor(clouds, rules=rules, clock=lambda: NOW)

    def step(self, **more: object) -> SetExcluded:
        given = {"definition": X64, "version": "43.4.0", "excluded": False, "why": FlagReason.DUE, **more}
        return SetExcluded.model_validate(given)

    async def test_a_rule_is_looked_at_once_more_right_before(self) -> None:
        known = Known(*booted("43.4.0"))
        executor = self.executor(usual(), known)
        assert await executor.observe(self.step(), "token") is None
        known.held.append(evidence(BOOT, FAILED, version="43.4.0", number=9))
        with pytest.raises(CloudError, match=r"failed its boot test \(rule evidence\); it was not promoted"):
            await executor.observe(self.step(), "token")
        assert await executor.observe(self.step(overridden=("evidence",)), "token") is None


class TestArchitectures:
    WANTED = PromotionSettings(architectures=("x64", "Arm64"))

    async def test_the_other_definition_is_read_where_the_wish_does_not_name_it(self) -> None:
        gallery = MemoryGallery(version("43.2.0"), version("43.1.0", definition=ARM))
        planned = planner(gallery, Known(), self.WANTED)
        with pytest.raises(UserError, match=rf"together with 43\.2\.0 of {ARM}, which is not there"):
            await planned.plan(Promote(definition=X64), NOW)
        there = version("43.2.0", definition=ARM)
        gallery.held[ARM][there.number] = there
        assert titles(await planned.plan(Promote(definition=X64), NOW)) == [f"promote 43.2.0 of {X64}"]


@given(
    flags=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6),
    wanted=st.sampled_from([BOOTED, PromotionSettings()]),
)
async def test_nothing_bad_and_nothing_without_its_evidence_is_ever_due(
    flags: list[tuple[bool, bool]], wanted: PromotionSettings
) -> None:
    numbers = [f"43.{number}.0" for number in range(1, len(flags) + 1)]
    known = Known()
    for number, (tested, bad) in zip(numbers, flags, strict=True):
        known.held += booted(number) if tested else []
        known.held += [evidence(VERDICT, FAILED, version=number, number=50)] if bad else []
    gallery = MemoryGallery(*map(version, numbers))
    draft = await planner(gallery, known, wanted).plan(Promote(definition="*", due=True), NOW)
    good = [
        number
        for number, (tested, bad) in zip(numbers, flags, strict=True)
        if not bad and (tested or not wanted.evidence)
    ]
    assert titles(draft) == [f"promote {number} of {X64}" for number in good[-1:]]


class KnownBesideLatest(Contents):
    """What changes is known beside any latest but one."""

    def __init__(self) -> None:
        super().__init__(ContentsSettings(manifests="https://example.org/{version}"))

    async def compare(self, definition: str, version: ImageVersion, latest: ImageVersion | None) -> Inside:
        if latest is not None and str(latest.number) == "43.1.5":
            return Inside(unknown="the manifest of 43.1.5 is not there (HTTP 404)")
        return Inside(words="the same packages")


async def test_what_changes_inside_is_looked_at_beside_the_latest_of_then_when_it_is_done() -> None:
    gallery = MemoryGallery(promoted("43.1.0"), version("43.2.0"))
    clouds = galleries(gallery)
    tables = {"*": PromotionSettings(contents=True)}
    rules = PromotionRules(Catalogue(clouds), Known(), tables, contents=KnownBesideLatest())
    (step,) = (await PromotePlanner(Catalogue(clouds), rules=rules).plan(Promote(definition=X64), NOW)).steps
    assert isinstance(step, SetExcluded)
    executor = SetExcludedExecutor(clouds, rules=rules, clock=lambda: NOW)
    assert await executor.observe(step, "token") is None
    gallery.put(promoted("43.1.5"))
    with pytest.raises(CloudError, match=r"changes nobody knows what: the manifest of 43\.1\.5 is not there"):
        await executor.observe(step, "token")
