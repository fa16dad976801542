"""`!images DEFINITION --chart` in the room, and what it loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Room
from slipway.bot.chat.pictures import Picture
from slipway.bot.subjects.images.timeline import charts
from slipway.commands.dispatch.events import LineRequest
from tests.support.azure import CANDIDATE, X64
from tests.support.harness import running_bot
from tests.support.processes.program import TIMEOUT_SECONDS, environment

LOADING = """
import sys, asyncio, threading
from pathlib import Path
import slipway.bot.wiring, slipway.bot.declared
from slipway.bot.core.loading import LIBRARY_IMPORT
from slipway.bot.core.times import system_clock
from slipway.bot.subjects.images.timeline.charts import Charts
from slipway.bot.subjects.images.timeline.facts import timeline_of

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "matplotlib":
            main = threading.current_thread() is threading.main_thread()
            print("alone" if LIBRARY_IMPORT.locked() else "beside others", "on the loop" if main else "in a thread")

sys.meta_path.insert(0, Watch())
slipway.bot.declared.declared()
assert "matplotlib" not in sys.modules
print("declared")
asyncio.run(Charts(Path(sys.argv[1])).draw(timeline_of("x", (), system_clock())))
print("pyplot" if "matplotlib.pyplot" in sys.modules else "no pyplot")
"""
"""Says when, where and how matplotlib is imported."""


WEEKLY: dict[str, Any] = {
    "name": "weekly",
    "cron": "0 6 1 1 *",
    "command": f"images {X64} --chart",
    "roles": ["reader"],
    "room": "console:console",
}


async def test_a_chart_comes_with_the_card_that_says_the_same_and_by_schedule(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes={"schedule": [WEEKLY]}) as bot:
        await bot.say("alice", f"!hold {X64}/{CANDIDATE} It does not boot")
        (plain,) = await bot.say("carol", f"!images {X64}")
        (answer,) = await bot.say("carol", f"!images {X64} --chart")
        (several,) = await bot.say("carol", "!images Fedora-* --chart")
        (one,) = await bot.say("carol", f"!images {X64}/{CANDIDATE} --chart")
        room = Room(platform=bot.chat.platform, id="console")
        tick = LineRequest.of_schedule("weekly", bot.clock(), room, WEEKLY["command"], quiet=False)
        await bot.running.dispatcher.accept_line(tick)
        await bot.running.idle()
        weekly = bot.messages[-1]
    assert not plain.card.pictures
    assert answer.text == plain.text
    (picture,) = answer.card.pictures
    assert picture.png.startswith(b"\x89PNG")
    assert picture.name.startswith(f"{X64}-2026")
    assert f"Timeline of {X64}: " in picture.alternative
    assert f"Held: {CANDIDATE}" in picture.alternative
    assert "`--chart` shows one definition" in several.text
    assert one.card.pictures
    assert "Asked by" in weekly.text
    assert [each.alternative for each in weekly.card.pictures] == [picture.alternative]


async def test_a_small_installation_says_what_a_chart_needs_and_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "slipway.bot.subjects.images.timeline.drawing", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    async with running_bot(tmp_path) as bot:
        (answer,) = await bot.say("carol", f"!images {X64} --chart")
    assert not answer.card.pictures
    assert charts.MISSING in answer.text
    assert CANDIDATE in answer.text


def test_matplotlib_is_loaded_by_the_first_picture_alone_and_in_a_thread(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADING, str(tmp_path / "matplotlib")],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        env=environment(),
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split("\n") == ["declared", "alone in a thread", "no pyplot", ""]
    assert list((tmp_path / "matplotlib").iterdir())


def test_only_a_png_of_some_size_is_a_picture() -> None:
    with pytest.raises(ValueError, match="a picture is a PNG"):
        Picture.of(b"GIF89a", "x.png", "x")
    with pytest.raises(ValueError, match="at most 1,000,000 bytes"):
        Picture.of(b"\x89PNG\r\n\x1a\n" + bytes(1_000_000), "x.png", "x")
    with pytest.raises(ValueError, match="Base64"):
        Picture(name="x.png", alternative="x", data="no base64!")
