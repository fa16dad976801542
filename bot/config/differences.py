"""What two configurations have different, in words; and what of that a reload takes in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from slipway.bot.config.settings import PersonSettings, ScheduleSettings, SlipwaySettings
from slipway.bot.core.problems import one_line
from slipway.bot.core.settings import Settings
from slipway.bot.core.times import format_duration

RELOADED = frozenset({"person", "roles", "policy", "environment", "schedule"})
"""The tables that a reload takes in. A change of any other key takes a restart."""

_OF_A_PERSON = frozenset({"id", "name", "identities", "roles", "zone", "local_users"})
"""Keys of a person that a reload takes in. Secrets, and what subjects add to a person, take a restart."""

_LONGEST = 80

_NOTHING = object()

Leaf = tuple[str, ...]


@dataclass(frozen=True)
class Differences:
    """What is different.

    Attributes:
        taken: what a reload takes in, a few words each.
        restart: the keys that take a restart.
    """

    taken: tuple[str, ...]
    restart: tuple[str, ...]


def differences(before: SlipwaySettings, after: SlipwaySettings) -> Differences:
    """Compare two configurations."""
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    taken: dict[str, None] = {}
    restart: dict[str, None] = {}
    for leaf in dict.fromkeys((*old, *new)):
        was, now = old.get(leaf, _NOTHING), new.get(leaf, _NOTHING)
        if was == now:
            continue
        entry = _entry(leaf)
        if not _is_taken(leaf):
            if not _comes_or_goes_with_it(leaf, old, new):
                restart[".".join(leaf)] = None
        elif entry is not None and not any(each[: len(entry)] == entry for each in old):
            taken[f"{'.'.join(entry)} is new"] = None
            if entry[0] == "person":
                taken[f"{'.'.join(entry)}.roles: {_shown(new.get((*entry, 'roles'), ()))}"] = None
        elif entry is not None and not any(each[: len(entry)] == entry for each in new):
            taken[f"{'.'.join(entry)} is gone"] = None
        else:
            taken[f"{'.'.join(leaf)}: {_shown(was)} → {_shown(now)}"] = None
    return Differences(tuple(taken), tuple(restart))


def _comes_or_goes_with_it(leaf: Leaf, old: Mapping[Leaf, object], new: Mapping[Leaf, object]) -> bool:
    """Whether a key that takes a restart belongs to somebody, or a role, that is gone; or is new with it, and says
    nothing."""
    entry = _entry(leaf)
    if entry is None:
        return False
    gone = not any(each[: len(entry)] == entry for each in new)
    return gone or (leaf not in old and not new.get(leaf))


def merged(before: SlipwaySettings, after: SlipwaySettings) -> SlipwaySettings:
    """The configuration that counts after a reload: what it takes in of the new one, all else of the old one."""
    fields = {name: getattr(after, name) for name in RELOADED if name in type(after).model_fields}
    return before.model_copy(update=fields)


def _is_taken(leaf: Leaf) -> bool:
    if leaf[0] not in RELOADED:
        return False
    if leaf[0] == "person":
        return len(leaf) < 3 or leaf[2] in _OF_A_PERSON
    if leaf[0] == "roles":  # user groups are fetched by the adapter, which was told at the start which
        return len(leaf) < 3 or not leaf[2].endswith("_groups")
    return True


def _entry(leaf: Leaf) -> Leaf | None:
    """The person, role, policy or schedule that a key belongs to."""
    return leaf[:2] if leaf[0] in RELOADED and len(leaf) > 1 else None


def _leaves(value: object, path: Leaf) -> Iterator[tuple[Leaf, object]]:
    """Every value of a configuration by its keys; of lists of people and schedules by their ids and names."""
    match value:
        case Settings():
            for name in type(value).model_fields:
                yield from _leaves(getattr(value, name), (*path, name))
        case Mapping() if _is_of_tables(value.values()):
            for name, each in value.items():
                yield from _leaves(each, (*path, str(name)))
        case tuple() if value and all(isinstance(each, PersonSettings | ScheduleSettings) for each in value):
            for each in value:
                name = each.id if isinstance(each, PersonSettings) else each.name
                yield from _leaves(each, (*path, name))
        case _:
            if path and not (value == () and path[0] in ("person", "schedule") and len(path) == 1):
                yield path, value


def _is_of_tables(values: Iterable[object]) -> bool:
    held = list(values)
    return bool(held) and all(isinstance(each, Settings) for each in held)


def _shown(value: Any) -> str:
    """A value in a line; never a secret."""
    if value is _NOTHING:
        return "nothing"
    if isinstance(value, SecretStr):
        return "a secret"
    if isinstance(value, timedelta):
        return format_duration(value)
    several = isinstance(value, tuple | list | frozenset)
    text = one_line((", ".join(map(_shown, value)) or "none") if several else str(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
