"""What happens while a clean-up runs, on both simulated clouds: a hold, use, a right that is lost, a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.steps import RemovalStep
from tests.support.ami_families import HOME, REGIONS, VERSION, client, everywhere, simulated_amis
from tests.support.azure import RAWHIDE, version_numbers
from tests.support.harness import BotHarness, newest_operation, running_bot
from tests.support.pauses import no_pauses

NOBODY = {"policy": {"cleanup": {"approvals": 0}}, "retention": {"max_share": 1}}
AMIS = "Fedora-AMI-43"
DATES = ("20261101.0", "20261102.0", "20261103.0", "20261104.0", "20261105.0", "20261108.0")


@dataclass
class Midway:
    """A bot, and one definition of which several versions are due, in one cloud.

    Attributes:
        bot: the bot.
        definition: the definition.
        removals: a pattern of the requests that remove.
        add: arms a fault.
        clear: disarms all.
        gone: which versions are gone, or out of use, of these.
        use: has something use a version.
        word: what is done to a version.
        refusal: the code of a refusal for want of a right.
    """

    bot: BotHarness
    definition: str
    removals: str
    add: Callable[[Fault], Armed]
    clear: Callable[[], None]
    gone: Callable[[Sequence[str]], Any]
    use: Callable[[str], Any]
    word: str
    refusal: str

    async def begun(self, kind: FaultKind, **more: Any) -> Armed:
        """Ask for a clean-up whose removals meet this."""
        fault = self.add(Fault(kind=kind, match=self.removals, **more))
        await self.bot.say("alice", f"!cleanup {self.definition}", wait=False)
        return fault

    async def ended(self) -> tuple[Operation, str, list[str]]:
        """The clean-up, its report, and what it was to remove."""
        await self.bot.running.idle()
        found = [each for each in await self.bot.running.operations.recent(5) if each.kind == "cleanup"]
        steps = [each.version for each in found[0].plan.steps if isinstance(each, RemovalStep)]
        assert len(steps) >= 4
        card = next(each for each in self.bot.messages if each.card.title.startswith(f"{found[0].id} "))
        report = self.bot.chat.report_of(card)
        return found[0], report.text, steps


@asynccontextmanager
async def on_azure(state: Path) -> AsyncIterator[Midway]:
    async with running_bot(state, changes=NOBODY, sleep=no_pauses) as bot:

        async def gone(versions: Sequence[str]) -> set[str]:
            return set(versions) - version_numbers(bot.azure, RAWHIDE)

        async def use(number: str) -> None:
            path = f"{bot.azure.seed.gallery_id}/images/{RAWHIDE}/versions/{number}"
            profile = {"storageProfile": {"imageReference": {"id": path}}}
            kind = "Microsoft.Compute/virtualMachineScaleSets"
            entry = f"/subscriptions/s/resourceGroups/shop/providers/{kind}/web"
            bot.azure.machines.things[kind]["web"] = {
                "id": entry,
                "name": "web",
                "properties": {"virtualMachineProfile": profile},
            }

        yield Midway(
            bot,
            RAWHIDE,
            "DELETE *",
            bot.azure.faults.add,
            bot.azure.faults.clear,
            gone,
            use,
            "deleted",
            "AuthorizationFailed",
        )


@asynccontextmanager
async def on_aws(state: Path, aws: SimulatedAws) -> AsyncIterator[Midway]:
    key = f"Midway-{state.name}"
    seed = everywhere("20261020.0", public=True)
    for date in DATES:
        seed += everywhere(date)
    amis = [each.model_copy(update={"name": f"{key}-{each.name.rpartition('-')[2]}"}) for each in seed]
    await aws.add_amis(amis)
    ids = {(each.name.rpartition("-")[2], each.region): each.id for each in amis}
    family = {"name": f"{key}-{{date}}.{{respin}}", "version": VERSION, "regions": list(REGIONS)}
    changes = {**NOBODY, "family": {AMIS: family}, "retention": {"keep_candidates": 1, "max_share": 1}}
    async with running_bot(state, aws=aws, changes=changes, sleep=no_pauses) as bot:

        async def gone(versions: Sequence[str]) -> set[str]:
            held = (await aws.state())["amis"]
            out = {each["id"] for each in held if each["state"] == "disabled"}
            dates = [each.partition(".")[2] for each in versions]
            return {f"43.{date}" for date in dates if all(ids[date, region] in out for region in REGIONS)}

        async def use(number: str) -> None:
            image = ids[number.partition(".")[2], HOME]
            ec2 = client(aws.url)
            await asyncio.to_thread(ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1)

        yield Midway(
            bot,
            AMIS,
            "DisableImage",
            aws.faults.add,
            aws.faults.clear,
            gone,
            use,
            "disabled",
            "UnauthorizedOperation",
        )
        aws.faults.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_amis(()) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module", params=["azure", "aws"])
async def midway(request: pytest.FixtureRequest, tmp_path: Path, aws: SimulatedAws) -> AsyncIterator[Midway]:
    async with AsyncExitStack() as stack:
        here = on_azure(tmp_path) if request.param == "azure" else on_aws(tmp_path, aws)
        yield await stack.enter_async_context(here)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_hold_and_use_that_come_meanwhile_keep_what_is_left_of_it(midway: Midway) -> None:
    held = await midway.begun(FaultKind.HOLD_BEFORE)
    await held.reached.wait()
    operation = await newest_operation(midway.bot)
    first, second, third, *others = [
        each.version for each in operation.plan.steps if isinstance(each, RemovalStep)
    ]
    await midway.use(second)
    midway.bot.clock.advance(timedelta(seconds=16))  # what is read of use counts for 15
    line = f"!hold {midway.definition}/{third} the release team looks at it"
    await midway.bot.say("bob", line, wait=False)
    await midway.bot.until(lambda: any("hold: done" in each.text for each in midway.bot.messages))
    held.release()
    operation, report, doomed = await midway.ended()
    assert operation.state is OperationState.FAILED
    assert await midway.gone(doomed) == {first, *others}
    assert f"2 of {len(doomed)} steps failed, {len(doomed) - 2} done." in report
    assert report.count(f"{second} of {midway.definition} is in use by ") == 1
    assert report.count(f"{third} of {midway.definition} is held by Bob (the release team looks at it)") == 1
    (nothing,) = await midway.bot.say("alice", f"!cleanup {midway.definition}")
    assert f"{third} of {midway.definition}: somebody holds it." in nothing.text
    assert f"{second} of {midway.definition}: in use by " in nothing.text


async def test_a_right_that_is_lost_in_the_middle_is_told_with_what_was_done_and_what_was_not(
    midway: Midway,
) -> None:
    after = len(REGIONS) if midway.refusal == "UnauthorizedOperation" else 1
    await midway.begun(FaultKind.REFUSE, after=after, times=None)
    operation, report, doomed = await midway.ended()
    assert operation.state is OperationState.FAILED
    assert await midway.gone(doomed) == {doomed[0]}
    assert f"{len(doomed) - 1} of {len(doomed)} steps failed, 1 done." in report
    assert f"✔ {doomed[0]} of {midway.definition} is {midway.word}." in report
    for version in doomed[1:]:
        assert f"✘ {midway.word[:-1]} {version} of {midway.definition}" in report
    assert report.count("The cloud says: ") == 1
    last = ", ".join(str(number) for number in range(3, len(doomed)))
    assert f"Steps {last} and {len(doomed)}: the same, each of what it is about ({midway.refusal})." in report
    assert report.count("Whose move: whoever runs Slipway.") == 1
    assert report.count(f"Next, once it is permitted: `!cleanup {midway.definition}`") == 1

    midway.clear()
    await midway.bot.say("alice", f"!cleanup {midway.definition}")  # the right is there again
    assert await midway.gone(doomed) == set(doomed)


async def test_what_is_blocked_until_its_end_of_life_meanwhile_is_kept_and_told(tmp_path: Path) -> None:
    async with on_azure(tmp_path) as midway:
        held = await midway.begun(FaultKind.HOLD_BEFORE)
        await held.reached.wait()
        plan = (await newest_operation(midway.bot)).plan
        second, third = (each.version for each in plan.steps[1:3] if isinstance(each, RemovalStep))
        versions = midway.bot.azure.state.versions[RAWHIDE.casefold()]
        versions[second].document["properties"]["safetyProfile"]["blockDeletionBeforeEndOfLife"] = True
        blocked = midway.add(
            Fault(
                kind=FaultKind.CONFLICT,
                match=f"DELETE */{third}",  # as by somebody who was quicker than the last look
                code="DeleteGalleryImageVersionBlockedBeforeEndOfLife",
            )
        )
        held.release()
        operation, report, doomed = await midway.ended()
        assert blocked.hits == 1
        assert operation.state is OperationState.FAILED
        assert await midway.gone(doomed) == set(doomed) - {second, third}
        assert (
            f"{second} of {RAWHIDE} is kept: its cloud refuses to delete it before its end of life" in report
        )
        assert "DeleteGalleryImageVersionBlockedBeforeEndOfLife" in report
        midway.clear()
        (nothing,) = await midway.bot.say("alice", f"!cleanup --dry-run {RAWHIDE}")
        assert (
            f"{second} of {RAWHIDE}: its cloud refuses to delete it before its end of life." in nothing.text
        )
