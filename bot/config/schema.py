"""From a TOML document to settings: every wrong key and value is told, and what is right is kept.

What is wrong is cut out and the rest is read again, so that later checks can look at the good part and name
their mistakes in the same go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.config.document import NO_TEXT
from slipway.bot.config.http_settings import OpsSettings
from slipway.bot.config.policies.settings import PolicySettings
from slipway.bot.config.settings import PersonSettings, RoleSettings, SlipwaySettings
from slipway.bot.config.spec import ConfigSpec, KindSpec
from slipway.bot.config.tables import (
    Place,
    Plain,
    field_at,
    is_repeated,
    secrets_in,
    table_at,
    table_in,
)
from slipway.bot.core.problems import Problem, did_you_mean, listing, shown
from slipway.bot.core.settings_table import AnyTable, PersonKey, TableShape

_KINDS = {
    "string_type": NO_TEXT,
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "time_delta_type": 'must be a duration in quotes, like "90m", "2h30m" or "3d"',
    "path_type": "must be a path in quotes",
    "tuple_type": 'must be a list in brackets, like ["a", "b"]',
    "dict_type": "must be a table in braces, like { security = 1 }",
    "too_short": "must have at least one entry",
}
_OPS = ("http", "ops")
"""The one table of Slipway's own that holds a secret."""

_DEEPEST = 16  # the deepest setting stands at 4
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True)
class Understood:
    """The part of a document that is right, and the mistakes in the rest."""

    settings: SlipwaySettings
    problems: tuple[Problem, ...]
    unsure_persons: int  # how many [[person]] entries had a mistake and may have lost something
    unsure_roles: bool  # whether a role had a mistake, so that its rights are not known


@dataclass(frozen=True)
class Secret:
    """Where a secret stands: the place of its table in the document, and its own key; such as azure, client_secret.

    ``owner`` is how problems call the table where it is one of several that stand in a list: ``person.alice``.
    """

    table: Place
    name: str
    owner: str = ""

    @property
    def key(self) -> str:
        """As problems call it: ``azure.client_secret``."""
        return f"{self.owner or '.'.join(map(str, self.table))}.{self.name}"


class Schema:
    """The settings' classes, put together from what is declared."""

    def __init__(self, spec: ConfigSpec) -> None:
        self.spec = spec
        self.root = _root(spec.tables, spec.chats, spec.kinds, spec.person_keys)
        self.accounts = {table.name for table in spec.tables if table.shape is TableShape.ACCOUNTS}

    @property
    def order(self) -> tuple[str, ...]:
        """The tables in the order in which problems are told."""
        first = ("name", "state_dir", "zone", "log_format", "commands")
        platforms = {chat.platform for chat in self.spec.chats} | set(self.spec.clouds)
        outer = [table.name for table in self.spec.tables if table.name in platforms]
        rest = [table.name for table in self.spec.tables if table.name not in platforms]
        return (
            *first,
            *outer,
            "person",
            "roles",
            "environment",
            "policy",
            "step_up",
            "emergency",
            *rest,
            "schedule",
            "freeze",
            "freezes",
            "problems",
            "audit",
            "housekeeping",
            "http",
        )

    def secrets(self, document: Mapping[str, Plain]) -> Iterator[Secret]:
        """Where secrets may stand in a document, each account's own included."""
        yield from (Secret(_OPS, name) for name in secrets_in(OpsSettings))
        for table in self.spec.tables:
            names = tuple(secrets_in(table.model))
            for path in self._paths(table, document) if names else ():
                yield from (Secret(path, name) for name in names)
        persons = document.get("person")
        for number, entry in enumerate(persons if isinstance(persons, list) else ()):
            if isinstance(entry, dict):
                place = ("person", number)
                owner = key_of(place, document)
                yield from (Secret(place, name, owner) for name in secrets_in(PersonSettings))

    def _paths(self, table: AnyTable, document: Mapping[str, Plain]) -> Iterator[tuple[str, ...]]:
        here = document.get(table.name)
        if table.shape is TableShape.ACCOUNTS and isinstance(here, dict):
            accounts = _accounts_of(here, table)
            if table.name in accounts:
                yield (table.name,)
            yield from ((table.name, key) for key in here if f"{table.name}.{key}" in accounts)
        elif table.shape is not TableShape.NAMED:
            yield (table.name,)

    def by_account(self, document: dict[str, Plain]) -> dict[str, Plain]:
        """The document with the accounts of each cloud by their names, as the classes have them."""
        tables = {table.name: table for table in self.spec.tables}
        return {
            key: _accounts_of(value, tables[key])
            if key in self.accounts and isinstance(value, dict)
            else value
            for key, value in document.items()
        }

    def accounts_in(self, document: dict[str, Plain]) -> frozenset[str]:
        """The names of the clouds' accounts that a document speaks of, rightly or wrongly."""
        tables = self.by_account(document)
        here = ((name, tables[name]) for name in self.accounts if name in tables)
        return frozenset(
            key for name, table in here for key in (table if isinstance(table, dict) else [name])
        )

    def as_written(self, place: Place) -> Place:
        """A place among the classes as a place in the document."""
        if place and place[0] in self.accounts and len(place) > 1:
            return (*str(place[1]).split("."), *place[2:])
        return place


def _accounts_of(table: dict[str, Plain], declared: AnyTable) -> dict[str, Plain]:
    """The accounts in a cloud's table: the unnamed one by the table's name, ``[azure.NAME]`` by ``azure.NAME``."""
    fields = set(declared.model.model_fields) | {f"{name}_file" for name in secrets_in(declared.model)}
    named = {key: value for key, value in table.items() if isinstance(value, dict) and key not in fields}
    own: dict[str, Plain] = {key: value for key, value in table.items() if key not in named}
    unnamed: dict[str, Plain] = {declared.name: own} if own or not named else {}
    return unnamed | {f"{declared.name}.{key}": value for key, value in named.items()}


@lru_cache(maxsize=8)
def _root(
    tables: tuple[AnyTable, ...],
    chats: tuple[ChatDeclaration[Any], ...],
    declared_kinds: tuple[KindSpec, ...],
    declared_keys: tuple[PersonKey, ...],
) -> type[SlipwaySettings]:
    """The class of all settings. Building it takes longer than reading a configuration, and one process may read
    several by the same declarations."""
    fields: dict[str, Any] = {}
    for table in tables:
        match table.shape:
            case TableShape.SINGLE:
                fields[table.name] = (table.model, table.model())
            case TableShape.OPTIONAL:
                fields[table.name] = (table.model | None, None)
            case TableShape.NAMED | TableShape.ACCOUNTS:
                fields[table.name] = (dict[str, table.model], Field(default_factory=dict))  # type: ignore[name-defined]
    group_keys: dict[str, Any] = {chat.group_key: (tuple[str, ...], ()) for chat in chats if chat.group_key}
    role = create_model("RoleSettings", __base__=RoleSettings, **group_keys)
    fields["roles"] = (dict[str, role], Field(default_factory=dict))
    person_keys: dict[str, Any] = {
        key.name: (tuple[str, ...], Field((), description=key.description)) for key in declared_keys
    }
    person = create_model("PersonSettings", __base__=PersonSettings, **person_keys)
    fields["person"] = (tuple[person, ...], ())
    kinds = Literal[tuple(kind.name for kind in declared_kinds)] if declared_kinds else str
    fields["policy"] = (dict[kinds, PolicySettings], Field(default_factory=dict))  # type: ignore[valid-type]
    return create_model("SlipwaySettings", __base__=SlipwaySettings, **fields)


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


def understand(schema: Schema, document: dict[str, Plain]) -> Understood:
    """Read a document that :func:`plain` made and into which the secrets were filled."""
    problems: tuple[Problem, ...] | None = None
    wrong: tuple[Place, ...] = ()
    rest: Plain = schema.by_account(document)
    while True:
        try:
            # As JSON, strictly: "3" is no number, 1 is no truth, and yet names of choices are read.
            settings = schema.root.model_validate_json(json.dumps(rest), strict=True)
        except ValidationError as error:
            details = _by_place(error.errors(include_url=False), rest)
            if problems is None:
                wrong = tuple(detail["loc"] for detail in details)
                problems = tuple(explain(schema, detail, document) for detail in details)
            # Each round cuts at least one key or entry, so the rounds are bounded by the document's size.
            rest = without(rest, [_cut(detail) for detail in details])
        else:
            unsure_roles = any(place[0] == "roles" for place in wrong)
            unsure = {place[1] for place in wrong if place[0] == "person" and len(place) > 1}
            return Understood(settings, problems or (), len(unsure), unsure_roles)


def _by_place(details: Iterable[ErrorDetails], document: Plain) -> list[ErrorDetails]:
    """Mistakes at places that are there: of a value that may have several forms pydantic tells each form's, at places
    that end in names of forms; the first of them stands for all."""
    found: dict[Place, ErrorDetails] = {}
    for index, detail in enumerate(details):
        place = detail["loc"]
        there = place
        if detail["type"] != "missing" and "[key]" not in place:
            there = place[: _depth(document, place)]
        found.setdefault(there if there != place else (*place, index), {**detail, "loc": there})
    return list(found.values())


def _depth(document: Plain, place: Place) -> int:
    """How many parts of a place lead to something in the document."""
    here = document
    for depth, part in enumerate(place):
        if isinstance(here, dict) and part in here:
            here = here[str(part)]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            return depth
    return len(place)


def _cut(detail: ErrorDetails) -> Place:
    """What to take out so that this mistake is gone."""
    place, kind = detail["loc"], detail["type"]
    # A key that is wrong itself ends in a mark of pydantic's; a key that nobody knows may be spelt like that mark.
    if kind == "missing" or (place[-1:] == ("[key]",) and kind != "extra_forbidden"):
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


def key_of(place: Place, document: Plain | Mapping[str, Plain]) -> str:
    """How a place is called in a problem: ``policy.promote.role``, ``person.alice.zone``, ``person #3.id``.

    Entries of ``[[…]]`` go by their id or name where it is theirs alone, and by their number otherwise.
    """
    key = ""
    here: Plain | Mapping[str, Plain] = document
    for depth, part in enumerate(place):
        if part == "[key]" and not (isinstance(here, dict) and part in here):
            break  # pydantic's mark for what it says of a key itself
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


def explain(schema: Schema, detail: ErrorDetails, document: dict[str, Plain]) -> Problem:
    """One mistake that pydantic found, in plain words."""
    place, root = detail["loc"], schema.root
    written = schema.as_written(place)
    key = key_of(written, document)
    if detail["type"] == "missing":
        return Problem(key, f"is missing{_right(root, place)}")
    if detail["type"] == "extra_forbidden":
        return Problem(key, _unknown_key(schema, place, document))
    if place[-1:] == ("[key]",):
        return Problem(key, _unknown_name(str(place[-2]), detail))
    if detail["type"] == "value_error":
        return Problem(key, str(detail["ctx"]["error"]))
    secret = any((*secret.table, secret.name) == written for secret in schema.secrets(document))
    value = "it is not right" if secret else f"it is {shown(detail['input'])}"
    return Problem(key, f"{value}; {_wrong(schema, detail, place)}")


def _right(root: type[SlipwaySettings], place: Place) -> str:
    field = field_at(root, place)
    return f"; write {field.description}" if field is not None and field.description else ""


def _unknown_key(schema: Schema, place: Place, document: dict[str, Plain]) -> str:
    table = table_at(schema.root, place[:-1])
    known = set(table.model_fields) if table is not None else set()
    written = schema.as_written(place)
    for secret in schema.secrets(document):
        if secret.table == written[:-1]:
            known = known - {secret.name} | {f"{secret.name}_file"}
    near = did_you_mean(str(place[-1]), known)
    return f"there is no such key{near or '.'} Keys here: {listing(known)}"


def _unknown_name(name: str, detail: ErrorDetails) -> str:
    options = str(detail.get("ctx", {}).get("expected", "")).replace(" or ", ", ").replace("'", "")
    near = did_you_mean(name, options.split(", "))
    return f'there is no "{name}" here{near or "."} There are: {options}'


def _wrong(schema: Schema, detail: ErrorDetails, place: Place) -> str:
    """What would be right, as an order or a rule."""
    kind, context = detail["type"], detail.get("ctx", {})
    field = field_at(schema.root, place)
    if kind == "model_type" or (kind in ("tuple_type", "dict_type") and field and table_in(field)):
        return _table_shape(schema, place)
    if kind in ("enum", "literal_error"):
        return f"must be {context['expected']}"
    if kind in ("string_pattern_mismatch", "string_too_long", "string_too_short", "too_short", "tuple_type"):
        return _right(schema.root, place).removeprefix("; ") or _KINDS.get(kind, "is not right")
    for bound, words in _BOUNDS.items():
        if bound in context:
            return f"must be {words} {context[bound]}"
    return _KINDS.get(kind, detail["msg"][:1].lower() + detail["msg"][1:])


def _table_shape(schema: Schema, place: Place) -> str:
    head = str(place[0])
    field = field_at(schema.root, place[:1])
    inner = field_at(schema.root, place[:3]) if len(place) > 2 else None
    if inner is not None and inner is not field and "tuple" in str(inner.annotation):
        return f"must be tables that begin with [[{'.'.join(map(str, place[:3]))}]]"
    if field is None or not is_repeated(field) or head in schema.accounts:
        return f"must be a table that begins with [{head}]"
    if isinstance(place[1] if len(place) > 1 else None, int) or "tuple" in str(field.annotation):
        return f"must be tables that begin with [[{head}]]"
    return f"must be tables that begin with [{head}.NAME]"
