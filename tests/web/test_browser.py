"""The pages in a real browser: wide and as a phone, dark and light. ``--pictures FOLDER`` keeps how they look."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from tests.slack.bot_process import free_port
from tests.support.azure import ARM
from tests.support.harness import propose, running_bot
from tests.web.browser import CHROMIUM, browser

SCHEDULE = {
    "name": "weekly-cleanup",
    "cron": "0 9 * * mon",
    "command": "cleanup",
    "room": "console:console",
    "roles": ["releng"],
}

PALE = """
(() => {
  const channels = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [.2126, .7152, .0722][at], 0);
  const ground = element => {
    for (let here = element; here; here = here.parentElement) {
      const found = channels(getComputedStyle(here).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const pale = [];
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const contrast = (a + .05) / (b + .05);
    if (contrast < 4.5) pale.push(`${element.tagName} ${element.textContent.slice(0, 30)} ${contrast.toFixed(2)}`);
  }
  return pale;
})()
"""
"""Texts with less contrast than WCAG 2.2 asks for (1.4.3, AA), in the browser's own colours."""


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium is here: apt-get install chromium")
async def test_pages_fit_a_phone_are_read_with_ease_and_break_no_rule_of_their_own(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    port = free_port()
    changes = {
        "http": {"ops": {"listen": f"127.0.0.1:{port}", "pages": "loopback"}},
        "schedule": [SCHEDULE],
    }
    state, profile = tmp_path / "state", tmp_path / "profile"
    state.mkdir(mode=0o700)
    keep: Path | None = request.config.getoption("--pictures", default=None)
    async with running_bot(state, changes=changes) as bot, browser(profile) as tab:
        card, done = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await propose(bot, f"!promote {ARM}")
        await bot.say("alice", "!hold Fedora-Cloud-43-x64 a word that is very long: " + "x" * 200)
        for page in ("", "/operations", f"/operations/{done}", "/schedules", "/problems", "/audit"):
            for width, scheme in ((1280, "light"), (390, "dark"), (390, "light"), (1280, "dark")):
                await tab.look_as(width, scheme)
                await tab.go(f"http://127.0.0.1:{port}/ui{page}")
                here = f"{page} {width} {scheme}"
                assert await tab.value("getComputedStyle(document.body).margin") == "0px", (
                    here
                )  # the style came
                assert await tab.value("document.documentElement.scrollWidth") <= width, here
                assert await tab.value(PALE) == [], here
                if keep is not None:
                    name = page.strip("/").replace("/", "-") or "overview"
                    await tab.picture(keep / f"{name}-{width}-{scheme}.png")
        await tab.press("Tab")
        assert await tab.value("document.activeElement.textContent") == "To the content"
        await tab.press("Tab")
        assert await tab.value("document.activeElement.textContent") == "Overview"
        assert await tab.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await tab.go(f"http://127.0.0.1:{port}/ui/operations?refresh=1")
        assert await tab.value("document.scripts.length") == 0
        assert tab.complaints == []
