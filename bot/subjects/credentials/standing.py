"""How a credential stands at a moment, and which reminder is due: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.subjects.credentials.model import Credential, State, successor
from slipway.bot.subjects.credentials.thresholds import Threshold

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """How a credential stands.

    Attributes:
        state: in a word.
        step: the reminder that is due, such as ``14d`` or ``past 3``; empty for none. One step is told once.
        successor: the one that can take its place, if there is one.
    """

    state: State
    step: str = ""
    successor: Credential | None = None


def standing(
    credential: Credential, others: Iterable[Credential], thresholds: Sequence[Threshold], now: datetime
) -> Standing:
    """How a credential stands.

    Args:
        credential: which.
        others: all that could take its place; what is of another group is passed over.
        thresholds: how long before its end somebody is reminded.
        now: the present.
    """
    after = successor(credential, others, now)
    left = credential.left(now)
    if not credential.active:
        return Standing(State.LEFTOVER, successor=after)
    if left is None:
        return Standing(State.ENDLESS)
    if left <= timedelta():
        if (
            after is not None and not credential.by_age
        ):  # it is accepted nowhere any more, and nobody misses it
            return Standing(State.LEFTOVER, successor=after)
        return Standing(State.ENDED, f"past {-left // _DAY}", after)
    reached = [
        each for each in thresholds if each.counts(credential.life) and left <= each.before(credential.life)
    ]
    if not reached:
        return Standing(State.VALID, successor=after)
    return Standing(State.ENDING, str(min(reached, key=lambda each: each.before(credential.life))), after)


def next_moment(credential: Credential, thresholds: Sequence[Threshold], now: datetime) -> datetime | None:
    """When another reminder is due, up to the end; None where none is to come."""
    ends, left = credential.ends_at, credential.left(now)
    if ends is None or left is None or not credential.active:
        return None
    spans = [each.before(credential.life) for each in thresholds if each.counts(credential.life)]
    return min((ends - span for span in (*spans, timedelta()) if left > span), default=None)


def last_threshold(credential: Credential, thresholds: Sequence[Threshold]) -> timedelta:
    """How long before its end somebody is reminded last, whatever was put off: by the last threshold, or a day before
    it, where that is later."""
    spans = [each.before(credential.life) for each in thresholds if each.counts(credential.life)]
    return min((*spans, _DAY))
