"""Entries of the audit trail over TLS, and what doctor says of each sink."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.cli.doctor import local_looks
from slipway.bot.cli.operating.sink_checks import examine_sink
from slipway.bot.config.settings import AuditSettings
from slipway.bot.core.syslog_address import SyslogAddress
from slipway.bot.core.times import system_clock
from slipway.bot.operations.audit import AuditEntry, AuditKey, append
from slipway.bot.operations.trail.sinks.configured import sinks_of
from slipway.bot.operations.trail.sinks.forwarder import AuditForwarder
from slipway.bot.operations.trail.sinks.model import SinkError
from slipway.bot.operations.trail.sinks.syslog_sink import SyslogSink
from slipway.bot.store.database import DATABASE, Database
from tests.support.certificates import certificate
from tests.support.clock import NOW
from tests.support.configuration import put, settings_of, valid_document

DAY = timedelta(days=1)
NUMBER = re.compile(rb'\[meta sequenceId="(\d+)"\]')


@dataclass
class Receiver:
    """A syslog over TLS that can go away and come back where it was."""

    context: ssl.SSLContext
    port: int = 0
    got: bytearray = field(default_factory=bytearray)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _open: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """Of all entries that came, in order."""
        return [int(each) for each in NUMBER.findall(bytes(self.got))]

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_away(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        await self._server.wait_closed()

    async def has(self, *numbers: int) -> None:
        """Wait until so many entries came, and see that they are these."""
        async with asyncio.timeout(20):
            while len(self.numbers) < len(numbers):
                self.changed.clear()
                await self.changed.wait()
        assert self.numbers == list(numbers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        try:
            while data := await reader.read(4096):
                self.got += data
                self.changed.set()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiver(folder: Path) -> AsyncIterator[tuple[Receiver, Path]]:
    """It listens; and the file of its authority."""
    shown = certificate(left=system_clock() - NOW + DAY, life=2 * DAY)
    authority = folder / "authority.pem"
    authority.write_bytes(shown.pem)
    found = Receiver(shown.context(folder))
    await found.listen()
    try:
        yield found, authority
    finally:
        await found.go_away()


class Looks:
    """Pauses of the forwarder, which end when a test says so."""

    def __init__(self) -> None:
        self._begun, self._over = asyncio.Event(), asyncio.Semaphore(0)

    async def pause(self, _seconds: float) -> None:
        self._begun.set()
        await self._over.acquire()

    async def paused(self) -> None:
        await self._begun.wait()

    async def again(self) -> None:
        self._begun.clear()
        self._over.release()
        await self._begun.wait()


async def write(database: Database, *words: str) -> None:
    for word in words:
        entry = AuditEntry(AuditKey(f"k:{word}"), NOW, "alice", word)
        await database.write(lambda connection, entry=entry: append(connection, entry))  # type: ignore[misc]


async def test_what_is_written_while_the_syslog_is_away_comes_once_and_in_order_when_it_is_back(
    tmp_path: Path,
) -> None:
    database, looks = Database(tmp_path / DATABASE), Looks()
    await database.open()
    async with receiver(tmp_path) as (syslog, authority):
        sink = SyslogSink(
            SyslogAddress.parse(f"tls://127.0.0.1:{syslog.port}"), authorities=authority, clock=lambda: NOW
        )
        forwarder = AuditForwarder(database, (sink,), lambda: NOW, looks.pause)
        forwarder.start()
        await looks.paused()
        await write(database, "a", "b")
        await looks.again()
        await syslog.has(1, 2)
        assert b'"action": "a"' in syslog.got
        await syslog.go_away()
        await write(database, "c", "d")
        await looks.again()
        (trouble,) = forwarder.troubles
        assert trouble.sentence.startswith(f"tls://127.0.0.1:{syslog.port} does not take entries")
        await syslog.listen()
        await looks.again()
        await syslog.has(1, 2, 3, 4)
        assert forwarder.troubles == ()
        await write(database, "e")
        await looks.again()
        await syslog.has(1, 2, 3, 4, 5)
        await forwarder.close()
    await database.close()


async def test_a_syslog_whose_certificate_nobody_answers_for_gets_nothing_and_doctor_says_so(
    tmp_path: Path,
) -> None:
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(certificate(left=system_clock() - NOW + DAY, name="stranger").pem)
    async with receiver(tmp_path) as (syslog, authority):
        address = f"tls://127.0.0.1:{syslog.port}"
        for believed in (stranger, None):
            sink = SyslogSink(SyslogAddress.parse(address), authorities=believed, clock=lambda: NOW)
            with pytest.raises(SinkError, match="its certificate is not believed"):
                await sink.take(())
        wrong = AuditSettings(syslog=address, syslog_ca=stranger)
        (sink,) = sinks_of(wrong, lambda: NOW)  # type: ignore[assignment]
        found = await examine_sink(sink, wrong)
        assert (found.what, found.well) == ("audit.syslog", False)
        assert "its certificate is not believed" in found.problems[0]
        assert "audit.syslog_ca" in found.next
        right = AuditSettings(syslog=address, syslog_ca=authority)
        (sink,) = sinks_of(right, lambda: NOW)  # type: ignore[assignment]
        assert (await examine_sink(sink, right)).well
        assert not syslog.got


async def test_doctor_says_of_each_sink_whether_it_would_take_entries_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async def found(**table: object) -> tuple[bool, str, str]:
        settings = AuditSettings.model_validate(table)
        (sink,) = sinks_of(settings, lambda: NOW)
        finding = await examine_sink(sink, settings)
        return finding.well, " ".join((finding.detail, *finding.problems)), finding.next

    file = tmp_path / "audit.jsonl"
    assert await found(entries_file=file) == (True, str(file), "")
    assert not file.exists()
    file.write_text("{}\n")
    assert (await found(entries_file=file))[0]
    assert file.read_text() == "{}\n"
    well, why, _ = await found(entries_file=tmp_path / "no" / "audit.jsonl")
    assert not well
    assert "No such file" in why
    assert "Is a directory" in (await found(entries_file=tmp_path))[1]
    assert "nobody can tell who hears it" in (await found(syslog="udp://127.0.0.1:9"))[1]
    well, why, step = await found(syslog=f"unix:{tmp_path}/log")
    assert not well
    assert "journal runs" in step
    async with receiver(tmp_path) as (syslog, _):
        closed = syslog.port
    well, why, step = await found(syslog=f"tcp://127.0.0.1:{closed}")
    assert not well
    assert "Connect" in why
    assert "reaches 127.0.0.1" in step


def test_doctor_looks_at_each_sink_that_is_configured() -> None:
    table = {"entries_file": "/var/log/audit.jsonl", "syslog": "unix:/dev/log"}
    looks = local_looks(settings_of(put(valid_document(), "audit", table)), NOW)
    assert {"audit.entries_file", "audit.syslog"} <= {each.name for each in looks}
