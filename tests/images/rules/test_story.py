"""A candidate without evidence is refused, called good, and promoted; or in spite of a rule: in the room."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from slipway.bot.chat.model import Choice
from tests.support.azure import CANDIDATE, LATEST, RAWHIDE, X64
from tests.support.harness import audit_trail, propose, running_bot

BY_VERDICT: dict[str, Any] = {"promotion": {"*": {"evidence": ["verdict"]}}}


async def test_a_candidate_that_nobody_called_good_is_refused_and_promoted_once_somebody_did(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, changes=BY_VERDICT) as bot:
        (refused,) = await bot.say("alice", f"!promote {X64}")
        assert f"{CANDIDATE} of {X64} was called good by nobody (rule evidence)." in refused.text
        assert f"Next: `!good {X64}/{CANDIDATE}`" in refused.text
        due, whole = await bot.say("alice", "!promote --due --dry-run")
        assert "20 candidates of 6 definitions do not meet rule evidence. The first: " in due.text
        assert len(due.text.splitlines()) == 4, "a line for the rule, and none for each of them"
        assert whole.thread == due.id
        assert f"{CANDIDATE} of {X64} was called good by nobody (rule evidence)." in whole.text
        await bot.say("alice", f"!good {X64}/{CANDIDATE} boots on both generations")
        card, name = await propose(bot, "!promote --due")
        assert "good, by Alice on 2026-11-20: boots on both generations" in card.text
        assert "⚠ 16 candidates of 5 definitions do not meet rule evidence. The first: " in card.text
        assert f"All of it: in the thread, or `!op {name}`" in card.text
        (below,) = [each for each in bot.messages if each.thread == card.id]
        assert f"45.20261119.0 of {RAWHIDE} was called good by nobody (rule evidence)." in below.text
        (before,) = await bot.say("carol", f"!images {X64}/{CANDIDATE}")
        assert re.search(
            r"Verdict +good +Alice +2026-11-20 12:00 UTC +boots on both generations", before.text
        )
        assert re.search(r"Rules met: +age, evidence", before.text)
        await bot.press("bob", Choice.APPROVE, card)
        assert "promote: done" in card.text
        assert not bot.excluded(X64, CANDIDATE)
        (after,) = await bot.say("carol", f"!images {X64}/{CANDIDATE}")
        done = rf"promote \(op-\w+\) +done +2026-11-20 12:00 UTC +Alice, approved by Bob +{re.escape(LATEST)}"
        assert re.search(done, after.text), "who promoted it, when, and what it replaced"


async def test_what_is_known_of_a_version_is_all_on_its_card(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=BY_VERDICT) as bot:
        (fresh,) = await bot.say("alice", f"!images {X64}/{CANDIDATE}")
        assert fresh.card.title == f"{X64}/{CANDIDATE}: candidate"
        assert re.search(r"Evidence: +none recorded", fresh.text)
        assert re.search(r"Rule evidence: +not met: it was called good by nobody", fresh.text)
        assert f"To meet its rules: `!good {X64}/{CANDIDATE}`" in fresh.text
        await bot.say("alice", f"!bad {X64}/{CANDIDATE} it hangs")
        await bot.say("bob", f"!good {X64}/{CANDIDATE} it was my network")
        (known,) = await bot.say("carol", f"!images {X64} {CANDIDATE}")
        assert re.search(r"Verdict +good +Bob .*it was my network", known.text)
        assert re.search(r"Verdict +bad, before +Alice .*it hangs", known.text)
        assert "not met" not in known.text


async def test_a_verdict_that_comes_before_the_last_approval_makes_the_plan_stale(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=BY_VERDICT) as bot:
        await bot.say("alice", f"!good {X64}/{CANDIDATE}")
        card, _ = await propose(bot, f"!promote --due {X64}")
        await bot.say("bob", f"!bad {X64}/{CANDIDATE} cloud-init hangs")
        await bot.press("bob", Choice.APPROVE, card)
        assert "promote: stale" in card.text
        assert bot.excluded(X64, CANDIDATE)


async def test_an_override_needs_a_reason_and_the_approvals_of_its_own_policy_and_stays_in_the_audit(
    tmp_path: Path,
) -> None:
    policy = {"policy": {"promote-override": {"approvals": 1, "role": "admin"}}}
    async with running_bot(tmp_path, changes={**BY_VERDICT, **policy}) as bot:
        (misused,) = await bot.say("alice", f"!promote --override evidence {X64}/{CANDIDATE}")
        assert "Say why" in misused.text
        (always,) = await bot.say("alice", f"!promote --override verdict {X64}/{CANDIDATE} urgent")
        assert "is none of them" in always.text
        card, operation_id = await propose(
            bot, f"!promote --override evidence {X64}/{CANDIDATE} it closes a hole"
        )
        assert "promote-override: waits for 1 approval" in card.text
        assert "Overridden" in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert bot.excluded(X64, CANDIDATE), "bob has not the role"
        await bot.press("admin", Choice.APPROVE, card)
        assert "promote-override: done" in card.text
        assert not bot.excluded(X64, CANDIDATE)
        trail = str(await audit_trail(bot))
        assert "in spite of the rule evidence: it closes a hole" in trail
        (again,) = await bot.say("alice", f"!op {operation_id}")
        assert "it closes a hole" in again.text
