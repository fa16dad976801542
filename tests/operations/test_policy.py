"""Who must agree, for any people, votes and policies at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice
from slipway.bot.config.policies.matching import Change
from slipway.bot.config.policies.settings import PolicySettings
from slipway.bot.operations.declarations import OperationKind
from slipway.bot.operations.model import Policy, Vote
from slipway.bot.operations.policies import Asker, PlanDemands, policy_for
from slipway.bot.operations.policy import (
    Enough,
    Missing,
    Vetoed,
    approval_status,
    deciders,
    may_decide,
)
from slipway.bot.people import People
from tests.operations.builders import operation, people, vote
from tests.support.configuration import DECLARED, ROLE

NAMES = ("alice", "bob", "carol", "dan", "erin")

someone = st.sampled_from((*NAMES, "schedule:weekly", "mallory"))  # mallory is in no configuration
roles = st.fixed_dictionaries(
    {name: st.sets(st.sampled_from((ROLE, "reader"))).map(sorted) for name in NAMES}
)
policies = st.builds(
    Policy, approvals=st.integers(0, 5), role=st.sampled_from((ROLE, "")), requester_may_approve=st.booleans()
)


@st.composite
def ballots(draw: st.DrawFn) -> tuple[Vote, ...]:
    """One vote a person, as the database keeps them."""
    voters = draw(st.lists(someone, unique=True, max_size=7))
    return tuple(vote(person, draw(st.sampled_from(Choice))) for person in voters)


@given(roles, ballots(), policies, someone)
def test_an_operation_runs_only_when_enough_distinct_eligible_humans_agreed_and_none_of_them_refused(
    held: dict[str, list[str]], votes: tuple[Vote, ...], policy: Policy, requester: str
) -> None:
    everyone = people(held, schedules=("weekly",))
    wanted = operation(votes, policy=policy, requester=requester)

    eligible = {
        name for name in NAMES if ROLE in held[name] and (name != requester or policy.requester_may_approve)
    }  # without a role in the policy, the right to promote counts, which ROLE alone gives
    approving = {each.person for each in votes if each.choice is Choice.APPROVE} & eligible
    refusing = {each.person for each in votes if each.choice is Choice.REJECT} & eligible

    match approval_status(wanted, votes, everyone):
        case Vetoed(by=by):
            assert by in refusing
        case Missing(count):
            assert not refusing
            assert count == policy.approvals - len(approving) > 0
        case Enough():
            assert not refusing
            assert len(approving) >= policy.approvals
    assert {person.id for person in deciders(wanted, everyone)} == eligible


@given(roles, ballots(), policies)
def test_the_votes_of_those_who_lost_the_role_or_left_count_for_nothing(
    held: dict[str, list[str]], votes: tuple[Vote, ...], policy: Policy
) -> None:
    gone = people({"zoe": [ROLE]})
    without = people({name: ["reader"] for name in held})
    wanted = operation(votes, policy=policy)
    nothing = approval_status(wanted, (), gone)
    assert approval_status(wanted, votes, gone) == nothing
    assert approval_status(wanted, votes, without) == nothing


@given(st.permutations([vote(name) for name in NAMES]), st.integers(0, 5), st.data())
def test_the_order_of_votes_does_not_matter(votes: list[Vote], approvals: int, data: st.DataObject) -> None:
    everyone = people({name: [ROLE] for name in NAMES})
    policy = Policy(approvals=approvals, role=ROLE, requester_may_approve=False)
    wanted = operation(policy=policy)
    shuffled = data.draw(st.permutations(votes))
    assert approval_status(wanted, tuple(votes), everyone) == approval_status(
        wanted, tuple(shuffled), everyone
    )


def test_one_refusal_outweighs_any_number_of_approvals() -> None:
    everyone = people({name: [ROLE] for name in NAMES})
    votes = (vote("bob"), vote("carol"), vote("dan", Choice.REJECT), vote("erin"))
    assert approval_status(operation(votes), votes, everyone) == Vetoed(by="dan", reason="")


def test_a_schedule_and_a_stranger_never_decide_even_with_the_role() -> None:
    everyone = people({"alice": [ROLE]}, schedules=("weekly",))
    weekly = everyone.schedule("weekly")
    assert weekly is not None
    assert ROLE in weekly.roles
    asked_by_another = operation(requester="bob")
    assert not may_decide(weekly, asked_by_another, everyone)
    alice = everyone.by_id("alice")
    assert alice is not None
    assert may_decide(alice, asked_by_another, everyone)
    stranger = replace(everyone.stranger(CONSOLE, "eve"), roles=(ROLE,))
    assert not may_decide(stranger, asked_by_another, everyone)


settings = st.builds(
    PolicySettings,
    approvals=st.integers(0, 5),
    approvals_scheduled=st.none() | st.integers(0, 5),
    role=st.just(ROLE),
)


@given(settings, st.booleans(), st.booleans(), st.sampled_from(list(DECLARED.registry.kinds.values())))
def test_a_plan_can_ask_for_an_approval_that_the_configuration_does_not(
    configured: PolicySettings, scheduled: bool, needs_approval: bool, kind: OperationKind[Any, Any]
) -> None:
    policy = policy_for(
        kind,
        configured,
        Change(()),
        asker=Asker(scheduled=scheduled),
        demands=PlanDemands(approval=needs_approval),
    )
    asked = configured.approvals_scheduled if scheduled else None
    usual = configured.approvals if asked is None else asked
    assert policy.approvals == (usual or 1 if needs_approval else usual)
    assert policy.role == configured.role


def test_nobody_needs_to_agree_where_no_approval_is_asked_for() -> None:
    everyone: People = people({})
    free = operation(policy=Policy(approvals=0, role="", requester_may_approve=False))
    assert approval_status(free, (), everyone) == Enough()
