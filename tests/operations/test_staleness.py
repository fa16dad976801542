"""Whether a plan still holds: nothing is said of the same plan, and something of every other."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.core.model import Json
from slipway.bot.operations.model import Plan, Policy
from slipway.bot.operations.persistence.stored import read_plan, write_plan
from slipway.bot.operations.runs.staleness import DIFFERENCES_SHOWN, differences, differences_left
from slipway.bot.subjects.images.requests import Pin, Promote
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from tests.operations.builders import plan, step
from tests.support.configuration import DECLARED, ROLE

plain: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(("", "1", "43.20261118.0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
facts = st.dictionaries(st.sampled_from(("latest of X", "43.1.0 of X", "machine i-1")), plain, max_size=3)
steps = st.lists(
    st.builds(
        step,
        version=st.sampled_from(("43.1.0", "43.2.0", "43.3.0")),
        why=st.sampled_from(FlagReason),
    ),
    unique_by=lambda each: each.version,
    max_size=3,
).map(tuple)
agreements = st.builds(
    Policy, approvals=st.integers(0, 3), role=st.sampled_from((ROLE, "")), requester_may_approve=st.booleans()
)
plans = st.builds(plan, observed=facts, steps=steps, policy=agreements)


def stored(of: Plan) -> Plan:
    """The plan as it comes back from the database."""
    return read_plan(
        write_plan(of), DECLARED.registry, kind=of.kind, requester=of.requester, expires_at=of.expires_at
    )


def substance(of: Plan) -> str:
    """What people agree to, as the text that its digest is made of."""
    dumped = of.model_dump(mode="json")
    return json.dumps([dumped[name] for name in ("request", "steps", "observed", "policy")], sort_keys=True)


@given(plans)
def test_of_the_same_plan_nothing_is_said(agreed: Plan) -> None:
    reworded = agreed.model_copy(
        update={
            "summary": "other words",
            "evidence": (("Age", "3 days"),),
            "warnings": ("It is late.",),
            "expires_at": agreed.expires_at + timedelta(days=1),
        }
    )
    assert differences(agreed, agreed) == ()
    assert differences(agreed, reworded) == ()
    assert differences(agreed, stored(agreed)) == ()


@given(plans)
def test_what_a_former_version_worded_otherwise_holds_still(agreed: Plan) -> None:
    """Words are stored to show what is not known any more; of what is known, its fields are compared."""
    document = json.loads(write_plan(agreed))
    document |= {"summary": "In other words.", "warnings": ["Beware."], "evidence": [["It is", "so"]]}
    for each in document["steps"]:
        each |= {"title": "do it", "reason": "it was asked for"}
    before = read_plan(
        json.dumps(document),
        DECLARED.registry,
        kind=agreed.kind,
        requester=agreed.requester,
        expires_at=agreed.expires_at,
    )
    assert before.summary == "In other words."
    assert differences(before, agreed) == ()
    assert differences_left(before, agreed, 0) == ()


@given(plans, plans)
def test_every_change_of_substance_is_said_and_nothing_else(agreed: Plan, fresh: Plan) -> None:
    said = differences(agreed, fresh)
    assert bool(said) == (substance(agreed) != substance(fresh))
    assert len(said) <= DIFFERENCES_SHOWN + 1
    assert all(line and "\n" not in line for line in said)


@pytest.mark.parametrize(
    ("fresh", "line"),
    [
        ({"steps": ()}, "no longer planned: promote 43.20261118.0 of X"),
        ({"steps": (step(), step("43.9.0"))}, "newly planned: promote 43.9.0 of X"),
        (
            {"steps": (step(why=FlagReason.NEWEST_CANDIDATE),)},
            "planned differently: promote 43.20261118.0 of X",
        ),
        ({"observed": {"latest of X": "43.9.0"}}, "latest of X was 43.20261111.0, and is now 43.9.0"),
        ({"observed": {}}, "latest of X was 43.20261111.0, and is now not there"),
        (
            {"policy": Policy(approvals=2, role=ROLE, requester_may_approve=False)},
            "who must agree was changed in the configuration",
        ),
        (
            {"request": Promote(definition="X", pins=(Pin(definition="X", version="43.9.0"),))},
            "the plan is not the same any more",
        ),
    ],
)
def test_a_difference_reads_as_a_sentence(fresh: dict[str, Any], line: str) -> None:
    assert line in differences(plan(), plan(**fresh))


def test_flags_read_as_yes_and_no_and_lists_as_lists() -> None:
    flags: dict[str, Json] = {"state": "Succeeded", "excluded": True, "promoted in": ["eastus", "westeurope"]}
    before = plan(observed={"43.1.0 of X": flags})
    after = plan(observed={"43.1.0 of X": flags | {"excluded": False, "promoted in": []}})
    assert differences(before, after) == (
        "43.1.0 of X: excluded was yes, and is now no",
        "43.1.0 of X: promoted in was eastus, westeurope, and is now none",
    )


def test_very_many_differences_are_counted() -> None:
    many = plan(steps=tuple(step(f"43.{number}.0") for number in range(200)))
    said = differences(plan(steps=()), many)
    assert len(said) == DIFFERENCES_SHOWN + 1
    assert said[-1] == f"and {200 - DIFFERENCES_SHOWN} more differences"


@given(plans, st.integers(0, 3))
def test_what_is_done_already_need_not_be_planned_again(agreed: Plan, done: int) -> None:
    assert differences_left(agreed, agreed, done) == ()
    done = min(done, len(agreed.steps))
    gone = {f"{each.version} of X" for each in agreed.steps[:done] if isinstance(each, SetExcluded)}
    observed = {name: fact for name, fact in agreed.observed.items() if name not in gone}
    fresh = agreed.model_copy(update={"steps": agreed.steps[done:], "observed": observed})
    assert differences_left(agreed, fresh, done) == ()


def test_a_step_that_is_left_and_not_planned_any_more_is_named() -> None:
    agreed = plan(steps=(step("43.1.0"), step("43.2.0"), step("43.3.0")), observed={"a": 1, "b": 2})
    fresh = agreed.model_copy(update={"steps": (step("43.3.0"), step("43.9.0")), "observed": {"b": 3}})
    assert differences_left(agreed, fresh, 1) == (
        "no longer planned: promote 43.2.0 of X",
        "newly planned: promote 43.9.0 of X",
        "b was 2, and is now 3",
    )
