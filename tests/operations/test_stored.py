"""Plans, reports and outcomes that another version of Slipway stored are read as what they are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.operations.model import (
    Failure,
    Outcome,
    Plan,
    StepReport,
    UnknownRequest,
    UnknownStep,
)
from slipway.bot.operations.persistence.stored import (
    UnknownFormatError,
    read_outcome,
    read_plan,
    read_report,
    write_plan,
)
from tests.operations.builders import SPOILT, Document, Spoil
from tests.operations.builders import plan as built_plan
from tests.operations.version_before import DATA
from tests.support.azure import ARM, ARM_CANDIDATE
from tests.support.clock import NOW
from tests.support.configuration import DECLARED, declared_with
from tests.toys.subject import TOYS, MakeToy

WITH_TOYS = declared_with(subjects=(TOYS,))


def read(stored: object) -> Plan:
    """A plan, from JSON or from any text."""
    text = stored if isinstance(stored, str) else json.dumps(stored)
    return read_plan(text, DECLARED.registry, kind="promote", requester="alice", expires_at=NOW)


def stored() -> Document:
    """A plan as this version stores it."""
    document: Document = json.loads(write_plan(built_plan(command="promote X")))
    return document


class TestPlans:
    def test_what_this_version_stored_comes_back_as_it_was(self) -> None:
        plan = built_plan(command="promote X")
        assert read(write_plan(plan)) == plan
        assert read(write_plan(plan)).digest == plan.digest
        assert plan.unknown == ""

    @pytest.mark.parametrize(("spoil", "why"), SPOILT.values(), ids=SPOILT)
    def test_what_is_not_known_says_so(self, spoil: Spoil, why: str) -> None:
        document = stored()
        spoil(document)
        plan = read(document)
        assert plan.unknown == why
        assert plan.kind == "promote"
        assert plan.summary == "X promoted."
        assert plan.command == "promote X"

    def test_a_step_of_an_unknown_kind_is_shown_by_its_own_words(self) -> None:
        document = stored()
        document["steps"].append({"format": 1, "kind": "hold-version", "title": "hold X", "reason": "asked"})
        known, unknown = read(document).steps
        assert (unknown.title, unknown.reason) == ("hold X", "asked")
        assert known == built_plan().steps[0]

    def test_a_step_of_a_newer_plan_keeps_its_words(self) -> None:
        document = stored() | {"format": 5}
        (step,) = read(document).steps
        assert isinstance(step, UnknownStep)
        assert step.title == built_plan().steps[0].title

    @pytest.mark.parametrize(
        "text", ["", "null", "[]", "3", "{", "\0", '"promote"', "{}", "[" * 100_000, '{"steps": [[]]}']
    )
    def test_garbage_is_a_plan_of_which_nothing_is_known(self, text: str) -> None:
        plan = read(text)
        assert plan.unknown == "cannot read its plan"
        assert plan.summary == "Another version of Slipway planned it."
        assert isinstance(plan.request, UnknownRequest)
        assert plan.policy.approvals == 1

    @given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
    def test_no_text_is_too_odd(self, text: str) -> None:
        assert read(text).unknown

    @given(st.data())
    def test_no_change_of_a_plan_is_too_odd(self, data: st.DataObject) -> None:
        document = stored()
        here: Any = data.draw(st.sampled_from([document, document["request"], document["steps"][0]]))
        odd = (
            st.none()
            | st.integers()
            | st.text()
            | st.lists(st.none())
            | st.dictionaries(st.text(), st.none())
        )
        here[data.draw(st.sampled_from([*here, "more"]))] = data.draw(odd)
        plan = read(document)
        assert plan.digest  # it can be shown, and compared

    def test_plans_of_format_1_are_read_and_can_be_planned_again(self) -> None:
        """As the version before stored them; its rows are in data/slipway-0.1."""
        plans = [line for line in _rows("operation") if "Fedora-Cloud-43-Arm64" in line]
        assert plans
        for row in plans:
            text = next(field for field in row.split("','") if field.startswith('{"evidence"'))
            document = json.loads(text.replace("''", "'"))
            assert "format" not in document
            plan = read(document)
            assert plan.unknown == ""
            assert plan.command == "promote Fedora-Cloud-43-Arm64"
            assert [step.title for step in plan.steps] == [f"promote {ARM_CANDIDATE} of {ARM}"]

    def test_a_toy_of_format_1_is_upgraded(self) -> None:
        document = stored() | {"kind": "toy-make", "steps": []}
        document["request"] = {"format": 1, "kind": "toy-make", "name": "horse", "paint": "blue"}
        text = json.dumps(document)
        plan = read_plan(text, WITH_TOYS.registry, kind="toy-make", requester="alice", expires_at=NOW)
        assert plan.request == MakeToy(name="horse", colour="blue")
        assert plan.document["request"] == {
            "format": 2,
            "kind": "toy-make",
            "name": "horse",
            "colour": "blue",
        }

    def test_an_upgrade_that_can_make_nothing_of_it_says_so(self) -> None:
        def refuse(_stored: Document) -> Document:
            raise UnknownFormatError

        (kind,) = TOYS.kinds
        refusing = replace(TOYS, kinds=(replace(kind, upgrades={1: refuse}),))
        registry = declared_with(subjects=(refusing,)).registry
        document = stored()
        document["request"] = {"kind": "toy-make", "name": "horse"}
        text = json.dumps(document)
        plan = read_plan(text, registry, kind="toy-make", requester="alice", expires_at=NOW)
        assert plan.unknown == "cannot read this toy-make"


def _rows(table: str) -> list[str]:
    lines = (DATA / "slipway.sql").read_text().splitlines()
    return [line for line in lines if line.startswith(f'INSERT INTO "{table}" ')]


class TestReportsAndOutcomes:
    def test_fields_of_a_newer_version_are_left_out(self) -> None:
        report = read_report('{"number": 1, "title": "t", "done": {"summary": "s"}, "speed": 3}', 1)
        assert report.done is not None
        assert (report.title, report.done.summary) == ("t", "s")
        assert read_outcome('{"summary": "s", "speed": 3}') == Outcome(summary="s")

    def test_fields_of_format_1_are_read(self) -> None:
        fault = '{"code": "", "hint": "op x", "mover": "whoever runs Slipway", "sentence": "No."}'
        outcome = read_outcome(f'{{"differences": [], "summary": "s", "trouble": {fault}}}')
        assert isinstance(outcome.failure, Failure)
        assert outcome.failure.sentence == "No."
        report = read_report(f'{{"number": 2, "title": "t", "done": null, "trouble": {fault}}}', 2)
        assert report.failure == outcome.failure

    @pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000, '{"number": {}}'])
    def test_garbage_is_said_to_be_of_another_version(self, text: str) -> None:
        assert read_report(text, 7) == StepReport(
            number=7, title="a step that another version of Slipway reported"
        )
        assert read_outcome(text).summary == "Another version of Slipway says how it ended."
