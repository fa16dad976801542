"""Evidence as people read it."""

from __future__ import annotations

from collections.abc import Callable

from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.core.times import format_date

KIND_TITLES = {
    EvidenceKind.BOOT: "Boot test",
    EvidenceKind.TESTS: "Tests",
    EvidenceKind.VERDICT: "Verdict",
}
"""What each kind is called where it is a label."""

_VERDICTS = {Outcome.PASSED: "good", Outcome.FAILED: "bad"}


def outcome_word(evidence: Evidence) -> str:
    """What was found out, in a word: ``passed``, or of a verdict ``good``."""
    if evidence.kind is EvidenceKind.VERDICT:
        return _VERDICTS[evidence.outcome]
    return evidence.outcome.value


def row_of(evidence: Evidence, name: Callable[[str], str]) -> tuple[str, str]:
    """Label and value: ``Verdict`` and ``bad, by Alice on 2026-11-30: it does not boot``.

    Args:
        evidence: what is known.
        name: what to call a source by its id.
    """
    by = f"{outcome_word(evidence)}, by {name(evidence.source)} on {format_date(evidence.at)}"
    value = f"{by}: {evidence.summary}" if evidence.summary else by
    return KIND_TITLES[evidence.kind], value


def in_words(evidence: Evidence, name: Callable[[str], str]) -> str:
    """The same in a line: ``Verdict bad, by Alice …``."""
    label, value = row_of(evidence, name)
    return f"{label} {value}"
