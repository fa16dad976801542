"""The pages below /ui: what they show, to whom, and that nothing that anybody said becomes markup."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.store.tables import audit
from slipway.bot.web.pages.html import Html, tag
from tests.slack.bot_process import free_port
from tests.support.azure import ARM, X64
from tests.support.harness import BotHarness, inject_fault, propose, running_bot
from tests.web.raw import get, say, statuses

EVIL = "<script>alert('x')</script>"


@dataclass
class Site:
    """A bot with pages."""

    bot: BotHarness
    port: int

    async def page(self, path: str) -> tuple[int, str, str]:
        """The status, the headers and the page."""
        answer = await say(self.port, get(path))
        head, _, body = answer.decode().partition("\r\n\r\n")
        (status,) = statuses(head.encode())
        return status, head, body

    async def text(self, path: str) -> str:
        """What a page says, without its markup; it has to be sound."""
        status, _, body = await self.page(path)
        assert status == 200, path
        Sound().feed(body)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


class Sound(HTMLParser):
    """Sees that each element is closed, that there is one main heading, and that tables and fields have names."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(name)
        given_here = dict(attrs)
        assert not any(key.startswith("on") or key == "style" for key in given_here), given_here
        assert name not in {"script", "iframe", "object", "img"}
        if name in {"meta", "link", "input", "br"}:
            return
        self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name
        if name == "html":
            assert not self.open
            assert self.seen.count("h1") == 1
            assert self.seen.count("caption") == self.seen.count("table")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """With what is shown there."""
    port = free_port()
    schedule = {
        "name": "weekly-cleanup",
        "cron": "0 9 * * mon",
        "command": "cleanup",
        "room": "console:console",
        "roles": ["releng"],
    }
    ops = {"ops": {"listen": f"127.0.0.1:{port}", "pages": "loopback"}}
    async with running_bot(tmp_path, changes={"http": ops, "schedule": [schedule]}) as bot:
        yield Site(bot, port)


async def test_an_operation_is_shown_with_its_plan_steps_votes_and_trail(site: Site) -> None:
    bot = site.bot
    card, operation_id = await propose(bot)
    assert f"{operation_id} ? proposed" in await site.text("/ui")
    await bot.press("bob", Choice.APPROVE, card)
    shown = await site.text(f"/ui/operations/{operation_id}")
    for words in (
        f"promote {operation_id} ✔ done 43.20261118.0 is latest of {X64}.",
        "Asked by Alice",
        f"!promote {X64}",
        "1 holding releng",
        "it is the newest candidate",
        "Bob ✔ approve 2026-11-20 12:00 UTC",
        "Rules met age",
        "step-1:begun",
    ):
        assert words in shown, words
    assert "There is no operation op-none." in (await site.page("/ui/operations/op-none"))[2]
    assert (await site.page("/ui/operations/op-none"))[0] == 404


async def test_a_freeze_and_what_is_held_are_shown(site: Site) -> None:
    shown = await site.text("/ui")
    assert "Nothing is held." in shown
    assert "frozen" not in shown
    await site.bot.say("alice", "!freeze the release is being made")
    assert "the release is being made" in await site.text("/ui")


async def test_what_failed_says_why_and_what_to_type(site: Site) -> None:
    card, operation_id = await propose(site.bot)
    inject_fault(site.bot, FaultKind.REFUSE, "PUT *")
    inject_fault(site.bot, FaultKind.REFUSE, "PATCH *")
    await site.bot.press("bob", Choice.APPROVE, card)
    shown = await site.text(f"/ui/operations/{operation_id}")
    assert "✘ failed" in shown
    assert "Whose move: whoever runs Slipway." in shown


async def test_operations_are_found_by_state_kind_and_what_they_change(site: Site) -> None:
    _, first = await propose(site.bot)
    _, second = await propose(site.bot, f"!promote {ARM}")
    await site.bot.say("alice", f"!cancel {second}")

    async def found(query: str) -> list[str]:
        body = (await site.page(f"/ui/operations?{query}"))[2]
        return list(dict.fromkeys(re.findall(r"/ui/operations/(op-\w+)", body)))

    assert await found("") == [second, first]
    assert await found("state=proposed") == [first]
    assert await found("state=nonsense&kind=nonsense") == [second, first]
    assert await found("kind=promote&text=ARM64") == [second]
    assert await found(f"text={first}") == [first]
    assert await found("text=%25") == []
    assert await found(f"before={second}") == [first]
    assert await found("before=nothing") == []
    assert "No operation fits." in await site.text("/ui/operations?state=expired")


async def test_schedules_problems_and_the_trail_are_shown(site: Site) -> None:
    await site.bot.say("alice", "!schedule pause weekly-cleanup release week")
    shown = await site.text("/ui/schedules")
    assert "weekly-cleanup !cleanup 0 9 * * mon UTC" in shown
    assert "‖ paused by Alice: release week" in shown
    assert "Nothing is wrong that the bot knows of." in await site.text("/ui/problems")
    assert re.search(
        r"✔ whole \d+ entries; the newest has the hash [0-9a-f]{64} \.", await site.text("/ui/audit")
    )
    assert (await site.page("/ui/audit?before=2"))[2].count("<tr") == 2
    assert (await site.page("/ui/audit?before=-1%00x"))[0] == 200


async def test_a_trail_that_was_changed_is_shown_as_that(site: Site) -> None:
    await propose(site.bot)
    async with site.bot.running.database.writing() as connection:
        for trigger in (
            (await connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
            .scalars()
            .all()
        ):
            await connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
        await connection.execute(audit.update().where(audit.c.number == 1).values(actor="mallory"))
    assert "✘ broken At entry 1:" in await site.text("/ui/audit")


async def test_nothing_that_anybody_said_becomes_markup(site: Site) -> None:
    card, operation_id = await propose(site.bot)
    await site.bot.say("bob", f"!reject {operation_id} {EVIL} & \u202e more")
    del card
    for path in ("/ui", "/ui/operations", f"/ui/operations/{operation_id}", "/ui/audit"):
        body = (await site.page(path))[2]
        assert "<script" not in body
        assert "\u202e" not in body
    assert "&lt;script&gt;" in (await site.page(f"/ui/operations/{operation_id}"))[2]
    for path in (
        "/ui/operations?text=%22%3E%3Cscript%3E",
        "/ui/operations/%3Cscript%3E",
        "/ui/operations?kind=%3Cb%3E",
    ):
        assert "<script" not in (await site.page(path))[2]


async def test_pages_run_nothing_keep_nothing_and_are_shown_in_no_other_page(site: Site) -> None:
    for path in ("/ui", "/ui/style.css"):
        _, head, _ = await site.page(path)
        assert "Content-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'" in head
        for words in ("Cache-Control: no-store", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer"):
            assert words in head
        assert "Set-Cookie" not in head
    assert 'http-equiv="refresh"' in (await site.page("/ui?refresh=1"))[2]
    assert 'http-equiv="refresh"' not in (await site.page("/ui"))[2]
    assert statuses(
        await say(site.port, b"POST /ui HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    ) == [405]
    other_name = get("/ui").replace(b"localhost", b"evil.example")
    assert statuses(await say(site.port, other_name)) == [403]


@given(st.text(), st.text())
def test_a_text_stays_the_text_that_it_was(text: str, attribute: str) -> None:
    made = tag("p", text, title=attribute)
    assert isinstance(made, Html)
    assert made.count("<") == 2
    assert made.count('"') == 2
