"""A socket for users of the bot's own machine: they ask and read as the persons whose configuration names them.

Whoever the kernel says is at the other end counts, and nothing that they say of themselves. Nobody decides on an
operation from there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

import structlog

from slipway.bot.chat.model import Card, Room
from slipway.bot.chat.named_rooms import room_called
from slipway.bot.config.current import CurrentSettings
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.intake.protocol import LONGEST, SOCKET
from slipway.bot.intake.sockets import listen, user_of
from slipway.bot.operations.model import Operation
from slipway.bot.operations.presentation.cards import operation_card, report_card
from slipway.bot.operations.services import Services
from slipway.commands.dispatch.events import LineRequest
from slipway.commands.dispatch.responses import Response

_PATIENCE = 10.0
"""Seconds in which a request has to be there."""

_LOOK_SECONDS = 0.5
"""How often it is looked how an operation stands that somebody waits for."""

_MOST = 16
"""Connections at a time; more wait."""

log = structlog.get_logger(__name__)

Ask = Callable[[LineRequest], Awaitable[Response]]


class RefusedError(Exception):
    """Somebody may not speak here, or says nothing that can be heard; as a sentence."""


class LocalSocket:
    """Answers lines that users of this machine say.

    Args:
        current: whose configuration names whom.
        services: the bot's, for operations that are waited for.
        ask: has a line answered.
        room: where a change that is asked for gets its card, as its chat calls it; None for nowhere.
        clock: the time.
        sleep: lets time pass.
    """

    def __init__(
        self,
        current: CurrentSettings,
        services: Services,
        ask: Ask,
        room: Room | None,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._folder = current.settings.state_dir
        self._current = current
        self._services = services
        self._ask = ask
        self._room = room
        self._clock = clock
        self._sleep = sleep
        self._free = asyncio.Semaphore(_MOST)
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def _persons(self) -> dict[str, tuple[str, ...]]:
        """Who may be spoken as, and by which users."""
        persons = self._current.settings.person
        return {person.id: person.local_users for person in persons if person.local_users}

    async def open(self) -> None:
        """Listen, if the configuration names any user of this machine. Where that cannot be, the log says so."""
        if not self._persons:
            return
        try:
            listening = listen(self._folder, SOCKET)
            self._server = await asyncio.start_unix_server(self._connected, sock=listening, limit=LONGEST)
        except OSError as error:
            log.error("nobody can speak on this machine by `slipway say`", problem=str(error))

    async def close(self) -> None:
        """Listen no more, and hang up."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        (self._folder / SOCKET).unlink(missing_ok=True)
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._meet(reader, writer), name="somebody on this machine")
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._free:
                response, wait = await self._converse(reader, writer)
            if wait and response.operation_id is not None:  # for hours, perhaps: others have their turn
                await self._follow(response.operation_id, response.card, reader, writer)
        except RefusedError as error:
            await _send(writer, {"refused": str(error)})
        except (ConnectionError, TimeoutError):
            log.info("somebody on this machine hung up")
        finally:
            writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Response, bool]:
        _, user = user_of(writer.get_extra_info("socket"))
        async with asyncio.timeout(_PATIENCE):
            line, wanted, wait = await _request(reader)
        person = self._person(user, wanted)
        log.info("a line was said on this machine", user=user, person=person)
        request = LineRequest(
            event_key=f"say:{uuid4()}",
            requester=person,
            text=line,
            room=None,
            at=self._clock(),
            decides=False,
            doubt=f"This was asked for on the bot's own machine, by its user {user}.",
            shown_in=None if self._room is None else room_called(self._services.chats, self._room),
        )
        response = await self._ask(request)
        if response.card is not None:
            operation = None
            if response.operation_id is not None:
                operation = await self._services.operations.get(response.operation_id)
            await _send(writer, _message(response.card, operation, end=operation is None or not wait))
        return response, wait

    async def _follow(
        self,
        operation_id: str,
        before: Card | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Say how an operation stands whenever that changes, until it has ended or nobody listens any more."""
        while not reader.at_eof():
            operation = await self._services.operations.get(operation_id)
            ended, cards = operation.state.ended, self._services.cards
            # No report follows here, so it stands in place of the last card.
            card = report_card(operation, cards, ()) if ended else operation_card(operation, cards)
            if card != before or ended:
                await _send(writer, _message(card, operation, end=ended))
            if ended:
                return
            before = card
            await self._sleep(_LOOK_SECONDS)

    def _person(self, user: str, wanted: str | None) -> str:
        """As whom a user speaks.

        Raises:
            RefusedError: as nobody, or not as this one, or it is not clear as whom.
        """
        able = [person for person, users in self._persons.items() if user in users]
        if not able or (wanted is not None and wanted not in able):
            whom = f"as {wanted}" if wanted is not None else "here"
            raise RefusedError(
                f"The user {user} may not speak {whom}: local_users of a [[person]] names who may speak as them."
            )
        if wanted is None and len(able) > 1:
            raise RefusedError(f"The user {user} may speak as {', '.join(able)}: say which with --as.")
        return wanted or able[0]


async def _request(reader: asyncio.StreamReader) -> tuple[str, str | None, bool]:
    try:
        said = json.loads(await reader.readuntil(b"\n"))
        line, wanted, wait = said["line"], said["as"], said["wait"]
    except asyncio.LimitOverrunError:
        raise RefusedError(f"A line of more than {LONGEST:,} bytes is not read; say it shorter.") from None
    except (ValueError, KeyError, TypeError, RecursionError, asyncio.IncompleteReadError):
        raise RefusedError("This is no line that `slipway say` sends.") from None
    if not (isinstance(line, str) and isinstance(wanted, str | None) and isinstance(wait, bool)):
        raise RefusedError("This is no line that `slipway say` sends.")
    return line, wanted, wait


def _message(card: Card, operation: Operation | None, *, end: bool) -> Mapping[str, Json]:
    # Pictures are nothing for a terminal, and the card says all that they show.
    shown = card.model_copy(update={"pictures": ()})
    message: dict[str, Json] = {"card": shown.model_dump(mode="json"), "end": end}
    if operation is None:
        return message
    room = operation.room
    return {**message, "room": f"{room.platform}:{room.id}" if room is not None else None}


async def _send(writer: asyncio.StreamWriter, message: Mapping[str, Json]) -> None:
    writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
    await writer.drain()
