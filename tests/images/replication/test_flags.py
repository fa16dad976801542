"""What a promotion by regions refuses by itself, where what comes before it did not happen."""

from __future__ import annotations

import pytest

from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.replication.executors import Copier, LeaveRegionsExecutor
from slipway.bot.subjects.images.replication.steps import LeaveRegions
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from tests.support.azure import X64, azure_harness
from tests.support.clock import DAY, NOW, POLL_AT_ONCE

HERE = (SeedRegion("eastus"), SeedRegion("westeurope"))
SEED = Seed((SeedDefinition(X64, "x64", (SeedVersion("43.1.0", NOW - DAY, True, HERE),)),))


@pytest.mark.parametrize(
    ("needs", "after", "why"),
    [
        (("eastus", "uksouth"), (), "is not in every region where it is to be promoted: uksouth has none"),
        (("eastus",), ("westeurope",), "is not promoted in westeurope, which comes first"),
    ],
)
async def test_nothing_is_written_before_its_turn(
    needs: tuple[str, ...], after: tuple[str, ...], why: str
) -> None:
    async with azure_harness(SEED) as azure:
        step = SetExcluded(
            definition=X64,
            version="43.1.0",
            excluded=False,
            why=FlagReason.NAMED,
            needs=needs,
            after=after,
        )
        with pytest.raises(CloudError, match=why) as caught:
            await SetExcludedExecutor(azure.clouds, POLL_AT_ONCE).observe(step, "token")
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert not azure.azure.writes


async def test_a_region_whose_copy_did_not_fail_is_never_left() -> None:
    async with azure_harness(SEED) as azure:
        step = LeaveRegions(definition=X64, version="43.1.0", regions=("westeurope",))
        executor = LeaveRegionsExecutor(Copier(azure.clouds), POLL_AT_ONCE)
        for refused in (executor.observe, executor.act):
            with pytest.raises(CloudError, match="has a copy in westeurope that did not fail") as caught:
                await refused(step, "token")
            assert caught.value.kind is CloudErrorKind.CONFLICT
        assert not azure.azure.writes
