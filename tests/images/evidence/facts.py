"""Evidence, each in one line."""

from __future__ import annotations

from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import NOW

BOOT, TESTS, VERDICT = EvidenceKind
PASSED, FAILED = Outcome

TESTER = "service:boot-tests"


def evidence(
    kind: EvidenceKind,
    outcome: Outcome,
    *,
    number: int = 0,
    source: str = "",
    version: str = CANDIDATE,
    definition: str = X64,
    cloud: str = "azure",
    summary: str = "",
    key: str = "",
) -> Evidence:
    """What somebody found out about the candidate, a verdict by alice and all else by the tester."""
    return Evidence(
        cloud=cloud,
        definition=definition,
        version=version,
        kind=kind,
        outcome=outcome,
        summary=summary,
        source=source or ("alice" if kind is VERDICT else TESTER),
        at=NOW,
        key=key or f"{kind}-{outcome}-{number}-{source}",
        number=number,
    )
