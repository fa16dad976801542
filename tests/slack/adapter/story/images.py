"""Images: looked at, promoted, brought back, cleaned up, and reached by waves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipway.bot.chat.model import Address, Choice
from slipway.bot.clouds.simulated.azure.conditions import AS_RECORDED, Conditions
from slipway.bot.clouds.simulated.azure.replication import Copying
from slipway.bot.clouds.simulated.azure.state import GalleryState
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.subjects.images.adopting.model import Stage, recorded
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.watching.change import Aspect, Change
from slipway.bot.subjects.images.watching.notices import changed_card
from tests.slack.adapter.story.scenario import OLD_CANDIDATE, WAVED, WAVING, Scenario, name_of
from tests.slack.simulator.seed import ALICE, BOB, CAROL, DAVE, EVE, IMAGES
from tests.support.aws import IMAGE
from tests.support.azure import ARM, ARM_CANDIDATE, RAWHIDE, X64, publishing_profile
from tests.support.clock import NOW
from tests.support.harness import inject_fault, press_forged, refusing_database


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


async def crowd(scenario: Scenario) -> None:
    """One definition with so many versions that no message shows them all."""
    scenario.bot.azure.state = GalleryState(many(1, 120, NOW), scenario.bot.clock, 1)
    await scenario.answer("long-images", ALICE, "!images Fedora-Cloud-1000-x64")
    card = await scenario.answer("long-cleanup-proposed", ALICE, "!cleanup")
    await scenario.answer("long-op", CAROL, f"!op {name_of(card)}")


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
