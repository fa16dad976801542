"""What counts of the evidence about a version: pure rules.

The newest of each kind from each source counts. Of verdicts the newest counts, whoever gave it, and only a person can
say that a version is good. That nothing is known is never that all is well.

A number can come again: a version is deleted, and another one uploaded under its number. That the former one came up,
or that somebody called it good, says nothing of this one. What speaks against the number stays, until somebody looks
again; and so do the results of tests, which may be of the compose and so older than every upload of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.core.uptime import SET_BACK
from slipway.bot.people import is_automatic

_OF_THE_UPLOAD = frozenset({EvidenceKind.BOOT, EvidenceKind.VERDICT})
"""What is found out of a version that is there, and never before."""


@dataclass(frozen=True)
class Standing:
    """What counts of what is known of one version, the newest first."""

    counting: tuple[Evidence, ...] = ()

    @property
    def bad(self) -> Evidence | None:
        """The verdict that it is bad, which stands until a person says that it is good; None where none stands."""
        found = self.of_kind(EvidenceKind.VERDICT)
        return found[0] if found and found[0].outcome is Outcome.FAILED else None

    @property
    def failed(self) -> tuple[Evidence, ...]:
        """All that speaks against it, the newest first."""
        return tuple(each for each in self.counting if each.outcome is Outcome.FAILED)

    def of_kind(self, kind: EvidenceKind) -> tuple[Evidence, ...]:
        """What counts of one kind, the newest first."""
        return tuple(each for each in self.counting if each.kind is kind)

    def outcome(self, kind: EvidenceKind) -> Outcome | None:
        """What one kind of evidence says: FAILED where one source says so, PASSED where all of them do, None where
        there is none."""
        outcomes = {each.outcome for each in self.of_kind(kind)}
        if not outcomes:
            return None
        return Outcome.FAILED if Outcome.FAILED in outcomes else Outcome.PASSED

    def since(self, published: datetime | None) -> Standing:
        """The same for the version that was published then: without what spoke for another one that had its number.
        Clocks may differ a little."""
        if published is None:
            return self
        return Standing(
            tuple(
                each
                for each in self.counting
                if each.outcome is Outcome.FAILED
                or each.kind not in _OF_THE_UPLOAD
                or each.at >= published - SET_BACK
            )
        )


NOTHING_KNOWN = Standing()


def standing(evidence: Iterable[Evidence]) -> Standing:
    """What counts of all that was recorded about one version, in any order."""
    newest: dict[tuple[EvidenceKind, str], Evidence] = {}
    for each in sorted(evidence, key=lambda each: each.number):
        if each.kind is not EvidenceKind.VERDICT:
            newest[each.kind, each.source] = each
        elif each.outcome is Outcome.FAILED or not is_automatic(each.source):
            newest[each.kind, ""] = each
    counting = sorted(newest.values(), key=lambda each: each.number, reverse=True)
    return Standing(tuple(counting)) if counting else NOTHING_KNOWN
