"""What tests of conversations share: names from the simulated gallery, and short ways to look behind the room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slipway.bot.chat.model import ButtonEvent, Choice, Room
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.operations import audit
from slipway.bot.operations.model import Operation, OperationState
from slipway.commands.dispatch.dispatcher import PATIENCE_SECONDS
from tests.house import NOW, Bot, FakeClock, Shown

X64 = "Fedora-Cloud-43-x64"
CANDIDATE = "43.20261118.0"
"""The newest healthy candidate of X64, two days old."""

LATEST = "43.20261111.0"
ARM = "Fedora-Cloud-43-Arm64"
ARM_CANDIDATE = "43.20261118.0"
RAWHIDE = "Fedora-Cloud-Rawhide-x64"
ENDED = "Fedora-Cloud-41-x64"
"""A release whose versions have all ended."""


@asynccontextmanager
async def gallery(clock: FakeClock | None = None, **how: Any) -> AsyncIterator[SimulatedAzure]:
    """Fedora's simulated gallery, which outlives the bots that a test starts on it."""
    azure = SimulatedAzure(fedora_gallery(NOW), clock=clock or FakeClock(), **how)
    await azure.start()
    try:
        yield azure
    finally:
        await azure.stop()


async def newest(bot: Bot) -> Operation:
    """The operation that was asked for last."""
    (operation,) = await bot.house.operations.recent(1)
    return operation


async def state_of(bot: Bot) -> OperationState:
    """Where the operation is that was asked for last."""
    return (await newest(bot)).state


async def propose(bot: Bot, text: str = f"!promote {X64}", who: str = "alice") -> tuple[Shown, str]:
    """Ask for a change; the card that proposes it, and its operation's id."""
    (card,) = await bot.say(who, text)
    assert card.card.buttons, card.text
    return card, card.card.buttons[0].operation_id


async def trail(bot: Bot) -> list[dict[str, Any]]:
    """The audit trail as its JSON lines have it, proved to be whole."""
    assert isinstance(await audit.verify(bot.house.database), audit.Intact)
    return [json.loads(line) for line in await audit.lines(bot.house.database)]


def arm(bot: Bot, kind: FaultKind, match: str = "*", **more: Any) -> Armed:
    """Let something go wrong in the gallery."""
    return bot.azure.faults.add(Fault(kind=kind, match=match, **more))


def properties(azure: SimulatedAzure, definition: str, version: str) -> dict[str, Any]:
    """A version's publishing profile as the gallery holds it, to be changed behind the bot's back."""
    record = azure.state.versions[definition.casefold()][version]
    profile: dict[str, Any] = record.document["properties"]["publishingProfile"]
    return profile


def versions(azure: SimulatedAzure, definition: str) -> set[str]:
    """The numbers of all versions that the gallery holds of a definition."""
    return set(azure.snapshot()["definitions"][definition]["versions"])


def writes(azure: SimulatedAzure) -> list[str]:
    """What was to change something in the gallery, as method and last part of the path."""
    return [f"{entry.method} {entry.label.rsplit('/', 1)[-1]}" for entry in azure.writes]


async def press_value(
    bot: Bot, who: str, operation_id: str, digest_prefix: str, choice: Choice = Choice.APPROVE
) -> list[Shown]:
    """A press whose value somebody made up: any operation, any digest. What the bot says to it."""
    before = len(bot.messages)
    assert bot.chat.accept is not None
    await bot.chat.accept(
        ButtonEvent(
            event_id=f"forged-{before}-{who}-{digest_prefix}",
            room=Room(platform=bot.chat.platform, id="console"),
            speaker=who,
            choice=choice,
            operation_id=operation_id,
            digest_prefix=digest_prefix,
            sent_at=bot.clock(),
        )
    )
    await bot.house.workflows.idle()
    return bot.messages[before:]


async def no_pauses(seconds: float) -> None:
    """For bots whose clouds or chats make them wait: pauses between looks and tries pass at once.

    How long people are kept waiting before something is said stays as it is.
    """
    await asyncio.sleep(seconds if seconds == PATIENCE_SECONDS else 0)
