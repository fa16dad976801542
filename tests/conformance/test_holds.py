"""A hold against an approved promotion, and a revocation at a time, on every platform."""

from __future__ import annotations

from datetime import timedelta

from slipway.bot.chat.model import Choice
from slipway.bot.core.times import system_clock
from tests.conformance.run import ConformanceRun, candidate, operation_id
from tests.support.azure import X64


async def test_a_hold_stops_what_is_agreed_to_and_a_revocation_calls_those_who_may_agree(
    run: ConformanceRun,
) -> None:
    session, latest = run.session, f"43.{system_clock() - timedelta(days=9):%Y%m%d}.0"
    async with run.bot():
        card, name = await session.propose()
        said = await session.say("bob", f"!hold {X64}/{candidate()} cloud-init hangs")
        assert "hold: done" in said[0].text
        assert not said[0].choices, "nobody has to agree to a hold"
        (report,) = await session.press("bob", Choice.APPROVE, card)
        assert "is held by Bob (cloud-init hangs)" in report.text
        assert report.mentions == {"alice"}  # she asked for it, and an edited card calls nobody
        assert not (await session.current(card)).choices
        assert run.excluded() is True

        (revoked,) = await session.say("alice", f"!revoke --at 2h {X64}/{latest} its mirrors end")
        begins = operation_id(revoked)
        assert f"!approve {begins}" in revoked.text
        assert revoked.mentions == {"bob"}
        assert "Begins" in revoked.text
        if revoked.choices:  # where reactions are not encrypted, and could be made up, none counts for it
            assert await session.press("bob", Choice.APPROVE, revoked) == []
        else:
            await session.say("bob", f"!approve {begins}")
        now = await session.current(revoked)
        assert "revoke: approved, begins" in now.text
        assert Choice.APPROVE not in now.choices
        (pending,) = await session.say("carol", "!pending")
        assert "approved, begins" in pending.text
        assert name not in pending.text
