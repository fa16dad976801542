"""Entries of the audit trail that go to a file and to a syslog as they are written."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.core.syslog_address import SyslogAddress
from slipway.bot.operations.audit import AuditEntry, AuditKey, Recorded, append, entries
from slipway.bot.operations.trail.configuration import GroupRoles
from slipway.bot.operations.trail.sinks import syslog_format
from slipway.bot.operations.trail.sinks.file_sink import FileSink
from slipway.bot.operations.trail.sinks.forwarder import AuditForwarder
from slipway.bot.operations.trail.sinks.model import Sink, SinkError
from slipway.bot.operations.trail.sinks.syslog_sink import SyslogSink
from slipway.bot.people import People
from slipway.bot.store.database import DATABASE, Database
from tests.support.clock import NOW, FakeClock
from tests.support.configuration import SECRETS, put, settings_of, valid_document
from tests.support.harness import running_bot


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Database]:
    database = Database(folder / DATABASE)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def write(database: Database, *words: str) -> None:
    for word in words:
        entry = AuditEntry(AuditKey(f"k:{word}"), NOW, "alice", word, detail=(("said", f"ü {word}"),))
        await database.write(lambda connection, entry=entry: append(connection, entry))  # type: ignore[misc]


class Remembering:
    """A sink that takes so many batches, and then nothing until it is mended."""

    name = "memory"
    setting = "audit.memory"

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.broken = ""
        self.news = asyncio.Event()

    async def try_it(self) -> None:
        """Nothing."""

    async def take(self, entries: Sequence[Recorded]) -> None:
        self.news.set()
        if self.broken:
            raise SinkError(self.broken)
        self.taken += [each.number for each in entries]

    async def close(self) -> None:
        """Nothing."""


class Running:
    """A forwarder that looks when it is told to."""

    def __init__(self, database: Database, *sinks: Sink) -> None:
        self._looks: asyncio.Queue[None] = asyncio.Queue()
        self._slept = asyncio.Event()
        self.forwarder = AuditForwarder(database, sinks, lambda: NOW, self._sleep)

    async def _sleep(self, _seconds: float) -> None:
        self._slept.set()
        await self._looks.get()

    async def look(self) -> None:
        await self._slept.wait()
        self._slept.clear()
        self._looks.put_nowait(None)
        await self._slept.wait()


async def test_a_sink_gets_what_is_written_from_its_start_on_in_order_and_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        await write(database, "before")
        sink = Remembering()
        running = Running(database, sink)
        running.forwarder.start()
        await running._slept.wait()
        await write(database, "a", "b")
        await running.look()
        assert sink.taken == [2, 3]
        await write(database, "c")
        await running.forwarder.close()  # what is left is given at the end
        assert sink.taken == [2, 3, 4]


async def test_a_sink_that_is_away_is_told_of_and_gets_all_of_it_later_also_after_a_restart(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as database:
        sink = Remembering()
        running = Running(database, sink)
        running.forwarder.start()
        await running._slept.wait()
        sink.broken = "it does not answer"
        await write(database, "a", "b")
        await running.look()
        (trouble,) = running.forwarder.troubles
        assert trouble.sentence == "memory does not take entries of the audit trail: it does not answer."
        await running.forwarder.close()
        sink.broken = ""
        again = Running(database, sink)
        again.forwarder.start()
        await again._slept.wait()
        assert sink.taken == [1, 2]
        assert again.forwarder.troubles == ()
        await again.forwarder.close()


async def test_what_was_taken_and_not_noted_is_given_again_and_never_left_out(tmp_path: Path) -> None:
    """As after a crash between the two: the number tells that it was there before."""

    class Crashing(Remembering):
        async def take(self, entries: Sequence[Recorded]) -> None:
            await super().take(entries)
            if len(self.taken) == 2:
                raise asyncio.CancelledError

    async with opened(tmp_path) as database:
        await write(database, "before")
        first = Running(database, sink := Crashing())
        first.forwarder.start()
        await first._slept.wait()
        await write(database, "a", "b")
        first._slept.clear()
        first._looks.put_nowait(None)
        await sink.news.wait()
        second = Running(database, sink)
        second.forwarder.start()
        await second._slept.wait()
        assert sink.taken == [2, 3, 2, 3]
        await second.forwarder.close()


async def test_a_file_that_logrotate_renames_goes_on_in_a_new_one(tmp_path: Path) -> None:
    file = tmp_path / "out" / "audit.jsonl"
    async with opened(tmp_path) as database:
        await write(database, "a", "b", "c")
        found = [each async for each in entries(database)]
    sink = FileSink(file)
    with pytest.raises(SinkError, match="No such file"):
        await sink.take(found[:1])
    file.parent.mkdir()
    await sink.take(found[:1])
    assert file.stat().st_mode & 0o007 == 0
    file.rename(file.with_suffix(".1"))
    await sink.take(found[1:2])
    with file.open("ab") as cut:
        cut.write(b'{"cut sh')
    await sink.take(found[2:])
    written = [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
    assert [each["number"] for each in written] == [2, 3]
    assert written[0]["detail"] == {"said": "ü b"}


async def test_a_file_has_each_entry_once_whatever_a_process_did_not_note_and_no_parts_of_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "audit.jsonl"
    async with opened(tmp_path) as database:
        await write(database, "a", "b", "c", "d")
        found = [each async for each in entries(database)]
    sink = FileSink(file)
    await sink.take(found[:2])
    await sink.take(found[:3])  # killed before it was noted that two were taken
    await sink.take(found[2:3])
    whole, real = file.read_bytes(), os.write

    def full(descriptor: int, text: bytes) -> int:
        if not text.startswith(b"{"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, text[:7])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(SinkError, match="No space left"):
            await sink.take(found[3:])
    assert file.read_bytes() == whole
    await sink.take(found[3:])
    numbers = [json.loads(line)["number"] for line in file.read_text().splitlines()]
    assert numbers == [each.number for each in found]


async def test_a_syslog_over_tcp_gets_rfc_5424_by_counts_of_octets_and_what_broke_off_again(
    tmp_path: Path,
) -> None:
    got = bytearray()
    connected: list[asyncio.StreamWriter] = []
    two_there, all_there = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        while data := await reader.read(4096):
            got.extend(data)
            if got.count(b"[meta") >= 2:
                two_there.set()
            if got.count(b"[meta") >= 3:
                all_there.set()
        writer.close()

    async with opened(tmp_path) as database:
        await write(database, "step done", "b", "c")
        found = [each async for each in entries(database)]
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = SyslogAddress.parse(f"tcp://127.0.0.1:{port}")
    sink = SyslogSink(address, clock=lambda: NOW, host=lambda: "bot host")
    await sink.take(found[:2])
    await two_there.wait()
    connected[0].transport.abort()
    try:  # whether the break is seen before something is sent is the system's
        await sink.take(found[2:])
    except SinkError:
        await sink.take(found[2:])
    await all_there.wait()
    await sink.close()
    server.close()
    count, _, rest = bytes(got).partition(b" ")
    message, rest = rest[: int(count)].decode("ascii"), rest[int(count) :]
    head = (
        r"<109>1 2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z bot-host slipway \d+ step-done "
        r"\[meta sequenceId=\"1\"\] "
    )
    matched = re.match(head, message)
    assert matched
    assert json.loads(message[matched.end() :])["detail"] == {"said": "ü step done"}
    assert re.match(rb"\d+ <109>1 ", rest)


async def test_this_machines_own_syslog_gets_what_the_c_library_sends(tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with opened(tmp_path) as database:
        await write(database, "a")
        found = [each async for each in entries(database)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        sink = SyslogSink(SyslogAddress.parse(f"unix:{path}"), clock=lambda: NOW)
        await sink.take(found)
        said = server.recv(65536).decode()
        await sink.close()
    assert re.match(r"<109>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d slipway\[\d+\]: \{", said)


def test_what_is_too_long_for_a_syslog_leaves_its_detail_out_and_says_so() -> None:
    entry = AuditEntry(AuditKey("k"), NOW, "alice", "proposed", detail=(("plan", "x" * 9000),))
    message = syslog_format.network_message(Recorded(7, entry, "0" * 64, "1" * 64, 2), "h", 1)
    assert len(message) < syslog_format.LONGEST
    said = json.loads(message.partition(b"] ")[2])
    assert (said["number"], said["detail"], said["detail_left_out"] > 9000) == (7, {}, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("dev/log", "write it like unix:/dev/log"),
        ("unix:log", "from the root on"),
        ("tcp://logs", "write its port"),
        ("udp://logs:99999", "write its port"),
        ("http://logs", "write it like"),
    ],
)
def test_what_is_no_syslog_is_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        SyslogAddress.parse(text)
    assert str(SyslogAddress.parse("tls://[::1]")) == "tls://[::1]:6514"


async def test_roles_that_user_groups_give_are_noted_when_they_change(tmp_path: Path) -> None:
    document = put(put(valid_document(), "slack", {}), "roles.admin.slack_groups", ["S0123456789"])
    document = put(document, "person.1.identities", ["matrix:@bob:example.org", "slack:U0BOB"])
    tokens = {"SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1", "SLIPWAY_SLACK_APP_TOKEN": "xapp-1"}
    people = People(settings_of(document, SECRETS | tokens), {SLACK: "slack_groups"})
    async with opened(tmp_path) as database:
        trail = GroupRoles(people, database, FakeClock())
        await trail.sweep()
        for members in ({"U0BOB"}, {"U0BOB", "U0STRANGER"}, set()):
            people.set_group_members(SLACK, {"S0123456789": frozenset(members)})
            await trail.sweep()
            await trail.sweep()
        noted = [(each.entry.action, dict(each.entry.detail)) async for each in entries(database)]
    assert noted == [
        ("roles by groups", {"people": {"bob": ["admin"]}}),
        ("roles by groups", {"people": {}}),
    ]


async def test_each_start_notes_the_configuration_and_everybodys_roles_and_a_file_has_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "elsewhere.jsonl"
    changes = {"audit": {"entries_file": str(file)}}
    for minute in range(2):
        clock = FakeClock()
        clock.advance(timedelta(minutes=minute))
        async with running_bot(tmp_path / "state", changes=changes, clock=clock):
            pass
    first, second = [json.loads(line) for line in file.read_text().splitlines()]
    assert (first["actor"], first["action"], first["number"]) == ("slipway", "configured", 1)
    assert "releng" in first["detail"]["people"]["alice"]
    assert len(first["detail"]["configuration"]) == 64
    assert first["detail"]["people"] == second["detail"]["people"]
