"""From a TOML document to settings: every wrong key and value is told, and what is right is kept.

What is wrong is cut out and the rest is read again, so that later checks can look at the good part and name
their mistakes in the same go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from slipway.bot.core.problems import Problem, did_you_mean, listing, shown
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.tables import Place, Plain, field_at, is_repeated, secret_places, table_at, table_in

_KINDS = {
    "string_type": 'must be text in quotes, like "abc"',
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "time_delta_type": 'must be a duration in quotes, like "90m", "2h30m" or "3d"',
    "path_type": "must be a path in quotes",
    "tuple_type": 'must be a list in brackets, like ["a", "b"]',
    "too_short": "must have at least one entry",
}
_DEEPEST = 16  # the deepest setting stands at 4
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True)
class Understood:
    """The part of a document that is right, and the mistakes in the rest."""

    settings: SlipwaySettings
    problems: tuple[Problem, ...]
    unsure_persons: int  # how many [[person]] entries had a mistake and may have lost something
    unsure_roles: bool  # whether a role had a mistake, so that its rights are not known


def plain(value: object, depth: int = 0) -> Plain:
    """The value as JSON knows it, with what no setting can be turned into text.

    That is TOML's dates and times, numbers beyond TOML's 64 bits, and what is nested deeper than any table.
    """
    if depth > _DEEPEST:
        return "…"
    match value:
        case bool() | float() | str() | None:
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else "a number beyond 64 bits"
        case list() | tuple():
            return [plain(item, depth + 1) for item in value]
        case dict():
            return {str(key): plain(item, depth + 1) for key, item in value.items()}
        case _:
            return str(value)


def understand(document: dict[str, Plain]) -> Understood:
    """Read a document that :func:`plain` made and into which the secrets were filled."""
    problems: tuple[Problem, ...] | None = None
    wrong: tuple[Place, ...] = ()
    rest: Plain = document
    while True:
        try:
            # As JSON, strictly: "3" is no number, 1 is no truth, and yet names of choices are read.
            settings = SlipwaySettings.model_validate_json(json.dumps(rest), strict=True)
        except ValidationError as error:
            details = error.errors(include_url=False)
            if problems is None:
                wrong = tuple(detail["loc"] for detail in details)
                problems = tuple(explain(detail, document) for detail in details)
            # Each round cuts at least one key or entry, so the rounds are bounded by the document's size.
            rest = without(rest, [_cut(detail) for detail in details])
        else:
            unsure_roles = any(place[0] == "roles" for place in wrong)
            unsure = {place[1] for place in wrong if place[0] == "person" and len(place) > 1}
            return Understood(settings, problems or (), len(unsure), unsure_roles)


def _cut(detail: ErrorDetails) -> Place:
    """What to take out so that this mistake is gone."""
    place = detail["loc"]
    if place[-1:] == ("[key]",) or detail["type"] == "missing":
        return place[:-1]
    return place


def without(document: Plain, places: Iterable[Place]) -> Plain:
    """The document without what stands at these places."""
    heads: dict[str | int, list[Place]] = {}
    for place in places:
        heads.setdefault(place[0], []).append(place[1:])
    gone = {head for head, tails in heads.items() if () in tails}
    if isinstance(document, dict):
        return {key: without(value, heads.get(key, ())) for key, value in document.items() if key not in gone}
    if isinstance(document, list):
        return [
            without(value, heads.get(index, ())) for index, value in enumerate(document) if index not in gone
        ]
    return document


def key_of(place: Place, document: Plain) -> str:
    """How a place is called in a problem: ``policy.promote.role``, ``person.alice.zone``, ``person #3.id``.

    Entries of ``[[…]]`` go by their id or name where it is theirs alone, and by their number otherwise.
    """
    key = ""
    here: Plain = document
    for depth, part in enumerate(place):
        if part == "[key]":
            break
        if isinstance(part, int) and isinstance(here, list):
            name = _own_name(here, part) if depth == 1 else None
            key += f".{name}" if name else f" #{part + 1}"
            here = here[part]
        else:
            key += f".{part}" if key else str(part)
            here = here.get(str(part)) if isinstance(here, dict) else None
    return key


def _own_name(entries: list[Plain], index: int) -> str | None:
    names = [entry.get("id", entry.get("name")) if isinstance(entry, dict) else None for entry in entries]
    name = names[index]
    return name if isinstance(name, str) and name and names.count(name) == 1 else None


def explain(detail: ErrorDetails, document: dict[str, Plain]) -> Problem:
    """One mistake that pydantic found, in plain words."""
    place = detail["loc"]
    key = key_of(place, document)
    if detail["type"] == "missing":
        return Problem(key, f"is missing{_right(place)}")
    if detail["type"] == "extra_forbidden":
        return Problem(key, _unknown_key(place))
    if place[-1:] == ("[key]",):
        return Problem(key, _unknown_name(str(place[-2]), detail))
    if detail["type"] == "value_error":
        return Problem(key, str(detail["ctx"]["error"]))
    value = "it is not right" if place in set(secret_places()) else f"it is {shown(detail['input'])}"
    return Problem(key, f"{value}; {_wrong(detail, place)}")


def _right(place: Place) -> str:
    field = field_at(place)
    return f"; write {field.description}" if field is not None and field.description else ""


def _unknown_key(place: Place) -> str:
    table = table_at(place[:-1])
    known = set(table.model_fields) if table is not None else set()
    for secret in secret_places():
        if secret[:-1] == place[:-1]:
            known = known - {secret[-1]} | {f"{secret[-1]}_file"}
    name = str(place[-1])
    near = did_you_mean(name, known)
    return f"there is no such key{near or '.'} Keys here: {listing(known)}"


def _unknown_name(name: str, detail: ErrorDetails) -> str:
    options = str(detail.get("ctx", {}).get("expected", "")).replace(" or ", ", ").replace("'", "")
    near = did_you_mean(name, options.split(", "))
    return f'there is no "{name}" here{near or "."} There are: {options}'


def _wrong(detail: ErrorDetails, place: Place) -> str:
    """What would be right, as an order or a rule."""
    kind, context = detail["type"], detail.get("ctx", {})
    field = field_at(place)
    if kind == "model_type" or (kind in ("tuple_type", "dict_type") and field and table_in(field)):
        return _table_shape(place)
    if kind in ("enum", "literal_error"):
        return f"must be {context['expected']}"
    if kind in ("string_pattern_mismatch", "string_too_long", "string_too_short", "too_short", "tuple_type"):
        return _right(place).removeprefix("; ") or _KINDS.get(kind, "is not right")
    for bound, words in _BOUNDS.items():
        if bound in context:
            return f"must be {words} {context[bound]}"
    return _KINDS.get(kind, detail["msg"][:1].lower() + detail["msg"][1:])


def _table_shape(place: Place) -> str:
    head = str(place[0])
    field = field_at(place[:1])
    if field is None or not is_repeated(field):
        return f"must be a table that begins with [{head}]"
    if isinstance(place[1] if len(place) > 1 else None, int) or "tuple" in str(field.annotation):
        return f"must be tables that begin with [[{head}]]"
    return f"must be tables that begin with [{head}.NAME]"
