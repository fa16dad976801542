"""Reasons and remarks are people's own words: nothing in them is taken for an id, an option or a quotation."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from slipway.bot.operations.model import OperationState
from tests.support.azure import X64
from tests.support.configuration import TWO_APPROVALS
from tests.support.harness import (
    BotHarness,
    audit_trail,
    leave_as_found,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)

PEOPLE = [
    {"id": name, "name": name.title(), "identities": [f"console:{name}"], "roles": ["releng"]}
    for name in ("alice", "bob", "dan")
]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    changes = TWO_APPROVALS | {"person": PEOPLE}
    async with running_bot(tmp_path_factory.mktemp("state"), changes=changes) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bot(shared: BotHarness) -> AsyncIterator[BotHarness]:
    """One bot for all; each test leaves the gallery as it found it, and nothing waiting."""
    yield shared
    await leave_as_found(shared)


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
    assert (await audit_trail(bot))[-1]["detail"]["reason"] == "the wrong release"


async def test_a_remark_behind_an_approval_is_kept_with_it_and_shown(bot: BotHarness) -> None:
    card, name = await propose(bot)
    digest = (await newest_operation(bot)).digest_prefix
    assert await bot.say("bob", f"!approve {name} lgtm") == []
    await bot.say("dan", f'!approve {name} {digest} boots on 5" disks')
    assert "Bob approved" in card.text
    assert "(lgtm)" in card.text
    assert '(boots on 5" disks)' in card.text
    trail = [entry for entry in await audit_trail(bot) if entry["operation"] == name]
    reasons = [entry["detail"]["reason"] for entry in trail if entry["action"] == "approval"]
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
    "line",
    [
        "!approve op-1234",
        "!approve op-",
        "!approve OP-10l0 lgtm",
        "!approve op1",
        "!approve 7k1l",
        "!reject op-0000",
        "!reject op-0000 it is bad",
    ],
)
async def test_what_can_be_no_id_is_told_as_one_that_was_mistyped(bot: BotHarness, line: str) -> None:
    await propose(bot)
    (told,) = await bot.say("bob", line)
    assert "is not the id of an operation" in told.text
    assert await newest_state(bot) is OperationState.PROPOSED
    assert (await newest_operation(bot)).votes == ()


@pytest.mark.parametrize("verb", ["approve", "reject"])
@pytest.mark.parametrize(
    "name", ["43.20261128.0", "Fedora-Cloud-42-x64", f"{X64}/43.20261128.0", "debian-12/*"]
)
async def test_whoever_names_another_image_does_not_decide_on_this_one(
    bot: BotHarness, verb: str, name: str
) -> None:
    _, operation = await propose(bot)
    (told,) = await bot.say("bob", f"!{verb} {name} please")
    assert f"is not what {operation} is about" in told.text
    assert await newest_state(bot) is OperationState.PROPOSED
    assert (await newest_operation(bot)).votes == ()


@pytest.mark.parametrize("words", ["no", "not yet", "No!", "wait for the arm64 test", "don't", "all", "-1"])
@pytest.mark.parametrize("named", [True, False])
async def test_an_approval_that_says_no_is_none(bot: BotHarness, words: str, named: bool) -> None:
    _, operation = await propose(bot)
    (told,) = await bot.say("bob", f"!approve {operation} {words}" if named else f"!approve {words}")
    assert "does not sound like an approval" in told.text
    assert f"!reject {operation}" in told.text
    assert (await newest_operation(bot)).votes == ()


@pytest.mark.parametrize(
    "remark", [f"{X64} boots", "no objections", "nothing against it", "all tests pass", "notably faster"]
)
async def test_what_goes_with_an_approval_is_kept_with_it(bot: BotHarness, remark: str) -> None:
    await propose(bot)
    await bot.say("bob", f"!approve {remark}")
    (vote,) = (await newest_operation(bot)).votes
    assert vote.reason == remark


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
