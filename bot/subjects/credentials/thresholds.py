"""How long before its end somebody is reminded of a credential: a time, or a share of its lifetime. Pure.

Certificates of the web live 200 days since March 2026, 100 from 2027, and 47 from 2029 (CA/Browser Forum, ballot
SC-081): what is right in days for a secret of two years is not for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator

from slipway.bot.core.times import format_duration, parse_duration

_SHARE = re.compile(r"(\d{1,2})%", re.ASCII)

USUAL_LIFE = timedelta(days=90)
"""Of what a share is one where nobody knows how long a credential lives."""

_FROM_BIRTH = 2 / 3
"""A time that is more than this of a whole life says nothing: it is reached about when the credential is made."""


@dataclass(frozen=True)
class Threshold:
    """So long before the end.

    Attributes:
        span: how long; None where ``share`` says it.
        share: of the lifetime, from 0 to 1.
    """

    span: timedelta | None = None
    share: float = 0.0

    def before(self, life: timedelta | None) -> timedelta:
        """How long before the end of a credential that lives so long; None for not known."""
        if self.span is not None:
            return self.span
        return (life if life is not None else USUAL_LIFE) * self.share

    def counts(self, life: timedelta | None) -> bool:
        """Whether it says anything of a credential that lives so long."""
        return self.span is None or life is None or self.span <= life * _FROM_BIRTH

    def __str__(self) -> str:
        return format_duration(self.span) if self.span is not None else f"{self.share:.0%}"


def read_threshold(value: object) -> Threshold:
    """A threshold as it is written: ``14d``, or ``33%`` of the lifetime.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, Threshold):
        return value
    if not isinstance(value, str):
        raise ValueError("write a time like 14d, or a share of the lifetime like 33%")  # noqa: TRY004 - pydantic's way
    share = _SHARE.fullmatch(value.strip())
    if share is not None and share[1].strip("0"):
        return Threshold(share=int(share[1]) / 100)
    try:
        return Threshold(span=parse_duration(value))
    except ValueError:
        raise ValueError(
            f"“{value}” is neither a time like 14d nor a share of the lifetime like 33%"
        ) from None


WrittenThreshold = Annotated[Threshold, PlainValidator(read_threshold), PlainSerializer(str)]


def in_days(*days: int) -> tuple[Threshold, ...]:
    """Thresholds of so many days each."""
    return tuple(Threshold(span=timedelta(days=each)) for each in days)


def listed(thresholds: Iterable[Threshold]) -> str:
    """Thresholds in words: ``30d, 14d, 1d``."""
    return ", ".join(map(str, thresholds))
