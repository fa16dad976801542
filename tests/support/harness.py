"""The whole bot on simulated clouds, in a room that tests talk in: ``await bot.say("alice", "!images")``.

Everything between the room and the clouds is real: the dispatcher, DBOS on SQLite, the Azure SDK and boto3 over
HTTP. The room is an in-memory chat adapter, held to the same conformance as the real ones.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from slipway.bot.app import App
from slipway.bot.chat.model import (
    Address,
    AnyEvent,
    Assurance,
    ButtonEvent,
    Choice,
    MessageEvent,
    Room,
)
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.state import GalleryState
from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.uptime import ReadUptime
from slipway.bot.core.waiting import Sleep
from slipway.bot.declared import Declarations
from slipway.bot.operations import audit
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.replicas.model import LeaseTiming
from slipway.bot.store.tables import image_evidence
from slipway.bot.wiring.parts import ChatBuilder, RunningBot
from slipway.commands.dispatch.context import CommandResult
from slipway.commands.dispatch.hints import why_not
from slipway.commands.grammar.arguments import Misuse, parse
from slipway.commands.grammar.registry import Registry, Resolved
from tests.support.azure import ARM, X64
from tests.support.clock import NOW, FakeClock, uptime_beside
from tests.support.configuration import DECLARED, simulated_settings
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.pauses import nobody_waits
from tests.support.state_folder import prepare

UPKEEP_EVERY = timedelta(days=1)
"""After the one at its start, a bot looks after nothing unless its test has it do so, however slow the machine is."""


class BotHarness:
    """The running bot, as somebody in its room uses it."""

    def __init__(
        self,
        running: RunningBot,
        chat: MemoryChat,
        clock: FakeClock,
        azure: SimulatedAzure | None,
        commands: Registry[CommandResult] = DECLARED.commands,
    ) -> None:
        self.running = running
        self.chat = chat
        self.clock = clock
        self._azure = azure
        self._commands = commands

    @property
    def azure(self) -> SimulatedAzure:
        """The simulated gallery behind it."""
        assert self._azure is not None
        return self._azure

    @property
    def messages(self) -> list[PostedMessage]:
        """Every message of the bot so far."""
        return self.chat.messages

    async def say(
        self,
        who: str,
        text: str,
        *,
        room: str = "console",
        thread: str | None = None,
        reply_to: str | None = None,
        event_id: str | None = None,
        address: Address = Address.ROOM,
        age: timedelta = timedelta(),
        doubt: str = "",
        wait: bool = True,
    ) -> list[PostedMessage]:
        """Say something, wait until all that follows from it is done, and return the new messages.

        ``doubt`` is why the platform's adapter doubts that it is ``who`` says it.
        """
        before = len(self.messages)
        received = MessageEvent(
            event_id=event_id or f"e{next(self.chat.events)}",
            room=Room(platform=self.chat.platform, id=room),
            sender=who,
            text=text,
            address=address,
            thread=thread,
            reply_to=reply_to,
            sent_at=self.clock() - age,
            assurance=Assurance.DOUBTED if doubt else Assurance.FULL,
            doubt=doubt,
        )
        await self._accept(received, wait=wait)
        return self.messages[before:]

    async def press(
        self,
        who: str,
        choice: Choice,
        message: PostedMessage,
        *,
        event_id: str | None = None,
        by_value: bool = False,
        age: timedelta = timedelta(),
        wait: bool = True,
    ) -> list[PostedMessage]:
        """Press a button of a message, named by the message or by the button's own value."""
        before = len(self.messages)
        button = next((each for each in message.cards[0].buttons if each.choice is choice), None)
        press = ButtonEvent(
            event_id=event_id or f"e{next(self.chat.events)}",
            room=Room(platform=self.chat.platform, id=message.room),
            sender=who,
            choice=choice,
            message_id=None if by_value else message.id,
            operation_id=button.operation_id if by_value and button else None,
            digest_prefix=button.digest_prefix if by_value and button else None,
            sent_at=self.clock() - age,
        )
        await self._accept(press, wait=wait)
        return self.messages[before:]

    async def _accept(self, event: AnyEvent, *, wait: bool) -> None:
        assert self.chat.accept is not None
        before = len(self.messages)
        await self.chat.accept(event)
        if wait:
            await self.running.idle()
            for message in self.messages[before:]:
                self._check_next_commands(message, event)

    def _check_next_commands(self, message: PostedMessage, event: AnyEvent) -> None:
        """What an answer names as the next command is one, and whoever it is for may say it.

        Of an operation's card everybody is a reader; whose move it is, it says itself.
        """
        services = self.running.services
        person = services.people.by_account(self.chat.platform, event.sender)
        told = message.card.private_to == event.sender or isinstance(event, MessageEvent)
        for note in message.card.notes:
            for line in re.findall(rf"`{re.escape(services.cards.prefix)}([^`]*)`", note):
                name, *args = shlex.split(line)
                found = self._commands.resolve(name, args)
                assert isinstance(found, Resolved), note
                assert not isinstance(parse(found.command, found.args, ""), Misuse), note
                example = note.startswith("For example: ")
                if told and person is not None and message.card.operation is None and not example:
                    assert why_not(person, line, self._commands, services.people) is None, note

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until the room shows something, for conversations in which work is still under way."""
        async with asyncio.timeout(20):
            while not seen():
                self.chat.changed.clear()
                await self.chat.changed.wait()

    def excluded(self, definition: str, version: str) -> bool | None:
        """The exclude-from-latest flag as the gallery has it."""
        body = self.azure.snapshot()["definitions"][definition]["versions"][version]
        flag: bool | None = body["excluded"]
        return flag


@asynccontextmanager
async def running_bot(
    state_dir: Path,
    *,
    azure: SimulatedAzure | None = None,
    aws: SimulatedAws | None = None,
    changes: Mapping[str, Any] | None = None,
    clock: FakeClock | None = None,
    chat: MemoryChat | None = None,
    grace: timedelta = timedelta(seconds=10),
    sleep: Sleep = nobody_waits,
    uptime: ReadUptime | None = None,
    declarations: Declarations = DECLARED,
    timing: LeaseTiming | None = None,
    load: Callable[[], SlipwaySettings] | None = None,
    hangup: asyncio.Event | None = None,
) -> AsyncIterator[BotHarness]:
    """The bot, started and at the end stopped. Without ``azure``, on a gallery of its own."""
    clock = clock or FakeClock()
    chat = chat or MemoryChat()
    async with AsyncExitStack() as stack:
        if azure is None:
            azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
            await azure.start()
            stack.push_async_callback(azure.stop)
        configured = simulated_settings(state_dir, azure, aws, changes, declarations)
        await prepare(state_dir)
        app = App(
            configured,
            declarations,
            chats=(ChatBuilder(chat.platform, lambda _: chat),),
            clock=clock,
            grace=grace,
            sleep=sleep,
            uptime=uptime or uptime_beside(clock),
            upkeep_every=UPKEEP_EVERY,
            timing=timing,
            load=load,
            hangup=hangup,
        )
        running = await stack.enter_async_context(app.running())
        await chat.listening.wait()
        yield BotHarness(running, chat, clock, azure, declarations.commands)


@asynccontextmanager
async def refusing_database(bot: BotHarness, change: str) -> AsyncIterator[None]:
    """A database that cannot store a certain change, as if the disk were full just then."""
    full = f"CREATE TRIGGER full BEFORE {change} BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    async with bot.running.database.writing() as connection:
        await connection.execute(sa.text(full))
    yield
    async with bot.running.database.writing() as connection:
        await connection.execute(sa.text("DROP TRIGGER full"))


@asynccontextmanager
async def lost_database(bot: BotHarness, folder: Path) -> AsyncIterator[None]:
    """A state folder whose database cannot be read, from the end of the block on until the bot has noticed."""
    await bot.running.database.close()  # its next connection is a new one
    path, away, nothing = folder / "slipway.db", folder / "away.db", folder / "no-database"
    nothing.symlink_to(folder)
    away.hardlink_to(path)
    nothing.replace(path)  # in one go: where nothing stood there, a connection would make an empty file
    yield
    await bot.until(lambda: any("I take nothing in now" in each.cards[0].title for each in bot.messages))
    away.replace(path)


async def newest_operation(bot: BotHarness) -> Operation:
    """The operation that was asked for last."""
    (operation,) = await bot.running.operations.recent(1)
    return operation


async def newest_state(bot: BotHarness) -> OperationState:
    """Where the operation is that was asked for last."""
    return (await newest_operation(bot)).state


async def propose(
    bot: BotHarness, text: str = f"!promote {X64}", who: str = "alice"
) -> tuple[PostedMessage, str]:
    """Ask for a change; the card that proposes it, and its operation's id."""
    card, *called = await bot.say(who, text)  # those who can decide are called apart where a bot is impatient
    assert card.card.buttons, card.text
    assert all(each.thread == card.id for each in called)
    return card, card.card.buttons[0].operation_id


async def propose_slowly(bot: BotHarness) -> tuple[PostedMessage, Armed]:
    """Ask an impatient bot for a change; what it says meanwhile, and what holds its look at the gallery."""
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "GET *")
    await bot.say("alice", f"!promote {X64}", wait=False)
    await bot.until(lambda: bool(bot.messages))
    (card,) = bot.messages
    assert "Working on it…" in card.text
    return card, held


async def audit_trail(bot: BotHarness) -> list[dict[str, Any]]:
    """The audit trail as its JSON lines have it, proved to be whole; without what each start notes of itself."""
    proved = await audit.verify(bot.running.database)
    assert isinstance(proved, audit.Intact), proved
    found = [json.loads(line) for line in await audit.lines(bot.running.database)]
    return [entry for entry in found if entry["action"] != "configured"]


def inject_fault(bot: BotHarness, kind: FaultKind, match: str = "*", **more: Any) -> Armed:
    """Let something go wrong in the gallery."""
    return bot.azure.faults.add(Fault(kind=kind, match=match, **more))


async def press_forged(
    bot: BotHarness, who: str, operation_id: str, digest_prefix: str, choice: Choice = Choice.APPROVE
) -> list[PostedMessage]:
    """A press whose value somebody made up: any operation, any digest. What the bot says to it."""
    before = len(bot.messages)
    assert bot.chat.accept is not None
    await bot.chat.accept(
        ButtonEvent(
            event_id=f"forged-{before}-{who}-{digest_prefix}",
            room=Room(platform=bot.chat.platform, id="console"),
            sender=who,
            choice=choice,
            operation_id=operation_id,
            digest_prefix=digest_prefix,
            sent_at=bot.clock(),
        )
    )
    await bot.running.workflows.idle()
    return bot.messages[before:]


async def another_goes_on(bot: BotHarness) -> None:
    """Other operations are proposed, approved and done."""
    card, _ = await propose(bot, f"!promote {ARM}")
    await bot.press("bob", Choice.APPROVE, card)
    assert "promote: done" in card.card.title
    # Whoever asks this has changed a table behind the bot's back, which contradicts the trail; its chain holds.
    assert not isinstance(await audit.verify(bot.running.database), audit.Broken)


async def leave_as_found(bot: BotHarness) -> None:
    """For tests that share a bot: the gallery as it was at :data:`NOW`, and no operation open, since what one test
    proposes must not be what the next one asks for."""
    bot.azure.faults.clear()
    for operation in await bot.running.operations.open_ones():
        await bot.say("alice", f"!cancel {operation.id}")
    async with bot.running.database.writing() as connection:
        await connection.execute(
            image_evidence.delete()
        )  # what was rolled back is bad until somebody says otherwise
    bot.azure.requests.clear()
    bot.azure.state = GalleryState(fedora_gallery(NOW), FakeClock(), 1)
