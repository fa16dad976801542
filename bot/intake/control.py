"""A socket by which whoever runs Slipway tells the running bot something: to read its configuration again.

The program sends ``{"do": "reload"}`` in a line; the bot answers ``{"taken": […], "restart": […], "replicas": […]}``,
``{"mistakes": […]}`` or ``{"refused": sentence}``. Only the bot's own user and root are heard.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import structlog

from slipway.bot.intake.reloading import NotReloaded, Reloader
from slipway.bot.intake.sockets import listen, user_of

SOCKET = "control.sock"
"""In the state folder, which is its user's alone."""

BY_SIGNAL = "SIGHUP"
"""Who asks where nobody says who."""

_LONGEST = 4096
_PATIENCE = 10.0
"""Seconds in which a request has to be there."""

log = structlog.get_logger(__name__)


class ControlSocket:
    """Listens for whoever runs Slipway, and for a signal.

    Args:
        folder: the state folder.
        reloader: reads the configuration again.
        hangup: set by a signal that asks for that; None where none does.
    """

    def __init__(self, folder: Path, reloader: Reloader, hangup: asyncio.Event | None) -> None:
        self._folder = folder
        self._reloader = reloader
        self._hangup = hangup
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. Where that cannot be, the log says so, and a signal is still heard."""
        if self._hangup is not None:
            self._begin(self._wait_for_signals(self._hangup))
        try:
            listening = listen(self._folder, SOCKET)
            self._server = await asyncio.start_unix_server(self._connected, sock=listening, limit=_LONGEST)
        except OSError as error:
            log.error("`slipway reload` cannot reach the bot", problem=str(error))

    async def close(self) -> None:
        """Listen no more, and hang up; may be called twice."""
        if self._server is not None:
            self._server.close()
            self._server = None
            (self._folder / SOCKET).unlink(missing_ok=True)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work, name="control")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait_for_signals(self, hangup: asyncio.Event) -> None:
        while True:
            await hangup.wait()
            hangup.clear()
            await self._reloader.reload(BY_SIGNAL)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._begin(self._answer(reader, writer))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._understand(reader, writer)
            writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.info("somebody hung up, or said nothing that can be heard")
        finally:
            writer.close()

    async def _understand(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, Any]:
        uid, user = user_of(writer.get_extra_info("socket"))
        if uid not in (0, os.geteuid()):
            return {
                "refused": f"The user {user} may not do that: only root, and the user as whom Slipway runs."
            }
        async with asyncio.timeout(_PATIENCE):
            line = await reader.readuntil(b"\n")
        if line.strip() != b'{"do": "reload"}':
            return {
                "refused": "This Slipway does not understand that; is `slipway` another version than the bot?"
            }
        done = await self._reloader.reload(user)
        if isinstance(done, NotReloaded):
            return {"mistakes": list(done.mistakes)}
        return {
            "taken": list(done.differences.taken),
            "restart": list(done.differences.restart),
            "replicas": list(done.replicas),
        }
