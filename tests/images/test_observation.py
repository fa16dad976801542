"""What one plan asks of galleries: each thing once, and copies only where they decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from slipway.bot.clouds.model import (
    ImageVersion,
    Replication,
    ReplicationState,
    VersionListing,
    VersionNumber,
)
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.protecting.planner import ProtectingPlanner
from slipway.bot.subjects.images.replication.planning import ReachPlanner
from slipway.bot.subjects.images.replication.settings import ReplicationSettings, WaveSettings
from slipway.bot.subjects.images.requests import Promote
from slipway.bot.subjects.images.rules.gathering import Candidate, PromotionRules
from slipway.bot.subjects.images.rules.settings import PromotionSettings
from slipway.bot.subjects.images.steps import SetExcluded
from tests.images.builders import CopyingGallery, promoted, version
from tests.images.rules.test_planning import Known
from tests.support.azure import ARM, X64
from tests.support.clock import HOUR, NOW
from tests.support.clouds import galleries

REGIONS = ("eastus", "westeurope")
STRICT = PromotionSettings(
    minimum_age=timedelta(hours=36),
    replicated=True,
    architectures=("x64", "Arm64"),
    not_older=True,
    protect=True,
)
WIDE = ReplicationSettings(
    regions=REGIONS, waves=(WaveSettings(name="first", regions=REGIONS[:1], bake=timedelta(days=1)),)
)


class CountingGallery(CopyingGallery):
    """Notes which versions were read by themselves, as it notes which definitions were listed."""

    def __init__(self, *versions: ImageVersion) -> None:
        super().__init__(*versions)
        self.read: list[str] = []

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        self.read.append(f"{definition}/{number}")
        found = await super().version(definition, number)
        self.put(copied(found))
        return self.held[definition][number]


def copied(each: ImageVersion) -> ImageVersion:
    """The same with all copies complete."""
    done = Replication(ReplicationState.COMPLETED, 100)
    return replace(each, regions=tuple(replace(region, replication=done) for region in each.regions))


def gallery() -> CountingGallery:
    """Two architectures with a latest, a candidate that is due, and one that is too young; one that owes a region."""
    return CountingGallery(
        *(
            each
            for name in (X64, ARM)
            for each in (
                promoted("43.1.0", definition=name, regions=REGIONS, published=NOW - 200 * HOUR),
                version("43.2.0", definition=name, regions=REGIONS, published=NOW - 48 * HOUR),
                version("43.3.0", definition=name, regions=REGIONS, published=NOW - HOUR),
            )
        ),
        promoted("43.1.0", definition="Other-x64", regions=REGIONS[:1], published=NOW - 200 * HOUR),
    )


async def plan(held: CountingGallery, request: Promote) -> Draft[Promote]:
    catalogue = Catalogue(galleries(held))
    tables = {"*": STRICT}
    rules = PromotionRules(catalogue, Known(), tables)

    def promoting(seen: Catalogue) -> PromotePlanner:
        return PromotePlanner(seen, rules=rules.reading(seen))

    planner: ProtectingPlanner[Promote] = ProtectingPlanner(
        lambda seen: ReachPlanner(promoting, seen, {"*": WIDE}), catalogue, tables
    )
    return await planner.plan(request, NOW)


async def test_a_plan_looks_at_each_thing_once_whichever_rule_wave_or_debt_needs_it() -> None:
    held = gallery()
    draft = await plan(held, Promote(definition="*", due=True))
    promoted_now = {(each.definition, each.version) for each in draft.steps if isinstance(each, SetExcluded)}
    assert promoted_now == {(X64, "43.2.0"), (ARM, "43.2.0"), ("Other-x64", "43.1.0")}
    assert Counter(held.listed) == {X64: 1, ARM: 1, "Other-x64": 1}
    assert Counter(held.read) == {
        f"{X64}/43.1.0": 1,
        f"{X64}/43.2.0": 1,
        f"{ARM}/43.1.0": 1,
        f"{ARM}/43.2.0": 1,
        "Other-x64/43.1.0": 1,
    }, "and nothing of what is too young, wherever its copies are"


async def test_planning_anew_looks_anew() -> None:
    held = gallery()
    draft = await plan(held, Promote(definition=X64, due=True))
    held.listed.clear()
    held.read.clear()
    again = await plan(held, draft.request)
    assert (again.steps, again.observed) == (draft.steps, draft.observed)
    assert set(held.listed) == {X64, ARM}
    assert f"{X64}/43.2.0" in held.read
    held.change(X64, "43.2.0", tags={}, end_of_life=NOW + 24 * HOUR)
    assert (await plan(held, draft.request)).observed != draft.observed


async def test_planning_anew_by_a_pattern_looks_at_nothing_that_was_not_chosen() -> None:
    held = gallery()
    draft = await plan(held, Promote(definition="*", due=True))
    held.listed.clear()
    held.put(version("43.1.0", definition="New-x64"))
    held.failing["New-x64"] = CloudError(CloudErrorKind.BROKEN, cloud="azure", sentence="It broke.")
    again = await plan(held, draft.request)
    assert (again.steps, again.observed) == (draft.steps, draft.observed)
    assert set(held.listed) == {X64, ARM}


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (X64, [("Latest in westeurope", "43.1.0 → 43.2.0"), ("Promoted already", "eastus")]),
        ("*", [(X64, "43.1.0 → 43.2.0"), (f"Promoted already of {X64}", "eastus")]),
    ],
)
async def test_a_promotion_that_goes_on_behind_its_last_wave_says_where_it_is_latest_already(
    asked: str, rows: list[tuple[str, str]]
) -> None:
    held = gallery()
    flags = {"eastus": False, "westeurope": True}
    held.put(version("43.2.0", definition=X64, regions=flags, published=NOW - 48 * HOUR))
    told = (await plan(held, Promote(definition=asked, due=True))).evidence
    assert [
        row for row in told if row[0].startswith(("Latest", X64)) or row[0].endswith((X64, "already"))
    ] == rows


async def test_who_names_a_version_is_told_all_rules_that_it_does_not_meet() -> None:
    held = gallery()
    held.put(version("43.3.0", definition=X64, regions=REGIONS[:1], published=NOW - HOUR))
    listed = await Catalogue(galleries(held)).listed(X64)
    rules = PromotionRules(Catalogue(galleries(held)), Known(), {"*": STRICT})
    ((definition, versions),) = listed.items()
    young = next(each for each in versions if str(each.number) == "43.3.0")
    (judged,) = (await rules.judge([Candidate(definition, young, VersionListing(versions))], NOW)).values()
    assert [each.rule.value for each in judged.broken] == ["age", "replicated"]
    assert f"{X64}/43.3.0" in held.read
