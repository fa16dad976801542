"""Who is called upon to decide, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.operations.calls import MOST_CALLED, called_upon, holders
from slipway.bot.operations.model import Policy
from tests.operations.builders import operation, people, vote
from tests.support.azure import X64
from tests.support.configuration import ROLE
from tests.support.harness import propose, running_bot

TEAM = people({"alice": [ROLE], "bob": [ROLE], "carol": ["reader"], "dan": [ROLE]})


@pytest.mark.parametrize(
    ("setting", "called"),
    [
        (("holders",), ("bob", "dan")),
        (("dan",), ("dan",)),
        (("dan", "alice", "nobody there"), ("dan",)),
        (("alice",), ("bob", "dan")),  # who asked cannot decide, and somebody has to see it
        (("carol",), ("bob", "dan")),
        (("nobody",), ()),
        ((), ()),
    ],
)
def test_whom_the_setting_names_is_called_as_far_as_they_can_decide(
    setting: tuple[str, ...], called: tuple[str, ...]
) -> None:
    assert called_upon(operation(), TEAM, lambda _operation: setting) == called
    assert called_upon(operation(), TEAM, holders) == ("bob", "dan")


def test_who_has_decided_is_not_called_again_and_a_crowd_not_whole() -> None:
    two = Policy(approvals=2, role=ROLE, requester_may_approve=False)
    assert called_upon(operation([vote("bob")], policy=two), TEAM, holders) == ("dan",)
    crowd = people({f"p{number}": [ROLE] for number in range(50)})
    assert len(called_upon(operation(), crowd, holders)) == MOST_CALLED
    assert called_upon(operation().model_copy(update={"room": None}), TEAM, holders) == ()


@pytest.mark.parametrize(
    ("policy", "called"),
    [
        (Policy(approvals=1, role="", requester_may_approve=True), ()),  # it is hers to confirm
        (Policy(approvals=1, role="", requester_may_approve=False), ("bob", "dan")),
        (Policy(approvals=2, role="", requester_may_approve=True), ("bob", "dan")),
        (Policy(approvals=1, role=ROLE, requester_may_approve=True), ("bob", "dan")),
    ],
)
def test_nobody_is_called_for_what_the_requester_confirms(policy: Policy, called: tuple[str, ...]) -> None:
    found = operation()
    asked = found.model_copy(update={"plan": found.plan.model_copy(update={"policy": policy})})
    assert called_upon(asked, TEAM, holders) == called


async def test_a_card_calls_those_who_can_decide_and_nothing_that_shows_it_again_does(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        assert card.card.mentions == ("bob",)
        for line in (f"!op {name}", f"!promote {X64}"):
            (shown,) = await bot.say("carol" if "op" in line.split()[0] else "alice", line)
            assert shown.card.buttons
            assert shown.card.mentions == ()
        await bot.press("bob", Choice.APPROVE, card)
        assert not card.card.mentions
