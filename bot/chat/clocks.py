"""Whether the bot's clock agrees with those of the chat platforms.

Ages of messages, approvals and images are told by the bot's clock, so one that is wrong makes fresh messages look
old, or old ones fresh. The platforms' answers say by their ``Date`` what time it is there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.bot.core.platform_clock import WRONG_BY
from slipway.bot.core.times import format_span


def clock_problem(platform: str, ahead: timedelta | None) -> str:
    """What is wrong with the bot's clock, by a platform's, as two sentences; empty where nothing is known to be."""
    if ahead is None or abs(ahead) < WRONG_BY:
        return ""
    where = "ahead of" if ahead > timedelta() else "behind"
    then = "new messages there look old" if ahead > timedelta() else "old messages there look new"
    return (
        f"This machine's clock is {format_span(abs(ahead))} {where} that of {platform.title()}, so {then}. "
        "Set it, and let it be kept right (NTP)."
    )


def is_fresh(sent_at: datetime, now: datetime, ahead: timedelta | None, max_age: timedelta) -> bool:
    """Whether something that looks old by the bot's clock is not, by the clock of the platform that it came from."""
    return ahead is not None and ahead >= WRONG_BY and now - ahead - sent_at <= max_age
