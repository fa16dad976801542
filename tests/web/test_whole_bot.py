"""The whole bot, asked by HTTP at both of its ports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import ChatHealth, Platform
from slipway.bot.core.http.routes import OpsRoute, PublicRoute
from slipway.bot.health.readiness import CLOCK_SILENT, Readiness, Role, UnderWay
from slipway.bot.health.report import report
from slipway.bot.web.hosting import WebHost
from tests.slack.bot_process import free_port
from tests.slack.simulator import SimulatedSlack
from tests.slack.whole_bot import SlackBot, slack_bot
from tests.support.clock import NOW, FakeClock
from tests.support.memory_chat import MemoryChat
from tests.web.raw import PATIENCE, get, say, statuses


@dataclass
class Listening:
    """A bot with both ports open."""

    bot: SlackBot
    host: WebHost
    ops: int
    public: int
    state_dir: Path


@pytest.fixture
async def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listening]:
    """On Slack by HTTP, with all that operators can be shown."""
    hosts: list[WebHost] = []
    made = WebHost.__init__

    def remember(self: WebHost, *args: Any, **more: Any) -> None:
        hosts.append(self)
        made(self, *args, **more)

    monkeypatch.setattr(WebHost, "__init__", remember)
    ops = {"listen": f"127.0.0.1:{free_port()}", "pages": "loopback"}
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim:
        changes = {"http": {"ops": ops}}
        async with slack_bot(tmp_path, sim, clock=clock, over_http=True, changes=changes) as bot:
            (host,) = hosts
            assert host.server.ops is not None
            assert host.server.ops.port is not None
            assert host.public.port is not None
            yield Listening(bot, host, host.server.ops.port, host.public.port, tmp_path)


async def asked(port: int, path: str) -> tuple[int, Any]:
    answer = await say(port, get(path))
    head, _, body = answer.partition(b"\r\n\r\n")
    (status,) = statuses(head)
    return status, json.loads(body) if b"application/json" in head else body.decode()


async def test_nothing_of_operators_is_ever_public_nor_the_other_way_round(listening: Listening) -> None:
    assert listening.host.server.ops is not None
    ops = listening.host.server.ops.routes.routes
    public = listening.host.public.routes
    assert {type(route) for route in ops} == {OpsRoute}
    assert {type(route) for route in public} == {PublicRoute}
    assert {route.path for route in public} == {"/slack/events"}
    assert {"/livez", "/readyz"} <= {route.path for route in ops}

    async def found(port: int, route: OpsRoute | PublicRoute) -> bool:
        path = route.path.replace("{id}", "x")
        sent = f"{route.method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        answer = await say(port, sent.encode())
        return statuses(answer) != [404]

    for route in ops:
        assert not await found(listening.public, route), route.path
    for event in public:
        assert await found(listening.public, event), event.path
        assert not await found(listening.ops, event), event.path


async def test_a_bot_lives_and_is_ready_until_a_platform_is_away(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await asked(listening.ops, "/livez") == (200, "ok\n")
    _, told = await _when(listening.ops, 200)
    assert told == {
        "ready": True,
        "role": "alone",
        "checks": dict.fromkeys(("slack", "storage", "database", "steps", "clock"), "ok"),
    }
    _, told = await asked(listening.ops, "/readyz?verbose")
    assert told["checks"]["slack"]["detail"].startswith("Listening on Slack as @")
    assert told["checks"]["steps"]["detail"] == "No step is under way."
    lost = ChatHealth(connected=False, last_heard_from=None, detail="Slack does not let me in.")
    monkeypatch.setattr(listening.bot.chat, "health", lambda: lost)
    _, told = await _when(listening.ops, 503)
    assert (told["ready"], told["checks"]["slack"]) == (False, "failing")
    assert "let me in" not in str(told), "whoever reaches the port learns no details"
    assert await asked(listening.ops, "/livez") == (200, "ok\n")


async def _when(port: int, status: int) -> tuple[int, Any]:
    """The answer of /readyz once it has this status: one look answers for a second."""
    while (found := await asked(port, "/readyz"))[0] != status:
        pass
    return found


async def _no_step() -> UnderWay | None:
    return None


@asynccontextmanager
async def _looking(**more: Any) -> AsyncIterator[Readiness]:
    chat = MemoryChat()
    chat.accept = lambda _event: None  # type: ignore[assignment,return-value]  # it is connected then
    oldest = more.pop("oldest_step", _no_step)
    yield Readiness({Platform("console"): chat}, oldest, FakeClock(), **more)


async def test_what_takes_a_leader_s_work_is_looked_at_and_a_follower_only_hears() -> None:
    late = CLOCK_SILENT + timedelta(seconds=1)
    for work, said in [
        (None, "The clock does not tick yet."),
        (late, "What the clock does failed or hangs: it succeeded last 10m1s ago."),
        (timedelta(0), ""),
    ]:
        async with _looking(clock_work=lambda work=work: work) as readiness:
            assert (await readiness.look()).problems == ((said,) if said else ())
    async with _looking(clock_work=lambda: None, role=lambda: Role.FOLLOWER) as readiness:
        looked = await readiness.look()
        assert (looked.ready, looked.role) == (True, Role.FOLLOWER)


async def test_a_database_that_cannot_be_read_is_told_and_an_old_step_is_no_fault() -> None:
    async def broken() -> UnderWay | None:
        raise OSError("a secret path")

    async def old() -> UnderWay | None:
        return UnderWay("k7m2p9", NOW - timedelta(days=2, minutes=3))

    ticking = {"clock_work": lambda: timedelta(0)}
    async with _looking(oldest_step=broken, **ticking) as readiness:
        assert (await readiness.look()).problems == ("The database cannot be read (OSError).",)
    async with _looking(oldest_step=old, **ticking) as readiness:
        looked = await readiness.look()
        step = next(check for check in looked.checks if check.name == "steps")
        assert looked.ready
        assert step.detail == "The oldest step under way is one of k7m2p9, begun 2d ago."
        assert step.age == 2 * 86400 + 180


async def test_health_of_the_command_line_says_what_readiness_says(
    listening: Listening, tmp_path: Path
) -> None:
    path = listening.state_dir / "health.json"
    async with asyncio.timeout(PATIENCE):
        while not path.exists():  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.01)
    beat = json.loads(path.read_text())
    assert beat["role"] == "alone"
    assert beat["checks"]["database"] == "The database answers."
    beat |= {"chats": {}, "problems": ["The clock does not tick yet."]}
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    (copy / "health.json").write_text(json.dumps(beat))
    assert report(copy, listening.bot.clock()).problem == "The clock does not tick yet."
