"""The quality tables are complete, and what they call done is done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slipway.bot.clouds import simulated
from tests.conformance.harness import Capability
from tests.conformance.harnesses import modules
from tests.conformance.harnesses.memory import MemoryHarness
from tests.crash.scenarios import scenarios
from tests.reliability.orders import ORDERS
from tests.support.configuration import DECLARED, settings_of, valid_document
from tests.support.quality import ROOT, RULES, Part, PartKind, missing_evidence, parts

PARTS = parts(DECLARED)

CARDS = ROOT / "tests/slack/cards/said"
SIMULATED = Path(simulated.__file__).parent


def _harnesses(platform: str) -> Iterator[type]:
    """The conformance suite's harnesses of a platform."""
    for module in modules():
        for found in vars(module).values():
            if found is MemoryHarness:  # it stands in for the console, and is none
                continue
            its_own = isinstance(found, type) and hasattr(found, "missing")
            if its_own and getattr(found, "platform", None) == platform:
                yield found


def _has(capability: Capability) -> Callable[[Part], bool]:
    return lambda part: any(capability not in harness.missing for harness in _harnesses(part.name))  # type: ignore[attr-defined]


def _kinds(part: Part) -> set[str]:
    return {kind.name for kind in part.declaration.kinds}


def _has_golden_cards(part: Part) -> bool:
    if part.kind is PartKind.CHAT:
        return any((ROOT / "tests" / part.name / "cards").glob("*.json"))
    return any(any(CARDS.glob(f"{kind}-*.json")) for kind in _kinds(part))  # those of others look alike


def _has_probe(part: Part) -> bool:
    if part.kind is PartKind.SUBJECT:
        return bool(part.declaration.probes)
    return part.declaration.probe is not None


def _has_page(part: Part) -> bool:
    if part.kind is PartKind.CHAT:
        return (ROOT / "docs" / f"{part.name}.md").exists()
    headings = re.findall(r"^### (.*)$", (ROOT / "docs/operating.md").read_text("utf-8"), re.MULTILINE)
    return part.name in [heading.lower() for heading in headings]


CHECKS: dict[tuple[PartKind, str], Callable[[Part], bool]] = {
    (PartKind.SUBJECT, "crash-tests"): lambda part: _kinds(part) <= scenarios().keys(),
    (PartKind.SUBJECT, "long-harness"): lambda part: _kinds(part) <= {order.kind for order in ORDERS},
    (PartKind.SUBJECT, "golden-cards"): _has_golden_cards,
    (PartKind.SUBJECT, "check-lines"): lambda part: any(
        part.declaration.summary(settings_of(valid_document()))
    ),
    (PartKind.SUBJECT, "doctor-probe"): _has_probe,
    (PartKind.SUBJECT, "home-section"): lambda part: bool(part.declaration.home),
    (PartKind.CLOUD, "simulated"): lambda part: (SIMULATED / part.name).is_dir(),
    (PartKind.CLOUD, "docs-page"): _has_page,
    (PartKind.CHAT, "conformance"): lambda part: any(_harnesses(part.name)),
    (PartKind.CHAT, "said-once"): _has(Capability.SEND_FAULTS),
    (PartKind.CHAT, "offline-messages"): _has(Capability.OFFLINE_MESSAGES),
    (PartKind.CHAT, "size-limits"): _has(Capability.SIZE_LIMITS),
    (PartKind.CHAT, "golden-cards"): _has_golden_cards,
    (PartKind.CHAT, "doctor-probe"): _has_probe,
    (PartKind.CHAT, "docs-page"): _has_page,
}
"""What shows from the code whether a rule is kept; the others need evidence: tests or pages."""


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.kind} {part.name}")
class TestTable:
    def test_it_knows_every_rule_and_no_other(self, part: Part) -> None:
        assert list(part.statuses()) == list(RULES[part.kind]), f"the rules of {part.file}, in their order"

    def test_what_shows_from_the_code_is_as_it_says(self, part: Part) -> None:
        for rule, status in part.statuses().items():
            if (check := CHECKS.get((part.kind, rule))) is not None:
                assert check(part) is status.done, f"{rule} of {part.file} says otherwise"

    def test_the_rest_names_tests_or_pages_that_are_there(self, part: Part) -> None:
        for rule, status in part.statuses().items():
            shown = status.evidence or (part.kind, rule) in CHECKS or not status.done
            assert shown, f"{rule} of {part.file} is done: name the tests that show it"
            assert [gone for each in status.evidence if (gone := missing_evidence(each))] == []


def test_there_are_a_dozen_rules_or_so() -> None:
    assert all(8 <= len(rules) <= 13 for rules in RULES.values())
    assert {rule for kind, rule in CHECKS if rule not in RULES[kind]} == set()


@pytest.mark.parametrize(
    "written", ['"todo"', "true", "{ exempt = '' }", "{ done = [] }", "{ done = ['x'], exempt = 'y' }", "{}"]
)
def test_a_rule_is_done_or_exempt_with_a_reason(written: str, tmp_path: Path) -> None:
    (tmp_path / "quality.toml").write_text(f"docs-page = {written}\n")
    with pytest.raises(ValueError, match="docs-page must be"):
        Part(PartKind.CHAT, "x", tmp_path, None).statuses()


@pytest.mark.parametrize(
    ("evidence", "problem"),
    [
        ("tests/test_quality.py", None),
        ("tests/test_quality.py::test_there_are_a_dozen_rules_or_so", None),
        ("docs/operating.md#least-privilege", None),
        ("tests/nothing.py", "there is no tests/nothing.py"),
        ("tests/test_quality.py::test_nothing", "tests/test_quality.py has no test_nothing"),
        ("docs/operating.md#nothing", "docs/operating.md has no heading nothing"),
    ],
)
def test_evidence_is_looked_for(evidence: str, problem: str | None) -> None:
    assert missing_evidence(evidence) == problem
