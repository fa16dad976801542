"""What doctor found, as a tree for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipway.bot.chat.model import SYMBOLS, Tone
from slipway.bot.core.probes import Check, Finding, Verdict

FORMAT = 1
"""Of the JSON: raised where a field changes its meaning."""

_SYMBOLS = {
    Verdict.PASS: SYMBOLS[Tone.DONE],
    Verdict.UNTRIED: SYMBOLS[Tone.INFO],
    Verdict.WARN: SYMBOLS[Tone.WARNING],
    Verdict.FAIL: SYMBOLS[Tone.FAILED],
}
_INDENT = "    "


def part_lines(parts: Sequence[Check], depth: int = 1) -> Iterator[str]:
    """What is wrong below a finding, each in its place, with what to do once for all that need the same; of what is
    well, how much there is."""
    steps: dict[str, None] = {}
    for part in parts:
        yield from _lines(part, depth, steps)
    for step in steps:
        yield f"{_INDENT * depth}Next: {step}"


def _lines(check: Check, depth: int, steps: dict[str, None]) -> Iterator[str]:
    verdict = check.verdict
    if check.own in (Verdict.WARN, Verdict.FAIL) and check.next:
        steps[check.next] = None
    yield f"{_INDENT * depth}{_SYMBOLS[verdict]} {check.name}{_said(check)}"
    for part in check.parts:
        if part.verdict in (Verdict.WARN, Verdict.FAIL):
            yield from _lines(part, depth + 1, steps)


def _said(check: Check) -> str:
    """Its own words, and the count of what it consists of."""
    words = check.says.rstrip(".")
    if check.parts:
        leaves = list(check.leaves())
        held = sum(leaf.verdict is Verdict.PASS for leaf in leaves)
        untried = sum(leaf.verdict is Verdict.UNTRIED for leaf in leaves)
        count = f"{held} of {len(leaves)} are well"
        if untried:
            count += f", {untried} {'was' if untried == 1 else 'were'} not tried"
        words = f"{count} ({words})" if words else count
    return f": {words}" if words else ""


def as_json(
    findings: Sequence[Finding], sources: Mapping[str, str], skipped: Sequence[str]
) -> dict[str, Any]:
    """All of it as a tree; names and verdicts are stable."""
    verdicts = [each.verdict for each in findings]
    worst = max(verdicts, key=tuple(Verdict).index, default=Verdict.PASS)
    return {
        "format": FORMAT,
        "verdict": worst.value,
        "skipped": list(skipped),
        "checks": [_finding(each, sources) for each in findings],
    }


def _finding(finding: Finding, sources: Mapping[str, str]) -> dict[str, Any]:
    own = [
        f"{key} from {source}" for key, source in sources.items() if key.rpartition(".")[0] == finding.what
    ]
    return {
        "name": finding.what,
        "verdict": finding.verdict.value,
        "connection": finding.connection,
        "says": finding.detail,
        "by": [*filter(None, (finding.by,)), *own],
        "problems": list(finding.problems),
        "warnings": list(finding.warnings),
        "next": finding.next,
        "checks": [_check(each) for each in finding.parts],
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "says": check.says,
        "next": check.next,
        "checks": [_check(each) for each in check.parts],
    }
