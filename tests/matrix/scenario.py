"""The whole bot in a room on a real Synapse, with people in it who share no code with the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from slipway.bot.app import DATABASE, App
from slipway.bot.chat.declaration import ChatContext, KeyValueStore
from slipway.bot.chat.matrix.declaration import CHAT
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import Chat
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from slipway.bot.operations.model import Operation
from slipway.bot.store.database import Database
from slipway.bot.store.tables import chat_memory
from slipway.bot.wiring.parts import ChatBuilder, RunningBot
from tests.matrix.clients import Message, Person
from tests.support.configuration import DECLARED, simulated_settings
from tests.support.pauses import nobody_waits
from tests.support.processes.synapse import Account, Synapse
from tests.support.state_folder import prepare

WORKING = "Working on it"
WHOAMI_ANSWER = "You are Carol"


class ShiftedClock:
    """The machine's clock, which Synapse stamps messages by, moved as far as a test wants."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


class SignallingStore:
    """The adapter's own store; tells when the first sync response has been processed, so that the bot listens."""

    def __init__(self, inner: KeyValueStore, saved: asyncio.Event) -> None:
        self._inner = inner
        self._saved = saved

    async def load(self, name: str) -> str | None:
        return await self._inner.load(name)

    async def save(self, name: str, value: str) -> None:
        await self._inner.save(name, value)
        self._saved.set()


@dataclass
class Scenario:
    """A room, the people in it, a gallery, and a bot that can be started and stopped."""

    state_dir: Path
    synapse: Synapse
    account: Account
    azure: SimulatedAzure
    clock: ShiftedClock
    room: str
    alice: Person  # may change things
    bob: Person  # may approve
    carol: Person  # may look
    mallory: Person  # nobody knows
    running_bot: RunningBot | None = None

    @property
    def bot_id(self) -> str:
        return self.account.user_id

    @asynccontextmanager
    async def bot(
        self, aws: SimulatedAws | None = None, secrets: Mapping[str, str] | None = None, **changes: Any
    ) -> AsyncIterator[None]:
        """The bot, from its listening until it is stopped; ``changes`` go into its configuration, and ``secrets`` are
        the environment's."""
        listening = asyncio.Event()

        def build(context: ChatContext[Any]) -> Chat:
            return CHAT.build(replace(context, own_store=SignallingStore(context.own_store, listening)))

        changes = self._configuration() | changes
        configured = simulated_settings(self.state_dir, self.azure, aws, changes, secrets=secrets)
        app = App(
            configured, DECLARED, chats=(ChatBuilder(MATRIX, build),), clock=self.clock, sleep=nobody_waits
        )
        await prepare(self.state_dir)
        try:
            async with app.running() as self.running_bot:
                async with asyncio.timeout(60):
                    await listening.wait()
                await self.running_bot.workflows.idle()
                yield
        finally:
            self.running_bot = None

    def _configuration(self) -> dict[str, Any]:
        token = self.state_dir / "token"
        token.touch(0o600)
        token.write_text(self.account.access_token)
        people = {
            "alice": (self.alice, "releng"),
            "bob": (self.bob, "releng"),
            "carol": (self.carol, "reader"),
        }
        return {
            "console": {"enabled": False},
            "matrix": {
                "homeserver": self.synapse.url,
                "user_id": self.account.user_id,
                "device_id": self.account.device_id,
                "access_token_file": str(token),
                "rooms": [self.room],
                "edit_interval": "1s",
                "request_timeout": "10s",
            },
            "person": [
                {"id": key, "name": key.title(), "identities": [f"matrix:{who.id}"], "roles": [role]}
                for key, (who, role) in people.items()
            ],
        }

    # The room

    def said(self) -> list[Message]:
        """What the bot has said in the room, as alice saw it at her last look."""
        return self.alice.messages(self.room, self.bot_id)

    async def ask(self, who: Person, text: str, expect: str = "", **how: Any) -> Message:
        """Say something, and wait for a new message of the bot that reads as expected."""
        await self.alice.sync()
        known = {each.id for each in self.said()}
        await who.say(self.room, text, **how)

        def answer() -> Message | None:
            new = (each for each in self.said() if each.id not in known and WORKING not in each.body)
            return next((each for each in new if expect in each.body), None)

        return await self.alice.until(answer, what=f"“{expect}” as an answer to {text}")

    async def settle(self) -> list[Message]:
        """Wait until everything said so far has been heard and answered; all that the bot has said by then.

        Events are taken in one after the other, so once a last one is answered the others are through.
        """
        assert self.running_bot is not None
        await self.ask(self.carol, "!whoami", WHOAMI_ANSWER)
        await self.running_bot.workflows.idle()
        await self.alice.sync()
        return [each for each in self.said() if WHOAMI_ANSWER not in each.body]

    async def shows(self, message: Message, text: str) -> Message:
        """Wait until a message of the bot reads so."""

        def there() -> Message | None:
            return next((each for each in self.said() if each.id == message.id and text in each.body), None)

        return await self.alice.until(there, what=f"“{text}” on the card")

    async def buttons(self, message: Message, *signs: str) -> None:
        """Wait until these, and no others, are the bot's own reactions to a message."""

        def own() -> set[str]:
            found = self.alice.reactions(self.room, message.id)
            return {sign for who, sign in found if who == self.bot_id}

        await self.alice.until(lambda: own() == set(signs), what=f"the buttons {signs}")

    # Behind it

    def excluded(self, definition: str, version: str) -> bool | None:
        """The exclude-from-latest flag as the gallery has it."""
        flag: bool | None = self.azure.snapshot()["definitions"][definition]["versions"][version]["excluded"]
        return flag

    async def operations(self) -> tuple[Operation, ...]:
        """The newest operations."""
        assert self.running_bot is not None
        return await self.running_bot.operations.recent(10)

    async def stored_position(self) -> dict[str, str]:
        """What the bot knows of how far it has listened."""
        query = sa.select(chat_memory.c.name, chat_memory.c.value)
        async with self._database() as database, database.reading() as connection:
            return {row.name: row.value for row in await connection.execute(query)}

    async def turn_back_to(self, stored_position: dict[str, str]) -> None:
        """Make the homeserver deliver once more what came after this; the bot must be stopped."""
        rows = [
            {"platform": MATRIX, "name": name, "value": stored_position[name]} for name in stored_position
        ]
        async with self._database() as database, database.writing() as connection:
            await connection.execute(chat_memory.delete())
            await connection.execute(chat_memory.insert(), rows)

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[Database]:
        database = Database(self.state_dir / DATABASE)
        try:
            await database.open()
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def scenario_in(synapse: Synapse, state_dir: Path) -> AsyncIterator[Scenario]:
    """People in a room to which the bot is invited; it is not running yet."""
    account = synapse.register(displayname="Slipway Bot")
    clock = ShiftedClock()
    async with AsyncExitStack() as stack:
        azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
        await azure.start()
        stack.push_async_callback(azure.stop)
        alice, bob, carol, mallory = [await stack.enter_async_context(Person.of(synapse)) for _ in range(4)]
        others = (bob, carol, mallory)
        room = await alice.create_room(invite=(account.user_id, *(each.id for each in others)))
        for each in others:
            await each.join(room)
        yield Scenario(state_dir, synapse, account, azure, clock, room, alice, bob, carol, mallory)
