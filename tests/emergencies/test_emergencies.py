"""`--emergency`: who may, what it passes and what never, who hears of it, and its review."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Address, Choice
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.totp import new_secret
from slipway.bot.operations.emergency.model import Emergency, Review, Verdict
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.emergencies.reviewing import ReviewExecutor
from slipway.bot.subjects.emergencies.steps import StoreReview
from tests.support.azure import ARM, CANDIDATE, X64
from tests.support.clock import MINUTE, NOW, FakeClock
from tests.support.codes import Apps
from tests.support.configuration import (
    DECLARED,
    SECRETS,
    problems_of,
    put,
    settings_of,
    valid_document,
)
from tests.support.harness import (
    BotHarness,
    audit_trail,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)
from tests.support.memory_chat import MemoryChat

ALLOWED: dict[str, Any] = {"emergency": {"people": ["alice"], "kinds": ["promote", "cleanup"]}}
WHY = "the mirror serves a broken image"


@asynccontextmanager
async def emergency_bot(folder: Path, **more: Any) -> AsyncIterator[BotHarness]:
    async with running_bot(folder, changes=ALLOWED | more) as bot:
        yield bot


async def let_run(bot: BotHarness, line: str = f"!promote {X64}") -> str:
    """Alice lets something run; the operation's id."""
    await bot.say("alice", f"{line} --emergency {WHY}")
    return (await newest_operation(bot)).id


async def problems(bot: BotHarness) -> str:
    bot.clock.advance(MINUTE)
    await bot.running.upkeep.sweep()
    await bot.running.idle()
    (listed,) = await bot.say("carol", "!problems")
    return listed.text


async def test_it_runs_at_once_and_all_rooms_are_told_who_what_and_why(tmp_path: Path) -> None:
    async with emergency_bot(tmp_path) as bot:
        operation_id = await let_run(bot)
        assert await newest_state(bot) is OperationState.DONE
        assert bot.excluded(X64, CANDIDATE) is False
        told = {each.room: each.text for each in bot.messages if "Emergency: Alice lets" in each.text}
        assert set(told) == {"console"}
        for text in told.values():
            assert WHY in text
            assert f"!promote {X64}" in text
            assert operation_id in text
        (card, *_) = [each for each in bot.messages if each.card.operation is not None]
        assert WHY in card.text
        trail = {entry["action"]: entry["detail"] for entry in await audit_trail(bot)}
        assert trail["proposed"]["emergency"] == WHY
        assert trail["approved"]["why"] == f"emergency: {WHY}"
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        assert len([each for each in bot.messages if "Emergency: Alice lets" in each.text]) == 1


def test_every_room_of_the_configuration_is_told_on_every_platform() -> None:
    document = put(valid_document(), "matrix.rooms", ["!releng:example.org", "!ops:example.org"])
    document = put(document, "slack", {"channels": ["C0123456780", "C0123456781"]})
    document = put(document, "audit", {"room": "matrix:!releng:example.org"})
    document["matrix"]["rooms"].append("#by-its-name:example.org")
    tokens = {"SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1-a", "SLIPWAY_SLACK_APP_TOKEN": "xapp-1-a"}
    rooms = DECLARED.all_rooms(settings_of(document, {**SECRETS, **tokens}))
    assert {f"{room.platform}:{room.id}" for room in rooms} == {
        "matrix:!releng:example.org",
        "matrix:!ops:example.org",
        "matrix:#by-its-name:example.org",
        "slack:C0123456780",
        "slack:C0123456781",
    }


async def test_rooms_that_are_called_by_a_name_are_told_once_it_is_known_where_that_leads(
    tmp_path: Path,
) -> None:
    chat = MemoryChat()
    changes = ALLOWED | {"console": {"enabled": True, "room": "#releng"}}
    async with running_bot(tmp_path, changes=changes, chat=chat) as bot:

        def told(words: str) -> list[str]:
            return [each.room for each in bot.messages if words in each.card.title]

        await let_run(bot)
        await bot.say("alice", "!freeze the release is under way")
        await problems(bot)
        assert "#releng" not in {each.room for each in bot.messages}, "no room has that for its id"
        told_before = told("Emergency: Alice lets")
        chat.names["#releng"] = "!abc"
        await problems(bot)
        assert told("Emergency: Alice lets") == [*told_before, "!abc"]
        assert told("Changes are frozen") == ["!abc"]
        await problems(bot)
        assert told("Emergency: Alice lets") == [*told_before, "!abc"]


async def test_it_stays_a_problem_until_somebody_else_has_reviewed_it(tmp_path: Path) -> None:
    async with emergency_bot(tmp_path) as bot:
        operation_id = await let_run(bot)
        assert f"Alice let {operation_id} run in an emergency" in await problems(bot)
        digest = await bot.say("carol", "!digest")
        assert any(operation_id in each.text for each in digest)
        (own,) = await bot.say("alice", f"!emergency review {operation_id} justified it was")
        assert "somebody else has to review it" in own.text
        (reader,) = await bot.say("carol", f"!emergency review {operation_id} justified it was")
        assert "You need the right `emergency.review`" in reader.text
        (nothing,) = await bot.say("bob", f"!emergency review {operation_id} justified")
        assert "Say why you think so" in nothing.text
        (listed,) = await bot.say("carol", "!emergencies")
        assert "1 emergency to review" in listed.text
        await bot.say("bob", f"!emergency review {operation_id} unjustified it could have waited")
        assert operation_id not in await problems(bot)
        (listed,) = await bot.say("carol", "!emergency")
        assert "unjustified (Bob: it could have waited)" in listed.text
        (why,) = await bot.say("carol", f"!op {operation_id} --why")
        assert "unjustified, says Bob" in why.text
        rules = [(row[0], row[1]) for row in why.card.tables[0].rows]
        assert rules == [("[policy.promote]", "1 of releng"), (f"[emergency]: {WHY}", "nobody")]
        (again,) = await bot.say("bob", f"!emergency review {operation_id} justified no")
        assert "has reviewed" in again.text
        (none,) = await bot.say("bob", "!emergency review op-zzzz justified no")
        assert "was let run by no emergency" in none.text
        assert any(
            each["detail"].get("verdict") or "unjustified" in str(each) for each in await audit_trail(bot)
        )


@pytest.mark.parametrize(
    ("who", "line", "told"),
    [
        (
            "bob",
            f"!promote {X64} --emergency {WHY}",
            "You may not pass approvals. In an emergency, these may: alice.",
        ),
        ("alice", f"!rollback {X64} --emergency {WHY}", "No emergency passes the approvals of rollback"),
        ("alice", f"!promote {X64} --emergency", "Say why it cannot wait"),
        ("carol", f"!promote {X64} --emergency {WHY}", "You need the right `promote`"),
        ("mallory", f"!promote {X64} --emergency {WHY}", "I do not know you"),
    ],
)
async def test_who_may_not_and_what_may_not_be_is_refused(
    tmp_path: Path, who: str, line: str, told: str
) -> None:
    async with emergency_bot(tmp_path) as bot:
        (refused,) = await bot.say(who, line)
        assert told in refused.text
        assert bot.excluded(X64, CANDIDATE) is True
        assert not await bot.running.operations.recent(1)


async def test_it_is_off_where_it_is_not_set_up_and_where_it_is_doubted_who_speaks(tmp_path: Path) -> None:
    async with running_bot(tmp_path / "off") as bot:
        (refused,) = await bot.say("alice", f"!promote {X64} --emergency {WHY}")
        assert "is not set up here" in refused.text
    async with emergency_bot(tmp_path / "on") as bot:
        (refused,) = await bot.say("alice", f"!promote {X64} --emergency {WHY}", doubt="An unsigned device.")
        assert "leaves no doubt who they are" in refused.text
        assert not await bot.running.operations.recent(1)


async def test_it_passes_neither_holds_nor_what_a_plan_itself_demands(tmp_path: Path) -> None:
    async with emergency_bot(tmp_path, retention={"keep_rolling": 1, "max_share": 0.01}) as bot:
        await bot.say("bob", f"!hold {X64} {CANDIDATE} it is being looked at")
        (held,) = await bot.say("alice", f"!promote {X64} {CANDIDATE} --emergency {WHY}")
        assert "held" in held.text
        assert bot.excluded(X64, CANDIDATE) is True
        (large,) = await bot.say("alice", f"!cleanup --emergency {WHY}")
        assert "No emergency passes that: ask without `--emergency`." in large.text
        kinds = [each.kind for each in await bot.running.operations.recent(5)]
        assert kinds == ["hold"]


async def test_it_passes_a_freeze_where_that_is_written_and_nowhere_else(tmp_path: Path) -> None:
    for passes in (False, True):
        allowed = {"emergency": ALLOWED["emergency"] | {"in_freeze": passes}}
        async with running_bot(tmp_path / str(passes), changes=allowed) as bot:
            await bot.say("alice", "!freeze the release is under way")
            await bot.say("alice", f"!promote {X64} --emergency {WHY}")
            assert bot.excluded(X64, CANDIDATE) is not passes


async def test_what_changed_since_it_was_planned_is_not_done(tmp_path: Path) -> None:
    """As with every operation: the plan is made again before the first step, with the same emergency."""
    async with emergency_bot(tmp_path) as bot:
        (dry,) = await bot.say("alice", f"!promote {X64} --dry-run --emergency {WHY}")
        assert "nobody" in dry.text
        assert bot.excluded(X64, CANDIDATE) is True
        assert not [each for each in bot.messages if "Emergency:" in each.text]


async def test_it_does_not_wait_for_what_waits_for_others_already(tmp_path: Path) -> None:
    async with emergency_bot(tmp_path) as bot:
        waiting, _ = await propose(bot)
        await let_run(bot)
        assert bot.excluded(X64, CANDIDATE) is False
        await bot.press("bob", Choice.APPROVE, waiting)
        assert "stale" in waiting.card.title


async def test_with_codes_it_waits_for_one_of_whoever_asked_and_of_nobody_else(tmp_path: Path) -> None:
    clock = FakeClock()
    apps = Apps(tmp_path / "secrets", clock)
    changes = apps.changes("promote") | {"emergency": {"people": ["alice"], "kinds": ["promote"]}}
    async with running_bot(tmp_path / "state", clock=clock, changes=changes) as bot:
        (card, *_) = await bot.say("alice", f"!promote {X64} --emergency {WHY}")
        operation = await newest_operation(bot)
        assert operation.state is OperationState.PROPOSED
        assert "Alice" in next(each.value for each in card.card.fields if each.label == "Needs")
        assert not [each for each in bot.messages if "Emergency: Alice lets" in each.text], "it is none yet"
        assert operation.id not in await problems(bot)
        (other,) = await bot.press("bob", Choice.APPROVE, card)
        assert "it waits for a code of theirs alone" in other.text
        await bot.press("alice", Choice.APPROVE, card)
        await bot.say("alice", apps.code("alice"), room="direct:alice", address=Address.DIRECT)
        assert await newest_state(bot) is OperationState.DONE
        assert [each for each in bot.messages if "Emergency: Alice lets" in each.text]
        assert operation.id in await problems(bot)
        # And one that nobody gave a code for is none.
        await bot.say("alice", f"!promote {ARM} --emergency {WHY}")
        given_up = await newest_operation(bot)
        await bot.say("bob", f"!cancel {given_up.id}")
        assert await newest_state(bot) is OperationState.CANCELLED
        assert given_up.id not in await problems(bot)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"people": ["alice"]}, "emergency.kinds: is missing"),
        ({"kinds": ["promote"]}, "emergency.people: is missing"),
        ({"people": ["alcie"], "kinds": ["promote"]}, 'there is no person "alcie"; did you mean "alice"?'),
        ({"people": ["alice"], "kinds": ["promot"]}, 'there is no kind of operation "promot"'),
        (
            {"people": ["alice"], "kinds": ["promote"], "step_up": True},
            "takes a code of alice, who has no totp",
        ),
    ],
)
def test_a_table_that_means_nothing_is_told(table: dict[str, Any], told: str) -> None:
    (problem,) = problems_of(put(valid_document(), "emergency", table))
    assert told in problem


def test_whoever_could_give_no_code_that_an_emergency_takes_is_told() -> None:
    policy = {"approvals": 1, "role": "releng", "step_up": True}
    document = put(put(valid_document(), "policy.promote", policy), "emergency", ALLOWED["emergency"])
    environ = {**SECRETS, "SLIPWAY_PERSON_BOB_TOTP_SECRET": new_secret().get_secret_value()}
    (problem,) = problems_of(document, environ)
    assert problem.startswith("emergency.people: takes a code of alice")


STEP = StoreReview(operation="op-2222", person="bob", verdict=Verdict.JUSTIFIED, words="it was")


class Stored:
    """Stands for the store: one emergency, and whether what is stored stays there."""

    def __init__(self, review: Review | None = None, *, person: str = "alice", forgets: bool = False) -> None:
        self.held = Emergency("op-2222", "promote X", person, WHY, NOW, "done", told=True, review=review)
        self.forgets = forgets

    async def find(self, _operation: str) -> Emergency | None:
        return self.held

    async def review(self, operation_id: str, review: Review) -> bool:
        if not self.forgets:
            held = self.held
            self.held = Emergency(
                operation_id, held.command, held.person, held.reason, held.at, held.state, held.told, review
            )
        return True


def executor(store: Stored) -> ReviewExecutor:
    return ReviewExecutor(store, lambda: NOW)  # type: ignore[arg-type]


async def test_a_review_is_noted_once_for_its_step_and_not_beside_another() -> None:
    carried = executor(Stored())
    assert await carried.observe(STEP, "t") is None
    await carried.act(STEP, "t")
    assert "was justified: it was" in (await carried.verify(STEP, "t")).summary
    with pytest.raises(CloudError, match="by somebody else meanwhile") as caught:
        await carried.observe(STEP, "another")
    assert caught.value.kind is CloudErrorKind.CONFLICT


async def test_what_is_not_theirs_to_review_when_it_is_carried_out_is_not_reviewed() -> None:
    with pytest.raises(CloudError, match="is no emergency that bob can review"):
        await executor(Stored(person="bob")).observe(STEP, "t")


async def test_a_review_that_cannot_be_seen_is_never_called_done() -> None:
    carried = executor(Stored(forgets=True))
    await carried.act(STEP, "t")
    with pytest.raises(CloudError, match="is not there") as caught:
        await carried.verify(STEP, "t")
    assert caught.value.kind is CloudErrorKind.UNVERIFIED
