"""What the bot says, card by card, as Slack shows it: one golden file each, under ``cards/said``.

A scenario on simulated clouds makes every kind of card; ids, digests and addresses, which differ from run to run,
are numbered. ``SLIPWAY_UPDATE_GOLDEN=1 pytest tests/slack/adapter/test_golden_cards.py`` writes the files anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from slipway import __version__
from slipway.bot.chat.model import Address, Assurance, Card, Choice, MessageEvent, Room, Tone
from slipway.bot.chat.slack.events.trust import DIRECT_MESSAGE_DOUBT
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.rendering.modals import home_view
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.clouds.simulated.azure.conditions import AS_RECORDED, Conditions
from slipway.bot.clouds.simulated.azure.replication import Copying
from slipway.bot.clouds.simulated.azure.state import GalleryState
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.operations.model import OperationState
from slipway.bot.problems.model import Found, Look, Mend
from slipway.bot.subjects.images.adopting.model import Stage, recorded
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.watching.change import Aspect, Change
from slipway.bot.subjects.images.watching.notices import changed_card
from slipway.commands.dispatch.events import LineRequest
from slipway.commands.dispatch.home import home
from tests.slack.golden import Golden, numbered, pretty, sent
from tests.slack.harness import no_wait
from tests.slack.simulator.block_kit.blocks import Surface, check_blocks, check_view, too_long, view_too_large
from tests.slack.simulator.seed import ALICE, BOB, CAROL, DAVE, EVE, IMAGES
from tests.support.aws import IMAGE, simulated_aws
from tests.support.azure import ARM, ARM_CANDIDATE, ENDED, RAWHIDE, X64, publishing_profile
from tests.support.clock import NOW
from tests.support.harness import BotHarness, inject_fault, press_forged, refusing_database, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage

pytestmark = pytest.mark.xdist_group("golden-cards")  # the scenario is run once


GOLDEN = Golden(Path(__file__).parents[1] / "cards" / "said")

HOME = "home-"
"""What the names of Home tabs begin with; every other card is a message."""

MONDAY = datetime(2026, 11, 23, 9, tzinfo=NOW.tzinfo)
OLD_CANDIDATE = "43.20261009.0"
ENDED_IMAGES = "Fedora-Cloud-Base-AmazonEC2.x86_64-41"

PERSONS = [
    {"id": name.lower(), "name": name, "identities": [f"slack:{account}"], "roles": [role]}
    for role, them in (("releng", {"Alice": ALICE, "Bob": BOB, "Dave": DAVE}), ("reader", {"Carol": CAROL}))
    for name, account in them.items()
]
SCHEDULES = [
    {"name": name, "cron": cron, "command": command, "room": f"slack:{IMAGES}", "roles": [role]}
    for name, cron, command, role in (
        ("weekly-promotion", "0 9 * * mon", "promote *", "releng"),
        ("weekly-list", "0 9 * * tue", "images Fedora-Cloud-42-*", "reader"),
        ("daily-status", "0 8 * * *", "status", "reader"),
    )
]
CLOUDY = {
    "cloud": "azure",
    "regions": ["westeurope", "eastus"],
    "description": "2 cores, 4 GiB",
    "machine": {
        "size": "Standard_B2s",
        "subnet": "machines-{region}/default",
        "security_group": "ssh-{region}",
    },
}
WAVING = "Waving-x64"
WAVED = Seed(
    (
        SeedDefinition(
            WAVING,
            "x64",
            tuple(
                SeedVersion(
                    f"43.{number}.0",
                    NOW - timedelta(days=40 - 10 * number),
                    number > 0,
                    tuple(map(SeedRegion, ("eastus", "uksouth", "westeurope")[:: 2 if number else 1])),
                    end_of_life=NOW + timedelta(days=300),
                    tags={"owner": "fedora-cloud"},
                )
                for number in range(3)
            ),
        ),
    )
)
"""One that is latest, and two candidates."""

CHANGES: dict[str, Any] = {
    "promotion": {WAVING: {"protect": True}},
    "replication": {
        WAVING: {
            "regions": ["eastus", "westeurope", "uksouth"],
            "waves": [
                {"name": "first", "regions": ["eastus"], "bake": "1d"},
                {"name": "second", "regions": ["westeurope"], "bake": "4h"},
            ],
        }
    },
    "azure": {"machines_group": "slipway-machines", "regions": ["eastus", "westeurope"]},
    "profiles": {"cloudy": CLOUDY},
    "console": {"enabled": False},
    "slack": {"channels": [IMAGES], "bot_token_file": "bot-token", "app_token_file": "app-token"},
    "person": PERSONS,
    "policy": {"launch": {"approvals": 1}, "rollback": {"approvals": 2}},
    "schedule": [each | {"missed": "skip"} for each in SCHEDULES],
}


def name_of(card: PostedMessage) -> str:
    """The id of the operation whose card this is."""
    return card.card.title.split()[0]


@dataclass
class Scenario:
    """The running bot, and what it has said so far that is worth a golden file."""

    bot: BotHarness
    aws: SimulatedAws
    cards: dict[str, tuple[Card, ...]] = field(default_factory=dict)
    states: set[OperationState] = field(default_factory=set)
    over: set[str] = field(default_factory=set)  # problems that are over when it ends

    async def keep(self, name: str, shown: PostedMessage) -> PostedMessage:
        """Keep what a message says now, and note the state of the operation that it is about."""
        assert name not in self.cards
        self.cards[name] = (shown.card,)
        if about := re.match(r"op-\w+", shown.card.title):
            self.states.add((await self.bot.running.operations.get(about[0])).state)
        return shown

    async def ask(self, who: str, line: str, **how: Any) -> PostedMessage:
        """Say something a minute later (so that operations have an order), and take the first answer."""
        self.bot.clock.advance(timedelta(minutes=1))
        return (await self.bot.say(who, line, room=IMAGES, **how))[0]

    async def answer(self, name: str, who: str, line: str, **how: Any) -> PostedMessage:
        """Say something, and keep the answer."""
        return await self.keep(name, await self.ask(who, line, **how))

    async def end(self, name: str, card: PostedMessage, who: str = BOB) -> PostedMessage:
        """Approve an operation seven minutes later, and keep its card and its report."""
        self.bot.clock.advance(timedelta(minutes=7))
        await self.bot.press(who, Choice.APPROVE, card)
        return await self.ended(name, card)

    async def ended(self, name: str, card: PostedMessage) -> PostedMessage:
        """Keep the card of an operation that has ended, and its report, which is the newest in its thread."""
        await self.keep(name, card)
        return await self.keep(f"{name}-report", [m for m in self.bot.messages if m.thread == card.id][-1])

    async def at(self, name: str, moment: datetime, words: str) -> PostedMessage:
        """Let it be this moment, and keep what the schedules make the bot say then with these words."""
        self.bot.clock.now = moment
        await self.bot.running.schedules.wake()
        await self.bot.running.workflows.idle()
        return await self.keep(name, [m for m in self.bot.messages if words in m.card.title][-1])

    async def tick(self, name: str, schedule: str, line: str) -> None:
        """Let a schedule say a line, and keep what it is told."""
        self.bot.clock.advance(timedelta(minutes=1))
        room, at = Room(platform=SLACK, id=IMAGES), self.bot.clock()
        request = LineRequest.of_schedule(schedule, at, room, line, quiet=False)
        await self.bot.running.dispatcher.accept_line(request)
        await self.bot.running.workflows.idle()
        await self.keep(name, self.bot.messages[-1])

    async def ask_directly(self, name: str, who: str, line: str) -> None:
        """Hear a line in a direct message, as Slack's adapter passes it on, and keep the answer."""
        room, at = Room(platform=SLACK, id="D0DIRECT0"), self.bot.clock()
        received = MessageEvent(
            event_id=name, room=room, sender=who, text=line, address=Address.DIRECT, sent_at=at
        )
        doubted = received.model_copy(update={"assurance": Assurance.REFUSED, "doubt": DIRECT_MESSAGE_DOUBT})
        await self.bot.running.dispatcher.accept(doubted)
        await self.bot.running.workflows.idle()
        await self.keep(name, self.bot.messages[-1])

    async def look_home(self, name: str, account: str) -> None:
        """Keep somebody's Home tab."""
        self.cards[f"{HOME}{name}"] = await home(self.bot.running.dispatcher._services, SLACK, account)


async def looks(scenario: Scenario) -> None:
    await scenario.answer("help", EVE, "!help")
    await scenario.answer("help-of-launch", ALICE, "!help launch")
    await scenario.answer("help-of-reject", ALICE, "!reject --help")
    await scenario.answer("yes", ALICE, "", address=Address.MENTION)
    await scenario.answer("whoami", ALICE, "!whoami")
    await scenario.answer("whoami-stranger", EVE, "!whoami")
    await scenario.answer("images", ALICE, "!images")
    await scenario.answer("images-of-one", ALICE, f"!images {X64}")
    await scenario.answer("images-of-one-uneven", ALICE, f"!images {ARM}")
    await scenario.answer("pending-none", ALICE, "!pending")
    await scenario.answer("history-none", ALICE, "!history")
    await scenario.answer("instances-none", ALICE, "!instances")
    await scenario.look_home("empty", CAROL)
    await scenario.look_home("stranger", EVE)


async def slips(scenario: Scenario) -> None:
    await scenario.answer("slip", ALICE, f"!promot {X64}")
    await scenario.answer("unknown-command", ALICE, "frobnicate it", address=Address.MENTION)
    await scenario.answer("two-lines", ALICE, "!images\n!status")
    await scenario.answer("misuse", ALICE, f"!launch {IMAGE} --for tomorrow")
    await scenario.answer("mistake-nearest", ALICE, "!images Fedora-Cloud-34-x64")
    await scenario.answer("mistake-unfit", ALICE, f"!promote {X64} 43.20261117.0")
    await scenario.answer("mistake-no-operation", ALICE, "!op zzzz")
    await scenario.answer("refused-stranger", EVE, f"!promote {X64}")
    await scenario.answer("refused-reader", CAROL, f"!promote {X64}")
    await scenario.answer("nothing-to-do", ALICE, "!promote Fedora-Cloud-41-x64")
    await scenario.answer("dry-run", ALICE, f"!promote {X64} --dry-run")
    await scenario.ask_directly("refused-direct", ALICE, f"promote {X64}")


async def promotion(scenario: Scenario) -> None:
    bot = scenario.bot
    card = await scenario.answer("promote-proposed", ALICE, f"!promote {X64}")
    await scenario.keep("refused-requester", *await bot.press(ALICE, Choice.APPROVE, card))
    await scenario.keep("refused-without-role", *await bot.press(CAROL, Choice.APPROVE, card))
    await scenario.keep("refused-other-plan", *await press_forged(bot, BOB, name_of(card), "00000000"))
    await scenario.answer("refused-cancel", CAROL, f"!cancel {name_of(card)}")
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "GET *")
    bot.clock.advance(timedelta(minutes=7))
    await bot.press(BOB, Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    await bot.until(lambda: "approved" in card.card.title)
    await scenario.keep("promote-approved", card)
    held.release()
    await bot.running.workflows.idle()
    await scenario.ended("promote-done", card)
    await scenario.keep("refused-late", *await bot.press(BOB, Choice.APPROVE, card))
    await scenario.answer("op-of-done", CAROL, f"!op {name_of(card)}")
    card = await scenario.answer("rollback-proposed", ALICE, f"!rollback {X64}")
    await bot.press(BOB, Choice.APPROVE, card)
    await scenario.keep("rollback-approved-once", card)
    await scenario.end("rollback-done", card, DAVE)
    await scenario.answer("promote-older-proposed", ALICE, f"!promote {X64}")


async def other_ends(scenario: Scenario) -> None:
    bot, line = scenario.bot, f"!promote {ARM}"
    card = await scenario.ask(ALICE, line)
    await bot.say(BOB, f"!reject {name_of(card)} the boot test has not run yet", room=IMAGES)
    await scenario.ended("rejected", card)
    card = await scenario.ask(ALICE, line)
    await bot.press(ALICE, Choice.REJECT, card)
    await scenario.keep("cancelled", card)
    card = await scenario.ask(ALICE, line)
    bot.clock.advance(timedelta(hours=25))
    await bot.running.housekeeping.sweep()
    await bot.running.workflows.idle()
    await scenario.ended("expired", card)
    facts = await scenario.ask(ALICE, line)
    latest = publishing_profile(bot.azure, ARM, "43.20261111.0")
    latest["targetRegions"], kept = latest["targetRegions"][:1], latest["targetRegions"]
    await scenario.end("stale-facts", facts)
    latest["targetRegions"] = kept
    done = await scenario.ask(ALICE, line)
    publishing_profile(bot.azure, ARM, ARM_CANDIDATE)["excludeFromLatest"] = False
    await scenario.end("stale-done", done)


async def failures(scenario: Scenario) -> None:
    bot = scenario.bot
    card = await scenario.answer("promote-several-proposed", ALICE, "!promote Fedora-Cloud-42-*")
    inject_fault(bot, FaultKind.REFUSE, "PUT *", after=1, times=None)
    await scenario.end("failed", card)
    await scenario.answer("op-of-failed", CAROL, f"!op {name_of(card)}")
    bot.azure.faults.clear()
    card = await scenario.ask(ALICE, f"!promote {RAWHIDE}")
    inject_fault(bot, FaultKind.ERROR, "GET *", times=None)
    await scenario.end("failed-before", card)
    await scenario.answer("azure-unlooked", ALICE, "!images")
    bot.azure.faults.clear()
    card = await scenario.ask(ALICE, f"!promote {RAWHIDE}")
    async with refusing_database(bot, "INSERT ON audit WHEN NEW.action IN ('step-1:done', 'proposed')"):
        await scenario.end("failed-inside", card)
        await scenario.answer("answer-failed-inside", ALICE, f"!rollback {RAWHIDE}")
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "GET *")
    await bot.say(ALICE, "!images", room=IMAGES, wait=False)
    await held.reached.wait()
    await bot.until(lambda: bot.messages[-1].card.title.startswith("Working on it"))
    await scenario.keep("looking", bot.messages[-1])
    held.release()
    await bot.running.workflows.idle()


async def cleanups(scenario: Scenario) -> None:
    bot = scenario.bot
    await scenario.answer("cleanup-dry-run", ALICE, "!cleanup --dry-run")
    await scenario.answer("cleanup-proposed", ALICE, "!cleanup")
    card = await scenario.answer("cleanup-of-one-proposed", ALICE, f"!cleanup {RAWHIDE}")
    await scenario.answer("mistake-which-operation", BOB, "!approve")
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "DELETE *", after=1)
    await bot.press(BOB, Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    await bot.until(lambda: "running, 1 of" in card.card.title)
    await scenario.keep("cleanup-running", card)
    await bot.say(ALICE, f"!cancel {name_of(card)}", room=IMAGES, wait=False)
    await bot.until(lambda: "Stopped by" in card.text)
    await scenario.keep("cleanup-stopping", card)
    held.release()
    await bot.running.workflows.idle()
    await scenario.ended("cleanup-stopped", card)
    await scenario.end("cleanup-done", await scenario.ask(ALICE, f"!cleanup {RAWHIDE}"))
    bot.azure.conditions = Conditions(soft_delete=True)
    bot.clock.advance(timedelta(minutes=10))  # until the gallery is asked again what it keeps
    await scenario.end("cleanup-kept", await scenario.ask(ALICE, f"!cleanup {X64}"))
    await scenario.answer("images-of-one-restorable", ALICE, f"!images {X64}")
    await scenario.answer("images-of-a-restorable", ALICE, f"!images {X64}/{OLD_CANDIDATE}")
    await scenario.answer("mistake-not-restorable", ALICE, f"!restore {X64}/43.20261003.0")
    card = await scenario.answer("restore-proposed", ALICE, f"!restore {X64}/{OLD_CANDIDATE}")
    await bot.press(BOB, Choice.APPROVE, card)
    await scenario.end("restore-done", card, DAVE)
    bot.azure.conditions = AS_RECORDED


async def machines(scenario: Scenario) -> None:
    bot, aws = scenario.bot, scenario.aws
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


async def crowd(scenario: Scenario) -> None:
    """One definition with so many versions that no message shows them all."""
    scenario.bot.azure.state = GalleryState(many(1, 120, NOW), scenario.bot.clock, 1)
    await scenario.answer("long-images", ALICE, "!images Fedora-Cloud-1000-x64")
    card = await scenario.answer("long-cleanup-proposed", ALICE, "!cleanup")
    await scenario.answer("long-op", CAROL, f"!op {name_of(card)}")


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


async def foreign_changes(scenario: Scenario) -> None:
    """What somebody else changed, and that it is adopted."""
    ref, people = DefinitionRef("azure", X64), scenario.bot.running.services.people
    changes = (
        Change(version="43.20261101.0", aspect=Aspect.PROMOTED, gained=("eastus",)),
        Change(version="43.20261011.0", aspect=Aspect.DELETED, kept=True),
    )
    for name, some in (("one", changes[:1]), ("several", changes)):
        told = recorded(ref, 3, some, (None, NOW))
        scenario.cards[f"changed-by-others-{name}"] = (changed_card(told, "!", people.name),)
    words: dict[str, Any] = {
        "stage": Stage.ADOPTED,
        "ended_at": NOW,
        "person": "alice",
        "reason": "we did it",
    }
    adopted = [each.reworded(**words) for each in told]
    scenario.cards["changed-by-others-adopted"] = (changed_card(adopted, "!", people.name),)


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


async def reaching(scenario: Scenario) -> None:
    """A promotion that is copied, goes by waves and is protected; a hold in between; and what lifts each."""
    bot = scenario.bot
    bot.azure.state = GalleryState(WAVED, bot.clock, 1)
    bot.azure.conditions = Conditions(copying=Copying(takes={"uksouth": timedelta(hours=2)}))
    card = await scenario.answer("waves-proposed", ALICE, f"!promote {WAVING}")
    await bot.press(BOB, Choice.APPROVE, card, wait=False)
    await bot.until(lambda: "uksouth replicates" in card.text)
    await scenario.keep("waves-copying", card)
    bot.clock.advance(timedelta(hours=3))
    await bot.until(lambda: "wave first bakes" in card.text)
    await scenario.keep("waves-baking", card)
    await bot.say(BOB, f"!hold {WAVING} its mirrors lag", room=IMAGES, wait=False)
    await bot.until(lambda: any("hold: done" in each.card.title for each in bot.messages))
    bot.clock.advance(timedelta(days=2))
    await bot.running.workflows.idle()
    await scenario.ended("waves-stopped", card)
    await scenario.answer("regions-owed", CAROL, "!regions")
    await bot.say(BOB, f"!unhold {WAVING}", room=IMAGES)
    card = await scenario.answer("waves-again-proposed", ALICE, f"!promote {WAVING}/43.2.0")
    await bot.press(BOB, Choice.APPROVE, card, wait=False)
    await bot.until(lambda: "wave second bakes" in card.text)
    bot.clock.advance(timedelta(hours=5))
    await bot.running.workflows.idle()
    await scenario.ended("waves-done", card)
    card = await scenario.answer("protected-rollback-proposed", ALICE, f"!rollback {WAVING}")
    await bot.press(BOB, Choice.APPROVE, card)
    await bot.press(DAVE, Choice.APPROVE, card)
    bot.azure.conditions = AS_RECORDED


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


PARTS = (
    looks,
    slips,
    promotion,
    other_ends,
    failures,
    cleanups,
    machines,
    ticks,
    week,
    crowd,
    overviews,
    problems,
    day_and_month,
    foreign_changes,
    reaching,
    freezes,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The whole scenario, run, with the names in its cards made steady."""
    state = tmp_path_factory.mktemp("state")
    for name, token in (("bot-token", "xoxb-made-up"), ("app-token", "xapp-made-up")):
        (state / name).write_text(token)
        (state / name).chmod(0o600)
    with capture_logs():  # of what fails on purpose, tracebacks take seconds to print
        async with (
            simulated_aws() as aws,
            running_bot(state, aws=aws, chat=MemoryChat(SLACK), changes=CHANGES, sleep=no_wait) as bot,
        ):
            scenario = Scenario(bot, aws)
            for part in PARTS:
                await part(scenario)
            changing = await _changing(scenario)
    scenario.cards = {name: _steady(cards, changing) for name, cards in scenario.cards.items()}
    return scenario


async def _changing(scenario: Scenario) -> set[str]:
    """The names in cards that differ between runs: of operations, plans, problems, machines, security groups."""
    names = {each["id"] for each in (await scenario.aws.state())["instances"]}
    said = json.dumps([card.model_dump(mode="json") for cards in scenario.cards.values() for card in cards])
    names |= set(re.findall(r"\bsg-[0-9a-f]{17}\b", said))
    for operation in await scenario.bot.running.operations.recent(1000):
        names |= {operation.id, operation.digest_prefix}
    still = {each.id for each in await scenario.bot.running.services.problems.open_problems()}
    return names | scenario.over | still


def _steady(cards: tuple[Card, ...], changing: Collection[str]) -> tuple[Card, ...]:
    """The cards without what differs between runs: names are numbered, from 1 in each message.

    The day on which the simulated EC2 launched something, which is the system's, becomes that of the scenario;
    and the version of Slipway never changes.
    """
    text = json.dumps([card.model_dump(mode="json") for card in cards])
    text = re.sub(r"launched \d{4}-\d\d-\d\d", f"launched {NOW:%Y-%m-%d}", text)
    text = numbered(text.replace(f"Slipway {__version__} ", "Slipway 1.2.3 "), changing)
    return tuple(Card.model_validate(each) for each in json.loads(text))


def _in_slack(name: str, cards: tuple[Card, ...]) -> dict[str, Any]:
    return home_view(cards) if name.startswith(HOME) else sent(*cards)


def test_each_card_looks_as_agreed(scenario: Scenario, subtests: pytest.Subtests) -> None:
    for name, cards in scenario.cards.items():
        with subtests.test(name):
            found = pretty(_in_slack(name, cards))
            assert found == GOLDEN.agreed(name, found)


def test_slack_takes_each_card(scenario: Scenario, subtests: pytest.Subtests) -> None:
    for name, cards in scenario.cards.items():
        with subtests.test(name):
            shown = _in_slack(name, cards)
            if name.startswith(HOME):
                assert (check_view(shown, Surface.HOME), view_too_large(shown)) == ([], False)
            else:
                blocks = shown["blocks"]
                assert (check_blocks(blocks, Surface.MESSAGE), too_long(blocks)) == ([], False)


def test_the_golden_files_are_those_of_the_story(scenario: Scenario) -> None:
    assert GOLDEN.names(scenario.cards) == set(scenario.cards)


def test_the_story_has_every_state_and_every_tone(scenario: Scenario) -> None:
    assert scenario.states == set(OperationState) - {OperationState.UNKNOWN}  # which another Slipway stored
    assert {card.tone for cards in scenario.cards.values() for card in cards} == set(Tone)
