"""Mistakes in where something is told, and whom it is for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from slipway.bot.config.settings import ROLE, split_address
from slipway.bot.config.written import Written
from slipway.bot.core.problems import Problem, one_of, shown, unknown


def room_problems(key: str, address: str, written: Written) -> Iterator[Problem]:
    """What is wrong with a room to post in."""
    try:
        platform, room = split_address(address)
        chat = written.chat(platform)
    except ValueError:
        chat = None
    if chat is None:
        examples = one_of(chat.room_example for chat in written.spec.chats if chat.room_example)
        yield Problem(key, f"{shown(address)} is not a room; write it like {examples}")
        return
    if not written.has(chat):
        right = f"set {platform}.{chat.switch}" if chat.switch else f"add [{platform}]"
        yield Problem(
            key, f"the room is on {platform}, which is not configured; {right} or name another room"
        )
        return
    problem = chat.room_problem(room)
    if problem is not None:
        yield Problem(key, f"{shown(address)} {problem}")
        return
    table = getattr(written.settings, chat.platform)
    known = chat.rooms(table) if table is not None else ()
    if known and room not in known:
        yield Problem(key, unknown("room", room, known, f"Rooms on {platform}"))


def owner_problems(
    key: str, owner: str, roles: Collection[str], persons: Collection[str]
) -> Iterator[Problem]:
    """What is wrong with whom something is for: a person's id, a role, ``role:NAME`` for one that has the name of a
    person, or nothing."""
    role = owner.removeprefix(ROLE)
    if role != owner and role not in roles:
        yield Problem(key, unknown("role", role, roles, "Roles here"))
    elif role == owner and owner and owner not in {*persons, *roles}:
        yield Problem(key, unknown("person or role", owner, {*persons, *roles}, "Persons and roles here"))
