"""What can be made to go wrong with calls of the Web API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from tests.slack.simulator.changes import ChangeNotifier
from tests.slack.simulator.world import Json


class FaultKind(StrEnum):
    """What happens to a call."""

    RATE_LIMIT = "rate_limit"  # 429 with Retry-After
    REFUSE = "refuse"  # HTTP 200 with ok:false and an error of choice
    SERVER_ERROR = "server_error"  # 5xx, nothing done
    SLOW = "slow"  # held until released (or for some seconds), then handled
    LATE_ANSWER = "late_answer"  # handled, then its answer is held until released (or for some seconds)
    HANG = "hang"  # never answered, nothing done
    LOST_ANSWER = "lost_answer"  # handled, then the connection breaks
    BROKEN_AFTER = "broken_after"  # handled, then answered with a 5xx


@dataclass(eq=False)
class Fault:
    """One fault, waiting for its next ``times`` calls of ``method`` (``*`` is any)."""

    kind: FaultKind
    method: str
    times: int = 1
    retry_after: int = 1
    error: str = "fatal_error"
    more: Json = field(default_factory=dict)  # what else stands in the refusal
    status: int = 503
    seconds: float | None = None
    after: int = 0  # calls of the method that still go through unharmed
    happened: int = 0
    _gate: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the slow, late or hanging calls go on."""
        self._gate.set()

    async def hold(self) -> None:
        """Wait as the fault says."""
        if self.seconds is None:
            await self._gate.wait()
        else:
            await asyncio.sleep(self.seconds)


class Faults:
    """The faults that wait for their call, first come first served."""

    def __init__(self, changes: ChangeNotifier) -> None:
        self._changes = changes
        self._armed: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Arm a fault."""
        self._armed.append(fault)
        return fault

    def rate_limit(self, method: str, *, times: int = 1, retry_after: int = 1) -> Fault:
        """The next calls get 429 with this Retry-After, in seconds."""
        return self.add(Fault(FaultKind.RATE_LIMIT, method, times, retry_after=retry_after))

    def refuse(self, method: str, error: str, *, times: int = 1) -> Fault:
        """The next calls get this error of Slack's."""
        return self.add(Fault(FaultKind.REFUSE, method, times, error=error))

    def server_error(self, method: str, *, times: int = 1, status: int = 503) -> Fault:
        """The next calls get a 5xx, and nothing is done."""
        return self.add(Fault(FaultKind.SERVER_ERROR, method, times, status=status))

    def slow(self, method: str, *, times: int = 1, seconds: float | None = None) -> Fault:
        """The next calls are held until :meth:`Fault.release` (or for some seconds), then handled."""
        return self.add(Fault(FaultKind.SLOW, method, times, seconds=seconds))

    def late_answer(self, method: str, *, times: int = 1, seconds: float | None = None) -> Fault:
        """The next calls are handled, and their answer is held until :meth:`Fault.release` (or for some seconds)."""
        return self.add(Fault(FaultKind.LATE_ANSWER, method, times, seconds=seconds))

    def hang(self, method: str, *, times: int = 1) -> Fault:
        """The next calls are never answered and do nothing."""
        return self.add(Fault(FaultKind.HANG, method, times))

    def lose_answer(self, method: str, *, times: int = 1) -> Fault:
        """The next calls are handled, and then their connection breaks before the answer."""
        return self.add(Fault(FaultKind.LOST_ANSWER, method, times))

    def break_after(self, method: str, *, times: int = 1, status: int = 500) -> Fault:
        """The next calls are handled, and answered with a 5xx all the same."""
        return self.add(Fault(FaultKind.BROKEN_AFTER, method, times, status=status))

    def clear(self) -> None:
        """Everything is well again; what was held goes on."""
        for fault in self._armed:
            fault.release()
        self._armed.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that strikes this call, if any."""
        for fault in self._armed:
            if fault.method not in (method, "*"):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.happened < fault.times:
                fault.happened += 1
                self._changes.notify()
                return fault
        return None

    async def struck(self, fault: Fault, times: int = 1, within: float = 10) -> None:
        """Wait until a fault met so many calls."""
        await self._changes.until(
            lambda: fault.happened >= times, f"{fault.kind} to strike {fault.method}", within
        )
