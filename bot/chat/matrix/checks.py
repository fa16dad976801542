"""Mistakes in [matrix], and in ids of Matrix elsewhere in slipway.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.core.addresses import check_address
from slipway.bot.core.problems import Problem, shown

_ROOM_ID = re.compile(r"![^\s:]+(?::\S+)?")
"""Since room version 12 an id names no server."""

_ALIAS = re.compile(r"#[^\s:]+:\S+")
_ACCOUNT = re.compile(r"@[^\s:]+:\S+")


def matrix_problems(matrix: MatrixSettings, secrets: bool) -> Iterator[Problem]:
    """The mistakes in ``[matrix]`` that show from the table alone; keys are given without the table's name.

    Args:
        matrix: the table.
        secrets: whether to look at secrets; not where one could not be read, which is told already.
    """
    yield from check_address("homeserver", matrix.homeserver)
    for room in matrix.rooms:
        if not (_ROOM_ID.fullmatch(room) or _ALIAS.fullmatch(room)):
            right = "write its id, like !abc:example.org, or its alias, like #releng:example.org"
            yield Problem("rooms", f"{shown(room)} is not a room; {right}")
    # None is needed: `slipway matrix login` keeps a login of its own.
    if secrets and matrix.password is not None and matrix.access_token is not None:
        yield Problem("", "a password and an access token are both given; give one of them")


def account_problem(account: str) -> str | None:
    """What is wrong with an account's id, as the rest of a sentence that begins with it."""
    if _ACCOUNT.fullmatch(account):
        return None
    return "is not a Matrix account; write it like matrix:@alice:example.org"


def room_problem(room: str) -> str | None:
    """What is wrong with a room's id, as the rest of a sentence that begins with it."""
    if _ROOM_ID.fullmatch(room):
        return None
    return "is not a room's id; write it like matrix:!abc:example.org"
