"""What is asked for has to have passed. That nothing is known is not that it passed."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.ports.image_evidence import EvidenceKind, Outcome
from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName

_LACKING = {
    EvidenceKind.BOOT: "has no boot test",
    EvidenceKind.TESTS: "has no test results",
    EvidenceKind.VERDICT: "was called good by nobody",
}
FAILED_WORDS = {
    EvidenceKind.BOOT: "failed its boot test",
    EvidenceKind.TESTS: "failed its tests",
    EvidenceKind.VERDICT: "is said to be bad",
}
"""That a version failed by evidence of a kind, as the rest of a sentence about it."""


def why_not(facts: Facts) -> Broken | None:
    """Not before each kind of evidence that is asked for is there, and passed."""
    found = {kind: facts.evidence.outcome(kind) for kind in dict.fromkeys(facts.wanted.evidence)}
    wrong = [
        _LACKING[kind] if outcome is None else FAILED_WORDS[kind]
        for kind, outcome in found.items()
        if outcome is not Outcome.PASSED
    ]
    if not wrong:
        return None
    return Broken(RuleName.EVIDENCE, " and ".join(wrong), _remedy(found, facts.image))


def _remedy(found: Mapping[EvidenceKind, Outcome | None], image: str) -> str:
    """What brings what is lacking: a boot test first, since nobody calls good what does not boot. What failed is to
    be looked at."""
    if found.get(EvidenceKind.BOOT, Outcome.PASSED) is None:
        return f"test {image}"
    if found.get(EvidenceKind.VERDICT, Outcome.PASSED) is not Outcome.PASSED:
        return f"good {image}"
    return f"images {image}"
