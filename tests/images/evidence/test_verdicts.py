"""`!good` and `!bad` in the room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.azure import CANDIDATE, LATEST, X64
from tests.support.harness import running_bot

IMAGE = f"{X64}/{CANDIDATE}"
NEXT = "43.20261116.0"  # the one between them failed


async def test_a_verdict_is_recorded_at_once_and_shown_where_the_next_one_is_given(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        (dry,) = await bot.say("carol", f"!bad --dry-run {IMAGE} it hangs")
        assert f"record that {CANDIDATE} of {X64} is bad (it hangs)" in dry.text
        (refused,) = await bot.say("carol", f"!bad {IMAGE} it hangs")
        assert "You need the right `evidence`" in refused.text
        said = await bot.say("alice", f"!bad {IMAGE} it doesn't boot")
        assert "bad: done" in said[0].text
        (listed,) = await bot.say("alice", f"!images {X64}")
        assert re.search(rf"{CANDIDATE} +candidate, bad ", listed.text)
        assert (
            f"Promote {NEXT}: `!promote {X64}/{NEXT}`" in listed.text
        )  # without its number it would be refused
        (everything,) = await bot.say("alice", "!images")
        assert re.search(rf"{X64} +{LATEST} +{NEXT}", everything.text)
        again = await bot.say("alice", f"!bad {IMAGE} it doesn't boot")
        assert "Nothing to do" in again[0].text
        good = await bot.say("bob", f"!good --dry-run {X64} {CANDIDATE}")
        assert "bad, by Alice on 2026-11-20: it doesn't boot" in good[0].text
        lifted = await bot.say("bob", f"!good {IMAGE}")
        assert "is good" in lifted[-1].text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"!bad {IMAGE}", "Say what is wrong with it"),
        (f"!bad {X64}", "Say which version"),
        (f"!bad {IMAGE} it hangs --dry-run", "`--dry-run` stands before the image"),
        (f"!good {X64}/43.1.0", f"{X64} has no version 43.1.0"),
        (f"!good {X64}/latest", "“latest” is not a version"),
        ("!good Nothing/43.1.0", "There is no image definition Nothing"),
    ],
)
async def test_bad_input_is_one_sentence_and_records_nothing(tmp_path: Path, line: str, said: str) -> None:
    async with running_bot(tmp_path) as bot:
        (answer,) = await bot.say("alice", line)
        assert said in answer.text
        (dry,) = await bot.say("alice", f"!good --dry-run {IMAGE}")
        assert "Verdict" not in dry.text


async def test_what_is_latest_stays_so_and_whoever_calls_it_bad_is_told(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        (dry,) = await bot.say("alice", f"!bad --dry-run {X64}/{LATEST} it hangs")
        assert "a verdict takes nothing back, a rollback does" in dry.text
        (card, *_) = await bot.say("alice", f"!bad {X64}/{LATEST} it hangs")
        assert "is bad, by the word of Alice (it hangs); it stays promoted." in card.text
        assert not bot.excluded(X64, LATEST)
        (shown,) = await bot.say("alice", f"!images {X64}/{LATEST}")
        assert f"{LATEST} is said to be bad, and is latest: `!rollback {X64}` takes it back." in shown.text
