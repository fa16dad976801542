"""Reasons and remarks are people's own words: nothing in them is taken for an id, an option or a quotation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.bot.operations.model import OperationState
from tests.support.azure import X64
from tests.support.configuration import TWO_APPROVALS
from tests.support.harness import (
    BotHarness,
    audit_trail,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)

PEOPLE = [
    {"id": name, "name": name.title(), "identities": [f"console:{name}"], "roles": ["releng"]}
    for name in ("alice", "bob", "dan")
]


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotHarness]:
    async with running_bot(tmp_path, changes=TWO_APPROVALS | {"person": PEOPLE}) as running:
        yield running


REASONS = (
    "because it is bad",
    "boot test failed",
    "bad image",
    "fails with -ENOMEM",
    '5" disk is not found',
    "it's \\ \"quoted' --force -h",
    "test",
)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("reason", REASONS)
async def test_a_reason_is_taken_as_it_was_typed(bot: BotHarness, reason: str, named: bool) -> None:
    card, name = await propose(bot)
    (told,) = await bot.say("bob", f"!reject {name} {reason}" if named else f"!reject {reason}")
    if not named and reason == "test":  # alone, it could as well be a mistyped id
        assert "There is no operation op-test." in told.text
        return
    assert f"Rejected by Bob: {reason}. Nothing was changed." in card.text
    assert (await audit_trail(bot))[-2]["detail"]["reason"] == reason


async def test_why_somebody_takes_their_own_request_back_is_kept(bot: BotHarness) -> None:
    card, _ = await propose(bot)
    await bot.say("alice", "!reject the wrong release")
    assert "Cancelled by Alice: the wrong release. Nothing was changed." in card.text
    assert (await audit_trail(bot))[-1]["detail"] == {"reason": "the wrong release"}


async def test_a_remark_behind_an_approval_is_kept_with_it_and_shown(bot: BotHarness) -> None:
    card, name = await propose(bot)
    digest = (await newest_operation(bot)).digest_prefix
    assert await bot.say("bob", f"!approve {name} lgtm") == []
    await bot.say("dan", f'!approve {name} {digest} boots on 5" disks')
    assert "Bob approved" in card.text
    assert "(lgtm)" in card.text
    assert '(boots on 5" disks)' in card.text
    reasons = [entry["detail"]["reason"] for entry in await audit_trail(bot) if entry["action"] == "approval"]
    assert reasons == ["lgtm", 'boots on 5" disks']
    assert "done" in card.card.title


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("00000000", "has another plan than the one you agree to"),
        ("f" * 64, "has another plan than the one you agree to"),
        ("1b9f03a", "“1b9f03a” has 7 digits; a card shows 8 of its plan's."),
        ("--dry-run", "has no option “--dry-run”"),
        ("lgtm --force", "has no option “--force”"),
        ("--help", "agree to a proposed operation"),
    ],
)
async def test_what_could_be_meant_as_a_safeguard_is_none_of_a_remark(
    bot: BotHarness, words: str, answer: str
) -> None:
    _, name = await propose(bot)
    (told,) = await bot.say("bob", f"!approve {name} {words}")
    assert answer in told.text
    assert (await newest_operation(bot)).votes == ()


@pytest.mark.parametrize("remark", ["lgtm", "fine by me", "43 it is", "add it"])
async def test_without_an_id_a_remark_is_a_remark(bot: BotHarness, remark: str) -> None:
    await propose(bot)
    await bot.say("bob", f"!approve {remark}")
    (vote,) = (await newest_operation(bot)).votes
    assert vote.reason == remark


@pytest.mark.parametrize(
    "line", ["!approve qzfk lgtm", "!approve 7k3x", "!reject op-qzfk bad", "!reject 7k3x bad"]
)
async def test_a_mistyped_id_is_no_remark(bot: BotHarness, line: str) -> None:
    await propose(bot)
    (told,) = await bot.say("bob", line)
    assert "There is no operation op-" in told.text
    assert await newest_state(bot) is OperationState.PROPOSED
    assert (await newest_operation(bot)).votes == ()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("!pending.", "Nothing waits"),
        ("!status?", "Slipway"),
        (f"!images {X64}.", X64),
        (f"!promote {X64} 43.20261118.0. --dry-run", "dry run"),
        ("!help promote.", "promote"),
    ],
)
async def test_a_sentence_ends_where_it_ends(bot: BotHarness, line: str, answer: str) -> None:
    (told,) = await bot.say("alice", line)
    assert answer in told.text
    assert "Did you mean" not in told.text
    assert "no image definition" not in told.text
