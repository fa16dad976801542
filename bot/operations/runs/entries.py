"""What a run notes in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.core.uptime import ReadUptime, system_uptime
from slipway.bot.operations.audit import AuditEntry, AuditKey, StepPhase
from slipway.bot.operations.model import StepReport

_ACTOR = "slipway"


class RunEntries:
    """Makes the audit entries of runs, each as of now.

    Args:
        clock: the time.
        uptime: the same by the machine's uptime, so that a later process can tell how long ago a step began.
    """

    def __init__(self, clock: Clock, uptime: ReadUptime = system_uptime) -> None:
        self._clock = clock
        self._uptime = uptime

    def of_state(self, operation_id: str, action: str, **detail: Json) -> AuditEntry:
        """An operation began or ended."""
        return self._entry(AuditKey.of_state(operation_id, action), operation_id, action, detail)

    def of_step(self, operation_id: str, number: int, phase: StepPhase, **detail: Json) -> AuditEntry:
        """A step ended."""
        key = AuditKey.of_step(operation_id, number, phase)
        return self._entry(key, operation_id, f"step-{number}:{phase}", detail)

    def of_begin(self, operation_id: str, number: int) -> AuditEntry:
        """A step begins, now."""
        now = self._uptime()
        return self.of_step(operation_id, number, StepPhase.BEGUN, boot=now.boot, uptime=now.seconds)

    def of_report(self, operation_id: str, report: StepReport) -> AuditEntry:
        """How a step ended, with the facts that it left."""
        phase = StepPhase.FAILED if report.failure else StepPhase.DONE
        phase = StepPhase.UNKNOWN if report.unknown else phase
        words = report.failure.words if report.failure else report.done.summary if report.done else ""
        facts: dict[str, Json] = dict(report.done.facts) if report.done else {}
        return self.of_step(operation_id, report.number, phase, summary=words, **facts)

    def _entry(self, key: AuditKey, operation_id: str, action: str, detail: Mapping[str, Json]) -> AuditEntry:
        return AuditEntry(
            key=key,
            at=self._clock(),
            actor=_ACTOR,
            action=action,
            operation_id=operation_id,
            detail=tuple(detail.items()),
        )
