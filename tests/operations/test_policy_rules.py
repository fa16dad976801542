"""What rules of policies ask for: for any rules, changes, people and votes at all, and by example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.model import Choice
from slipway.bot.config.policies.matching import Change, environment_of
from slipway.bot.config.policies.settings import EnvironmentSettings, PolicySettings
from slipway.bot.config.settings import ScheduleMode
from slipway.bot.core.steps import Step, Target
from slipway.bot.operations.declarations import OperationKind
from slipway.bot.operations.model import Demand, Policy, PolicyReason, Vote
from slipway.bot.operations.persistence.stored import read_plan, write_plan
from slipway.bot.operations.policies import Asker, PlanDemands, in_words, policy_for
from slipway.bot.operations.policy import Enough, Missing, Vetoed, approval_status, counting, still_asked
from slipway.bot.operations.runs.staleness import differences, differences_left
from tests.operations.builders import operation, people, plan, step, vote
from tests.support.configuration import DECLARED, ROLE

PROMOTE = DECLARED.registry.kinds["promote"]
NAMES = ("alice", "bob", "carol", "dan", "erin")
ENVIRONMENTS = {
    "staging": EnvironmentSettings(clouds=("azure.staging",), targets=("*-test", "aws:try-*")),
    "production": EnvironmentSettings(clouds=("azure*", "aws")),
}

roles = st.sampled_from((ROLE, "security", "legal"))
targets = st.builds(
    Target,
    name=st.sampled_from(("Fedora-43", "Fedora-44", "try-1", "x-test", "")),
    cloud=st.sampled_from(("azure", "azure.staging", "aws", "")),
    item=st.sampled_from(("1", "2")),
    count=st.integers(1, 3),
)
changes = st.builds(
    lambda found, gone: Change(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(found[:gone]))),
    st.lists(targets, max_size=5),
    st.integers(0, 5),
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "environment": st.sampled_from(("staging", "production")),
        "cloud": st.sampled_from(("azure", "azure.*", "aws")),
        "target": st.sampled_from(("Fedora-*", "*-test", "azure:*")),
        "min_targets": st.integers(2, 6),
        "min_deletions": st.integers(1, 3),
    },
)
asked = st.fixed_dictionaries(
    {"approvals": st.integers(0, 3), "requester_may_approve": st.booleans()},
    optional={
        "role": roles,
        "also": st.dictionaries(roles, st.integers(1, 2), max_size=2),
        "encrypted_reactions": st.booleans(),
    },
)
rules = st.lists(st.tuples(conditions, asked).map(lambda both: both[0] | both[1]), max_size=4)
tables = st.builds(lambda table, written: {"role": ROLE, **table, "rule": written}, asked, rules)
askers = st.builds(
    Asker, scheduled=st.booleans(), mode=st.sampled_from((ScheduleMode.POLICY, ScheduleMode.ASK))
)
demands = st.builds(PlanDemands, approval=st.booleans(), by_another=st.booleans(), harmless=st.booleans())


def asks(
    table: Mapping[str, Any],
    change: Change,
    asker: Asker = Asker(),  # noqa: B008 - it is frozen
    plan: PlanDemands = PlanDemands(),  # noqa: B008 - it is frozen
) -> Policy:
    settings = PolicySettings.model_validate(table)
    return policy_for(PROMOTE, settings, change, environments=ENVIRONMENTS, asker=asker, demands=plan)


@st.composite
def stricter(draw: st.DrawFn, written: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """The same table or rule, asking for more; what a rule does not say is as the table says."""
    more = dict(written)
    more["approvals"] = min(5, more["approvals"] + draw(st.integers(0, 2)))
    if draw(st.booleans()):
        more["requester_may_approve"] = False
    if draw(st.booleans()):
        held = more.get("also", table.get("also", {}))
        role = draw(roles)
        more["also"] = {**held, role: min(5, held.get(role, 0) + 1)}
    return more


@given(st.data(), tables, changes, askers, demands)
def test_a_stricter_rule_never_asks_for_less(
    data: st.DataObject, table: dict[str, Any], change: Change, asker: Asker, plan: PlanDemands
) -> None:
    before = asks(table, change, asker, plan)
    which = data.draw(st.integers(0, len(table["rule"])))
    if which:
        written = list(table["rule"])
        written[which - 1] = data.draw(stricter(written[which - 1], table))
        table = table | {"rule": written}
    else:
        table = data.draw(stricter(table, table))
    after = asks(table, change, asker, plan)
    assert after.needed >= before.needed
    if (
        not plan.approval and asker.mode is ScheduleMode.POLICY
    ):  # these ask whoever the rules ask, or the table's role
        assert after.covers(before)


@given(tables, changes, st.lists(targets, max_size=3))
def test_a_larger_change_never_asks_for_less(
    table: dict[str, Any], change: Change, more: list[Target]
) -> None:
    larger = Change(tuple(dict.fromkeys((*change.targets, *more))), change.deleted)
    if change.targets:
        assert asks(table, larger).covers(asks(table, change))


@given(tables, changes, askers)
def test_what_a_plan_demands_stays_a_floor(table: dict[str, Any], change: Change, asker: Asker) -> None:
    floor = PlanDemands(approval=True, by_another=True)
    policy = asks(table, change, asker, floor)
    assert policy.needed >= 1
    assert not policy.requester_may_approve
    assert asks(table, change, Asker(True, ScheduleMode.RUN), floor).needed == 1


def policy_before(
    kind: OperationKind[Any, Any], settings: PolicySettings, asker: Asker, demands: PlanDemands
) -> Policy:
    """What Slipway 0.1 made of a table, which had no rules and one role."""
    approvals = settings.approvals
    if asker.scheduled and settings.approvals_scheduled is not None:
        approvals = settings.approvals_scheduled
    if asker.mode is ScheduleMode.RUN:
        approvals = 0
    elif asker.mode is ScheduleMode.ASK:
        approvals = max(approvals, 1)
    approvals = 0 if demands.harmless else max(approvals, 1) if demands.approval else approvals
    forgeable = settings.encrypted_reactions
    return Policy(
        approvals=approvals,
        role=settings.role,
        requester_may_approve=settings.requester_may_approve and not demands.by_another,
        forgeable_presses=kind.policy.forgeable_presses if forgeable is None else forgeable,
        right=kind.right,
    )


before = st.builds(
    PolicySettings,
    approvals=st.integers(0, 5),
    approvals_scheduled=st.none() | st.integers(0, 5),
    role=st.sampled_from((ROLE, "")),
    requester_may_approve=st.booleans(),
    encrypted_reactions=st.none() | st.booleans(),
)


@given(
    before,
    changes,
    st.builds(Asker, scheduled=st.booleans(), mode=st.sampled_from(ScheduleMode)),
    demands,
    st.sampled_from(list(DECLARED.registry.kinds.values())),
)
def test_a_table_without_rules_means_what_it_meant_before(
    settings: PolicySettings,
    change: Change,
    asker: Asker,
    demands: PlanDemands,
    kind: OperationKind[Any, Any],
) -> None:
    found = policy_for(kind, settings, change, environments=ENVIRONMENTS, asker=asker, demands=demands)
    former = policy_before(kind, settings, asker, demands)
    assert found.substance == former
    assert (
        plan(policy=former).document["format"] == 2
    )  # so that the version before reads it, and its digest is the same
    stored = plan(policy=former).document["policy"]
    assert isinstance(stored, dict)
    assert not {"also", "asked_by"} & stored.keys()
    if asker == Asker(scheduled=asker.scheduled) and demands == PlanDemands():
        assert found == former


several = st.builds(
    lambda first, also: Policy(
        approvals=first,
        role=ROLE,
        requester_may_approve=False,
        also=tuple(Demand(role=role, approvals=count) for role, count in also.items()),
    ),
    st.integers(0, 3),
    st.dictionaries(st.sampled_from(("security", "legal")), st.integers(1, 2)),
)
held = st.fixed_dictionaries({name: st.sets(roles).map(sorted) for name in NAMES})


@given(held, several, st.permutations(NAMES), st.integers(0, len(NAMES)))
def test_one_approval_more_never_makes_it_less_approved(
    held: dict[str, list[str]], policy: Policy, order: list[str], refusing: int
) -> None:
    everyone = people(held)
    missing = policy.needed
    votes: tuple[Vote, ...] = ()
    for name in order:
        asked = {person.id for person in still_asked(operation(votes, policy=policy), everyone)}
        votes = (*votes, vote(name))
        where = approval_status(operation(policy=policy), votes, everyone)
        left = where.count if isinstance(where, Missing) else 0
        assert left == missing - (
            name in asked
        )  # each whom a card still asks brings it nearer, and nobody else does
        missing = left
    assert len(counting(operation(policy=policy), votes, everyone)) == policy.needed - missing
    vetoed = (
        *votes[:refusing],
        *(vote(each.person, Choice.REJECT) for each in votes[refusing : refusing + 1]),
    )
    where = approval_status(operation(policy=policy), vetoed, everyone)
    if isinstance(where, Vetoed):
        assert where.by == order[refusing]


@given(held, several, st.permutations(NAMES), st.permutations(NAMES))
def test_in_which_order_people_agree_does_not_matter(
    held: dict[str, list[str]], policy: Policy, one: list[str], other: list[str]
) -> None:
    everyone = people(held)
    found = [
        approval_status(operation(policy=policy), tuple(map(vote, order)), everyone) for order in (one, other)
    ]
    assert found[0] == found[1]


def test_who_holds_two_roles_stands_for_the_one_that_is_missing_and_for_one_alone() -> None:
    everyone = people({"bob": [ROLE, "security"], "dan": [ROLE], "erin": ["security"]})
    policy = Policy(
        approvals=1, role=ROLE, requester_may_approve=False, also=(Demand(role="security", approvals=1),)
    )
    both = operation((vote("bob"),), policy=policy)
    assert approval_status(both, both.votes, everyone) == Missing(1)
    assert [person.id for person in still_asked(both, everyone)] == ["dan", "erin"]
    for second, role in (("dan", "security"), ("erin", ROLE)):
        votes = (vote("bob"), vote(second))
        assert approval_status(both, votes, everyone) == Enough()
        assert counting(both, votes, everyone)["bob"] == role
    lonely = operation((vote("dan"),), policy=policy)
    assert [person.id for person in still_asked(lonely, everyone)] == ["bob", "erin"]


STAGED: dict[str, Any] = {
    "role": ROLE,
    "rule": [
        {"name": "tries", "target": "try-*", "approvals": 0},
        {"name": "production", "environment": "production", "approvals": 2, "also": {"security": 1}},
        {"environment": "staging", "requester_may_approve": True},
        {"name": "many", "min_targets": 3, "also": {"legal": 1}},
        {"min_deletions": 2, "approvals": 3},
    ],
}
LIVE, OLD = Target("Fedora-43", "azure", "1"), Target("Fedora-42", "azure", "1")
TRY, TEST = Target("try-1", "azure", "1"), Target("x-test", "azure", "1")


@pytest.mark.parametrize(
    ("change", "asked", "by"),
    [
        (Change((LIVE,)), {ROLE: 2, "security": 1}, ["rule “production” of [policy.promote]"]),
        (Change((TRY,)), {}, ["rule “tries” of [policy.promote]"]),
        (Change((TEST,)), {ROLE: 1}, ["rule #3 of [policy.promote]"]),
        (Change((Target("elsewhere"),)), {ROLE: 1}, ["[policy.promote]"]),
        (Change(()), {ROLE: 1}, ["[policy.promote]"]),
        (
            Change((TRY, LIVE)),  # the strictest of several counts for the whole
            {ROLE: 2, "security": 1},
            ["rule “tries” of [policy.promote]", "rule “production” of [policy.promote]"],
        ),
        (
            Change((TRY, Target("try-2", count=2))),  # size adds to it, also where nothing else is asked for
            {ROLE: 1, "legal": 1},
            ["rule “tries” of [policy.promote]", "rule “many” of [policy.promote]"],
        ),
        (
            Change((LIVE, OLD), (LIVE, OLD)),
            {ROLE: 3, "security": 1},
            ["rule “production” of [policy.promote]", "rule #5 of [policy.promote]"],
        ),
    ],
)
def test_the_first_rule_that_fits_counts_for_each_target_and_size_adds_to_it(
    change: Change, asked: dict[str, int], by: list[str]
) -> None:
    policy = asks(STAGED, change)
    assert {each.role: each.approvals for each in policy.demands if each.approvals} == asked
    assert [reason.by for reason in policy.asked_by] == by


def test_what_asks_for_nobody_does_not_decide_whether_the_requester_may_approve() -> None:
    assert asks(STAGED, Change((TRY, TEST))).requester_may_approve
    assert not asks(STAGED, Change((LIVE, TEST))).requester_may_approve


def test_a_rule_that_says_how_many_says_it_for_schedules_too() -> None:
    table = STAGED | {"approvals_scheduled": 0}
    assert asks(table, Change((LIVE,)), Asker(scheduled=True)).needed == 3
    assert asks(table, Change((TEST,)), Asker(scheduled=True)).needed == 0


def test_reasons_name_what_they_are_about_and_count_the_rest() -> None:
    listed = tuple(Target(f"Fedora-{number}", "azure", "1") for number in range(9))
    (reason, size) = asks(STAGED, Change(listed)).asked_by
    assert reason.asks == f"2 of {ROLE} and 1 of security"
    assert reason.about == ("azure:Fedora-0", "azure:Fedora-1", "azure:Fedora-2", "azure:Fedora-3", "5 more")
    assert size.asks == f"1 of {ROLE} and 1 of legal"
    assert in_words({}) == "nobody"


@pytest.mark.parametrize(
    ("target", "environment"),
    [
        (Target("Fedora-43", "azure.staging"), "staging"),
        (Target("Fedora-43", "AZURE"), "production"),
        (Target("a-TEST", "azure"), "staging"),  # the first that fits
        (Target("try-1", "aws"), "staging"),
        (Target("try-1", "azure"), "production"),
        (Target("try-1"), ""),
        (Target("", "aws"), "production"),
        (Target(), ""),
    ],
)
def test_something_belongs_to_the_first_environment_that_names_its_account_or_name(
    target: Target, environment: str
) -> None:
    assert environment_of(target, ENVIRONMENTS) == environment


def test_every_step_that_changes_something_in_a_cloud_says_what() -> None:
    """A rule cannot fit what it cannot tell: a step that names no target is asked for as its table says."""
    waiting = {"bake", "await-copies", "watch-boot", "end-test"}
    silent = {
        name
        for name, step in DECLARED.registry.steps.items()
        if step.step.policy_targets is Step.policy_targets
    }
    assert silent <= waiting


RULED = Policy(
    approvals=2,
    role=ROLE,
    requester_may_approve=False,
    also=(Demand(role="security", approvals=1),),
    asked_by=(PolicyReason(by="rule “x” of [policy.promote]", asks="2 of releng", about=("azure:X",)),),
)


def test_a_plan_that_rules_made_is_stored_with_why_and_comes_back_as_it_was() -> None:
    agreed = plan(policy=RULED, command="promote X")
    text = write_plan(agreed)
    assert json.loads(text)["format"] == 4
    found = read_plan(
        text, DECLARED.registry, kind="promote", requester="alice", expires_at=agreed.expires_at
    )
    assert found == agreed
    assert found.digest == agreed.digest != plan(policy=RULED.substance, command="promote X").digest


def test_another_reason_for_the_same_makes_no_plan_stale_and_another_role_does() -> None:
    agreed = plan(policy=RULED)
    assert differences(agreed, plan(policy=RULED.substance)) == ()
    assert differences(agreed, plan(policy=RULED.model_copy(update={"also": ()})))


def test_of_a_plan_under_way_the_rest_may_ask_for_less_and_not_for_more() -> None:
    both = (step(), step("43.9.0"))
    agreed = plan(policy=RULED, steps=both)
    less = plan(policy=RULED.model_copy(update={"also": (), "approvals": 0}), steps=both[1:])
    more = plan(policy=RULED.model_copy(update={"approvals": 3}), steps=both[1:])
    assert differences_left(agreed, less, 1) == ()
    assert differences_left(agreed, more, 1) == ("who must agree was changed in the configuration",)
