"""The running bot of the story, how it is configured, and what it said that is worth a golden file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from slipway import __version__
from slipway.bot.chat.model import Address, Assurance, Card, Choice, MessageEvent, Room
from slipway.bot.chat.slack.events.trust import DIRECT_MESSAGE_DOUBT
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.events import LineRequest
from slipway.commands.dispatch.home import home
from tests.slack.golden import numbered
from tests.slack.simulator.seed import ALICE, BOB, CAROL, DAVE, IMAGES
from tests.support.clock import NOW
from tests.support.harness import BotHarness
from tests.support.memory_chat import PostedMessage

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
    aws: SimulatedAws | None = None
    cards: dict[str, tuple[Card, ...]] = field(default_factory=dict)
    states: set[OperationState] = field(default_factory=set)
    over: set[str] = field(default_factory=set)  # problems that are over when it ends
    changing: set[str] = field(default_factory=set)  # the names in cards that differ between runs

    async def note_names(self) -> None:
        """Note the names that differ between runs: of operations, plans, problems, machines, security groups."""
        if self.aws is not None:
            self.changing |= {each["id"] for each in (await self.aws.state())["instances"]}
        said = json.dumps([card.model_dump(mode="json") for cards in self.cards.values() for card in cards])
        self.changing |= set(re.findall(r"\bsg-[0-9a-f]{17}\b", said)) | self.over
        for operation in await self.bot.running.operations.recent(1000):
            self.changing |= {operation.id, operation.digest_prefix}
        self.changing |= {each.id for each in await self.bot.running.services.problems.open_problems()}

    def steady(self) -> dict[str, tuple[Card, ...]]:
        """The cards without what differs between runs."""
        return {name: _steady(cards, self.changing) for name, cards in self.cards.items()}

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


def _steady(cards: tuple[Card, ...], changing: Collection[str]) -> tuple[Card, ...]:
    """The cards without what differs between runs: names are numbered, from 1 in each message.

    The day on which the simulated EC2 launched something, which is the system's, becomes that of the scenario;
    and the version of Slipway never changes.
    """
    text = json.dumps([card.model_dump(mode="json") for card in cards])
    text = re.sub(r"launched \d{4}-\d\d-\d\d", f"launched {NOW:%Y-%m-%d}", text)
    text = numbered(text.replace(f"Slipway {__version__} ", "Slipway 1.2.3 "), changing)
    return tuple(Card.model_validate(each) for each in json.loads(text))
