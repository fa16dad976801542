"""Machines, schedules, reports, problems and freezes."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.problems.model import Found, Look, Mend
from tests.slack.adapter.story.scenario import ENDED_IMAGES, MONDAY, Scenario
from tests.slack.simulator.seed import ALICE, BOB, CAROL, DAVE
from tests.support.aws import IMAGE
from tests.support.azure import ARM, ENDED, RAWHIDE, X64
from tests.support.clock import NOW


async def machines(scenario: Scenario) -> None:
    bot, aws = scenario.bot, scenario.aws
    assert aws is not None
    await scenario.answer("mistake-ambiguous", ALICE, f"!launch {ENDED_IMAGES}")
    await scenario.answer("launch-dry-run", ALICE, f"!launch {ENDED_IMAGES}-20260414.0 --count 3 --dry-run")
    card = await scenario.answer("launch-proposed", ALICE, f"!launch {IMAGE} --for 2h --count 2")
    report = await scenario.end(
        "launch-done", card
    )  # of two machines that are alike: their order is by chance
    one, two = re.findall(r"i-[0-9a-f]{17}", report.text)
    await bot.running.upkeep.sweep()  # its look knows the machines from now on
    await bot.running.idle()
    await scenario.answer("instances", CAROL, "!instances --all")
    await scenario.answer("mistake-profile", ALICE, f"!launch {IMAGE} --profile smal")
    full = "InsufficientInstanceCapacity"
    aws.faults.add(Fault(kind=FaultKind.ERROR, match="RunInstances", code=full, times=None))
    await scenario.end("launch-failed", await scenario.ask(ALICE, f"!launch {IMAGE}"))
    aws.faults.clear()
    await at_home(scenario)
    bot.clock.advance(timedelta(hours=3))
    await scenario.answer("instances-overdue", ALICE, "!instances")
    await scenario.answer("terminate-dry-run", BOB, "!terminate --overdue --dry-run")
    await scenario.ended("terminate-done", await scenario.ask(ALICE, f"!terminate {one}"))
    await scenario.answer("nothing-to-terminate", ALICE, f"!terminate {one}")
    aws.faults.add(Fault(kind=FaultKind.NOT_DONE, match="TerminateInstances", times=None))
    await scenario.ended("terminate-failed", await scenario.ask(ALICE, f"!terminate {two}"))
    aws.faults.clear()
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="Describe*", times=None))
    await scenario.answer("aws-unlooked", ALICE, "!instances")
    await scenario.look_home("without-aws", CAROL)
    aws.faults.clear()
    await scenario.answer("launch-on-azure", ALICE, f"!launch {X64} --profile cloudy --for 2h --dry-run")


async def at_home(scenario: Scenario) -> None:
    """Somebody with machines and schedules, with some and then with many operations that wait."""
    await scenario.ask(BOB, f"!rollback {X64}")
    await scenario.answer("pending", BOB, "!pending")
    await scenario.answer("status", CAROL, "!status")
    await scenario.answer("history", CAROL, "!history --limit 20")
    await scenario.look_home("busy", ALICE)
    for line in (
        f"!rollback {ARM}",
        "!rollback Fedora-Cloud-42-x64",
        "!rollback Fedora-Cloud-42-Arm64",
        f"!cleanup {RAWHIDE}",
        f"!cleanup {ENDED}",
    ):
        await scenario.ask(BOB, line)
    await scenario.look_home("crowded", ALICE)


async def ticks(scenario: Scenario) -> None:
    await scenario.at("schedule-skipped", MONDAY - timedelta(minutes=1), "skipped")
    card = await scenario.at("schedule-proposed", MONDAY, "waits")
    await scenario.tick("schedule-proposed-before", "weekly-promotion", "promote *")
    await scenario.tick("schedule-refused", "weekly-list", "promote *")
    await scenario.end("schedule-done", card)
    await scenario.at("schedule-answer", MONDAY + timedelta(days=1), "image definitions")


async def overviews(scenario: Scenario) -> None:
    """What people read of profiles, images and machines."""
    await scenario.answer("profiles", CAROL, "!profiles")
    await scenario.answer("images-to-launch", CAROL, "!images x86_64-43 --cloud aws")
    await scenario.answer("instances-report", CAROL, "!instances --report")


async def problems(scenario: Scenario) -> None:
    """What is wrong, and that somebody sees to it."""
    await scenario.answer("problems-none", CAROL, "!problems")
    wrong = [
        Found(
            key="away",
            what="The chat matrix is not connected.",
            detail="matrix.example.org did not answer for 20 minutes.",
            owner="dave",
            move="Whose move it is: whoever runs Slipway.",
            mend=Mend(label="See how it is", command="status"),
        ),
        Found(key="hindered", what="What is to be said in the room C0 of slack waits.", owner="role:releng"),
    ]
    store = scenario.bot.running.services.problems
    await store.take_in("chats", Look(tuple(wrong)), NOW, timedelta(hours=1))
    away = next(each.id for each in await store.open_problems() if each.found.owner == "dave")
    await scenario.answer("problem-of-one", ALICE, f"!problems {away}")
    await scenario.ended("problem-ack-done", await scenario.ask(DAVE, f"!problem ack {away} I restart it"))
    await scenario.answer("problems", ALICE, "!problems")


async def _report(scenario: Scenario, name: str, line: str, sections: Collection[str]) -> None:
    """A report, and some of what its thread has."""
    shown = await scenario.answer(name, CAROL, line)
    details = {
        each.card.title.partition(":")[0]: each for each in scenario.bot.messages if each.thread == shown.id
    }
    for title in sections:
        await scenario.keep(f"{name}-{title.lower()}", details[title])


async def week(scenario: Scenario) -> None:
    """What people read each week."""
    await _report(scenario, "report-weekly", "!report weekly", ("Images", "Candidates"))


async def day_and_month(scenario: Scenario) -> None:
    """What people read each day and month."""
    await _report(scenario, "digest", "!digest", ("Approvals", "Problems", "Machines"))
    await _report(scenario, "report-monthly", "!report monthly 2026-11", ("Operations",))


async def freezes(scenario: Scenario) -> None:
    """All changes are frozen for a while, what somebody else wants meanwhile, and how it ends."""
    bot = scenario.bot

    scenario.over = {each.id for each in await bot.running.services.problems.open_problems()}

    async def told(name: str, title: str) -> None:
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        await scenario.keep(name, [m for m in bot.messages if m.card.title == title][-1])

    await scenario.answer("freeze-done", ALICE, "!freeze --for 3d release week")
    await told("freeze-begun", "Changes are frozen")
    await scenario.answer("freeze-refused", BOB, f"!rollback {RAWHIDE}")
    await scenario.look_home("frozen", ALICE)
    await scenario.answer("unfreeze-done", BOB, "!unfreeze it is out")
    await told("freeze-over", "Changes are not frozen any more")
