"""What can go wrong at a simulated cloud: a description of faults, and the registry a server asks.

Nothing here knows a cloud or a web framework. A simulator gives every request a *label* of its own making
(``PUT /subscriptions/…/versions/43.20261110.0`` at Azure, ``RunInstances`` at AWS) and asks
:meth:`Faults.take` whether something shall go wrong with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import translate
from functools import cached_property
from itertools import count

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """How a request goes wrong. “Handled” means that its effect is there."""

    THROTTLE = "throttle"  # 429 (or the cloud's own word); not handled
    REFUSE = "refuse"  # 403; not handled
    ERROR = "error"  # 500; not handled
    ERROR_AFTER = "error-after"  # handled, then 500
    UNAVAILABLE = "unavailable"  # 503; not handled
    NOT_FOUND = "not-found"  # 404, of this or of what it is in (`code`); not handled
    CONFLICT = "conflict"  # 409; not handled
    GARBAGE = "garbage"  # 200 (or `status`) with `body`, which no SDK expects; not handled
    DROP = "drop"  # the connection closes; not handled
    LOST_ANSWER = "lost-answer"  # handled, then the connection closes
    SLOW = "slow"  # `seconds` pass, then all is well
    FAR = "far"  # handled at once, and answered `seconds` after it came, as over a long way
    HOLD_BEFORE = "hold-before"  # waits until released, and is handled then
    HOLD_AFTER = "hold-after"  # handled, and the answer waits until released
    FAIL_HALFWAY = "fail-halfway"  # a long-running operation is accepted, and ends Failed
    NEVER_END = "never-end"  # a long-running operation is accepted, and goes on for ever
    NOT_DONE = "not-done"  # accepted and reported done, without any effect


class Fault(BaseModel):
    """One thing that shall go wrong, as JSON at the control API or built in a test.

    Attributes:
        kind: how.
        match: a shell pattern, case-insensitive, for the whole label; ``*`` is every request.
        after: so many matching requests pass unharmed first.
        times: so many are hit then; None for all.
        seconds: how long ``SLOW`` and ``FAR`` take; the Retry-After of ``THROTTLE`` and ``UNAVAILABLE`` (None: no
            such header).
        status: the HTTP status of an error instead of the usual one, where the cloud's code does not decide it.
        code: the cloud's error code instead of the usual one.
        message: the cloud's error message instead of the usual one.
        bare: whether the error comes without the envelope that the cloud usually puts around it.
        body: what ``GARBAGE`` answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    match: str = "*"
    after: int = Field(0, ge=0)
    times: int | None = Field(1, ge=1)
    seconds: float | None = Field(None, ge=0)
    status: int | None = Field(None, ge=400, le=599)
    code: str = ""
    message: str = ""
    bare: bool = False
    body: str = "<html><body>It works!</body></html>"


@dataclass(eq=False)
class Armed:
    """A fault in a registry.

    ``reached`` is set at its first hit (of ``HOLD_AFTER``: once the effect is there); ``release`` lets a hold
    go on, and holds nothing any more.
    """

    id: int
    fault: Fault
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    passed: int = 0
    hits: int = 0

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the label of a request must match to be hit."""
        return re.compile(translate(self.fault.match), re.IGNORECASE)

    def release(self) -> None:
        """Let what is held go on, and hold nothing any more."""
        self.released.set()

    @property
    def spent(self) -> bool:
        """Whether it has hit as often as it may."""
        return self.fault.times is not None and self.hits >= self.fault.times

    def hit_by(self, label: str) -> bool:
        """Count a request, and say whether it is hit."""
        if self.spent or not self.pattern.match(label):
            return False
        if self.passed < self.fault.after:
            self.passed += 1
            return False
        self.hits += 1
        if self.fault.kind is not FaultKind.HOLD_AFTER:  # that one is reached once the request was handled
            self.reached.set()
        return True


class Faults:
    """The faults of one simulator. Belongs to one event loop; call it from there only."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []
        self._ids = count(1)

    def __iter__(self) -> Iterator[Armed]:
        return iter(tuple(self._armed))

    def add(self, fault: Fault) -> Armed:
        """Arm a fault. Where several match a request, the one that was added first hits it, alone."""
        armed = Armed(next(self._ids), fault)
        self._armed.append(armed)
        return armed

    def get(self, fault_id: int) -> Armed | None:
        """The armed fault with this id, spent ones included."""
        return next((armed for armed in self._armed if armed.id == fault_id), None)

    def clear(self) -> None:
        """Forget all faults, and let go of all that is held."""
        for armed in self._armed:
            armed.release()
        self._armed.clear()

    def take(self, label: str) -> Armed | None:
        """The fault that hits the request with this label, if any; counts it."""
        return next((armed for armed in self._armed if armed.hit_by(label)), None)
