"""Words that may be somebody else's: who reads a card later, or the audit trail, still sees that."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from slipway.bot.chat.model import Choice
from slipway.bot.chat.slack.rendering.render import message
from slipway.bot.operations import audit
from tests.support.azure import X64
from tests.support.harness import audit_trail, propose, running_bot

TWO = {"policy": {"promote": {"approvals": 2, "role": "releng", "requester_may_approve": True}}}
ALICES = "The message came from alice's device A, which alice has not verified."
BOBS = "The message came from bob's device B, which bob has not verified."


async def test_a_doubted_request_and_a_doubted_vote_say_so_to_the_end_and_in_the_audit_trail(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        (card,) = await bot.say("alice", f"!promote {X64}", doubt=ALICES)
        assert card.text.count(ALICES) == 1
        name = card.card.buttons[0].operation_id
        assert (
            "It is not certain that Alice asked for this" in card.card.text
        )  # which stands above the buttons
        (shown,) = await bot.say("carol", "!op " + name)
        assert ALICES in shown.text
        await bot.say("bob", f"!approve {name}", doubt=BOBS)
        assert "promote: done" in card.text
        assert "not certain" not in card.text
        assert f"⚠ {ALICES}" in card.text
        assert f"The vote of Bob: {BOBS}" in card.text
        (report,) = [each for each in bot.messages if each.thread == card.id]
        assert ALICES in report.text
        assert BOBS in report.text
        noted = {entry["action"]: entry["detail"].get("doubt") for entry in await audit_trail(bot)}
        assert (noted["proposed"], noted["approval"], noted["done"]) == (ALICES, BOBS, None)
        async with bot.running.database.writing() as connection:
            await connection.execute(sa.text("UPDATE vote SET doubt = ''"))
        contradicted = await audit.verify(bot.running.database)
        assert "holds another vote" in str(contradicted)


async def test_whoever_decides_after_a_doubted_vote_sees_that_before_the_buttons(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=TWO) as bot:
        card, name = await propose(bot)
        assert "not certain" not in card.text
        await bot.say("bob", f"!approve {name}", doubt=BOBS)
        kinds = [block["type"] for block in message(card.card).blocks]
        shown = message(card.card).blocks[kinds.index("section")]["text"]["text"]
        assert "It is not certain that Bob approved it: see below." in shown
        assert kinds.index("section") < kinds.index("actions") < kinds.index("context")
        assert BOBS in card.text


async def test_a_doubted_withdrawal_says_so(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        for line in ("!cancel {}", "!reject {} no"):
            card, name = await propose(bot)
            await bot.say("alice", line.format(name), doubt=ALICES)
            assert f"Ending this: {ALICES}" in card.text
            assert (await audit_trail(bot))[-1]["detail"]["doubt"] == ALICES
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        assert ALICES not in card.text
        assert "doubt" not in str(await audit_trail(bot)).rpartition(ALICES)[2]
