"""Credentials in the words of cards. Pure; no secret, and no part of one, is here to be said."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.bot.chat.model import NONE
from slipway.bot.core.times import format_date, format_span
from slipway.bot.subjects.credentials.model import Credential, CredentialKind, State
from slipway.bot.subjects.credentials.standing import Standing

_UNKNOWN_END = frozenset({CredentialKind.APP_SECRET, CredentialKind.APP_CERTIFICATE})
"""Kinds that always have an end, so that none is one which could not be read."""


NEW_DATE = "Then write its new date in slipway.toml, and start Slipway again."
"""What is to be done about something declared, once it was renewed: nobody but slipway.toml knows of it."""


def described(credential: Credential) -> str:
    """What it is, in a few words: ``application secret “ci” of uploader``, ``declared by its age``."""
    sort = credential.kind.value
    return f"{sort.rpartition(' ')[0] or sort} {credential.title}"


def days(span: timedelta) -> str:
    """A span for a glance: days, and hours where it is less than two of them."""
    return f"{span.days} days" if span >= timedelta(days=2) else format_span(span)


def end_in_words(credential: Credential, now: datetime) -> str:
    """When it ends: a date of UTC, or why there is none."""
    if credential.ends_at is None:
        return "not told" if credential.kind in _UNKNOWN_END else "never"
    return "never" if credential.left(now) is None else format_date(credential.ends_at)


def left_in_words(credential: Credential, standing: Standing, now: datetime) -> str:
    """How long it has, and what matters about that."""
    left = credential.left(now)
    if not credential.active:
        return "inactive"
    if left is None:
        return NONE
    if left <= timedelta():
        gone = f"{days(-left)} {'too old' if credential.by_age else 'ago'}"
        return f"{gone}, left over" if standing.state is State.LEFTOVER else gone
    begins = not credential.begun(now)
    return f"{days(left)}{', begins later' if begins else ''}"


def use_in_words(credential: Credential, now: datetime) -> str:
    """When it was used last, as far as its source knows."""
    if credential.use is None:
        return NONE
    if credential.use.at is None:
        return "never"
    return f"{days(max(timedelta(), now - credential.use.at))} ago"
