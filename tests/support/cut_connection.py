"""A wire to a server on this machine that can be cut, as a network does it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


class Wire:
    """Passes on what is said between clients and a server; in a thread, as some clients keep their own loop waiting.

    Attributes:
        port: where clients connect to, on 127.0.0.1.
    """

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self._server_port = server_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread.start()

    def mend(self) -> None:
        """Let connections be made."""
        self._do(self._mend())

    def cut(self) -> None:
        """End every connection, and refuse others."""
        self._do(self._cut())

    def hold(self) -> None:
        """Let nothing pass, and say so to nobody, as a network does that has lost its way."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def release(self) -> None:
        """Let what was held, and all else, pass."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        """Cut it for good."""
        self.release()
        self.cut()
        self.cut()  # what was about to be connected
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    async def _mend(self) -> None:
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()
        for pipe in tuple(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        try:
            there, away = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:  # nobody listens there
            writer.transport.abort()
            return
        if self._server is None:
            writer.transport.abort()
            away.transport.abort()
            return
        self._ends |= {writer, away}
        for source, sink in ((reader, away), (there, writer)):
            pipe = asyncio.create_task(self._pass_on(source, sink))
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while said := await source.read(65536):
                await self._flowing.wait()
                sink.write(said)
                await sink.drain()
        except ConnectionError:
            pass  # the other side is told below
        finally:
            await self._flowing.wait()
            sink.close()


@contextmanager
def wire_to(server_port: int) -> Iterator[Wire]:
    """A wire that is whole."""
    wire = Wire(server_port)
    wire.mend()
    try:
        yield wire
    finally:
        wire.close()
