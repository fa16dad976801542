"""Whether this machine's clock is near enough to a cloud's, for `slipway doctor`."""

from __future__ import annotations

from datetime import timedelta

from slipway.bot.core.platform_clock import WRONG_BY
from slipway.bot.core.probes import Check, Verdict
from slipway.bot.core.times import format_span

_NAME = "clock"


def clock_check(title: str, ahead: timedelta | None, tolerated: timedelta) -> Check:
    """How far it is off, by the cloud's answers.

    Args:
        title: the cloud, such as ``AWS``.
        ahead: how far this machine's clock is ahead; None where no answer told.
        tolerated: how far off it may be before the cloud takes no request.
    """
    if ahead is None:
        return Check(_NAME, Verdict.UNTRIED, f"{title} did not say what time it is there.")
    if abs(ahead) < WRONG_BY:
        return Check(_NAME)
    where = "ahead of" if ahead > timedelta() else "behind"
    says = f"This machine's clock is {format_span(abs(ahead))} {where} that of {title}"
    step = "set the clock, and let it be kept right (NTP)"
    if abs(ahead) < tolerated:
        limit = f"from {format_span(tolerated)} on, {title} takes no request"
        return Check(_NAME, Verdict.WARN, f"{says}; {limit}.", step)
    return Check(_NAME, Verdict.FAIL, f"{says}, and with {format_span(tolerated)} it takes no request.", step)
