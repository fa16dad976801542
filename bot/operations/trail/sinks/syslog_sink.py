"""A syslog that every entry is sent to."""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import socket
import ssl
import termios
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from slipway.bot.core.syslog_address import SyslogAddress, SyslogTransport
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.operations.audit import Recorded
from slipway.bot.operations.trail.sinks import syslog_format
from slipway.bot.operations.trail.sinks.model import SinkError

PATIENCE = timedelta(seconds=10)
"""How long connecting, and having all of a batch taken, may last."""

_LOOK_SECONDS = 0.05

_ESTABLISHED = 1
"""Source: Linux, ``include/net/tcp_states.h``, TCP_ESTABLISHED."""


class SyslogSink:
    """Sends entries to a syslog.

    Syslog knows no answer. Over TCP and TLS a batch counts as taken once the other's system has acknowledged all of
    it; what was on its way when a connection broke is sent again. Over UDP, and to this machine's own socket, it
    counts as taken when it is sent.

    Args:
        address: where it is.
        authorities: a file of whom to believe over TLS; None for the system's own.
        clock: the present.
        sleep: lets time pass.
        host: this machine's name.
    """

    def __init__(
        self,
        address: SyslogAddress,
        *,
        authorities: Path | None = None,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        host: Callable[[], str] = socket.gethostname,
    ) -> None:
        self._address = address
        self._authorities = authorities
        self._clock = clock
        self._sleep = sleep
        self._host = host()
        self._process = os.getpid()
        self._datagrams: socket.socket | None = None
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def name(self) -> str:
        """The address."""
        return str(self._address)

    @property
    def setting(self) -> str:
        """Its key."""
        return "audit.syslog"

    async def take(self, entries: Sequence[Recorded]) -> None:
        """Send them.

        Raises:
            SinkError: it cannot be reached, or did not take them in time.
        """
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                if self._address.transport in (SyslogTransport.UNIX, SyslogTransport.UDP):
                    await self._send(entries)
                else:
                    await self._write(entries)
        except TimeoutError:
            await self.close()
            raise SinkError("it does not answer") from None
        except (OSError, ssl.SSLError) as error:
            await self.close()
            raise SinkError(_why(error)) from error

    async def try_it(self) -> None:
        """Connect, and send nothing.

        Raises:
            SinkError: it cannot be reached.
        """
        await self.take(())

    async def close(self) -> None:
        """Let go of the connection."""
        if self._datagrams is not None:
            self._datagrams.close()
            self._datagrams = None
        if self._stream is not None:
            self._stream[1].close()
            self._stream = None

    async def _send(self, entries: Sequence[Recorded]) -> None:
        loop = asyncio.get_running_loop()
        if self._datagrams is None:
            self._datagrams = await self._open_datagrams(loop)
        for each in entries:
            if self._address.transport is SyslogTransport.UNIX:
                message = syslog_format.local_message(each, self._clock(), self._process)
            else:
                message = syslog_format.network_message(each, self._host, self._process)
            await loop.sock_sendall(self._datagrams, message)

    async def _open_datagrams(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        if self._address.transport is SyslogTransport.UNIX:
            return await self._connected(loop, socket.AF_UNIX, self._address.host)
        found = await loop.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_DGRAM)
        family, _, _, _, place = found[0]
        return await self._connected(loop, family, place)

    async def _connected(self, loop: asyncio.AbstractEventLoop, family: int, place: object) -> socket.socket:
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.setblocking(False)
        try:
            await loop.sock_connect(made, place)  # type: ignore[arg-type]
        except OSError:
            made.close()
            raise
        return made

    async def _write(self, entries: Sequence[Recorded]) -> None:
        if self._stream is not None and not _stands(self._stream[1]):
            await self.close()
        if self._stream is None:
            self._stream = await asyncio.open_connection(
                self._address.host, self._address.port, ssl=await asyncio.to_thread(self._tls)
            )
        _, writer = self._stream
        for each in entries:
            message = syslog_format.network_message(each, self._host, self._process)
            writer.write(syslog_format.counted(message))
        await writer.drain()
        await self._sleep(_LOOK_SECONDS)  # so long, one that breaks now shows it
        while _stands(writer) and _unacknowledged(writer):
            await self._sleep(_LOOK_SECONDS)
        if not _stands(writer):  # nothing waits in a connection that broke, either
            raise ConnectionResetError("the connection broke")

    def _tls(self) -> ssl.SSLContext | None:
        if self._address.transport is not SyslogTransport.TLS:
            return None
        return ssl.create_default_context(cafile=self._authorities)


def _unacknowledged(writer: asyncio.StreamWriter) -> int:
    """Bytes that are not sent, or not acknowledged by the other's system. Source: tcp(7), SIOCOUTQ."""
    transport = writer.transport
    waiting = transport.get_write_buffer_size()
    held = array.array("i", [0])
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, held)
    return int(waiting) + held[0]


def _stands(writer: asyncio.StreamWriter) -> bool:
    """Whether the connection is there in both directions. Source: tcp(7), TCP_INFO, whose first byte is the state."""
    transport = writer.transport
    if transport.is_closing():
        return False
    state: bytes = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return state[0] == _ESTABLISHED


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed ({error.verify_message})"
    return error.strerror or str(error) or type(error).__name__
