"""How Slack writes its ids."""

from __future__ import annotations

import re

USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}", re.ASCII)
TEAM = re.compile(r"[TE][A-Z0-9]{2,20}", re.ASCII)
"""A workspace, or an organisation of Enterprise Grid."""

USER_GROUP = re.compile(r"S[A-Z0-9]{2,20}", re.ASCII)
UNKNOWN_WORKSPACE = "T000"
"""Stands for the workspace of somebody of whom Slack does not say it."""

ACCOUNT = re.compile(rf"[UW][A-Z0-9]{{2,20}}(/(?!{UNKNOWN_WORKSPACE}\Z)[TE][A-Z0-9]{{2,20}})?", re.ASCII)
"""A user as Slipway names them; ``/T…`` says of which other workspace they are."""

MESSAGE_TS = re.compile(r"\d{1,12}\.\d{1,9}", re.ASCII)
"""A message's ``ts``, which is its id in its channel."""


def parse_ts(value: object) -> str | None:
    """A message's ``ts``; None for what is none."""
    return value if isinstance(value, str) and MESSAGE_TS.fullmatch(value) else None


def is_user(room: str) -> bool:
    """Whether a room is named by the user in it: the direct conversation with them, which may not be open yet."""
    return room.startswith(("U", "W"))


def is_direct(room: str) -> bool:
    """Whether a room is a conversation with one person, who sees all of it."""
    return room.startswith("D") or is_user(room)
