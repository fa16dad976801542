"""What `slipway init` knows so far, as it was answered or said by flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from slipway.bot.chat.declaration import ChatDeclaration


@dataclass
class Answers:
    """What is known so far.

    Attributes:
        chats: the platforms to work in.
        clouds: the clouds to work in.
        values: settings by their keys, as they were typed.
        accounts: persons by id, with their accounts, as they were typed.
        everybody: whether there are no more persons.
        own_approval: whether the only person may approve what they asked for themselves.
        schedules: whether the example's schedules are switched on.
    """

    chats: list[str] = field(default_factory=list)
    clouds: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, list[str]] = field(default_factory=dict)
    everybody: bool = False
    own_approval: bool = False
    schedules: bool = False


def listed(said: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(filter(None, (each.strip() for each in said.split(","))))


def is_on(chat: ChatDeclaration[Any], account: str) -> bool:
    """Whether an account is one of this platform, as it was typed."""
    return account.startswith(f"{chat.platform}:")


def is_about(problem: str, key: str) -> bool:
    """Whether a mistake is about a setting, a person, or what stands below it."""
    return problem.startswith((f"{key}:", f"{key} #", f"{key}."))
