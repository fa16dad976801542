"""How a table of slipway.toml is declared by whoever it belongs to: a subject, a cloud or a chat platform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import SecretStr

from slipway.bot.core.declared_fields import Declaration, check_callables
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Settings, leaf_types

SettingsT = TypeVar("SettingsT", bound=Settings)


class TableShape(StrEnum):
    """How often a table stands in slipway.toml."""

    SINGLE = "single"  # [name]; where it is left out, its defaults count
    OPTIONAL = "optional"  # [name], or none at all
    NAMED = "named"  # [name.NAME], any number of them
    ACCOUNTS = "accounts"  # [name], which is the unnamed one, and [name.NAME]; or none at all


@dataclass(frozen=True, eq=False)
class SettingsTable(Declaration, Generic[SettingsT]):
    """A table of slipway.toml.

    Attributes:
        name: what stands in the brackets.
        model: its class; a key that the class does not have is a mistake.
        shape: how often it may stand there.
        summary: what it says, in a few words, for the documentation.
        check: mistakes that show from several of its keys; gets a table (of several: each) and whether missing
            secrets are to be told, and gives keys without the table's own name.
        check_accounts: mistakes between the whole of it (of several: by name) and the clouds' accounts that
            slipway.toml has, such as ``azure`` and ``azure.staging``; gives whole keys.
        warnings: what is allowed and hardly meant in the whole of it, which is right; gives whole keys.
        named_roles: keys, without the table's own name, and the role that each speaks of; there has to be one of that
            name.
        named_people: keys, without the table's own name, and the person (by their id) or role that each speaks of.
    """

    name: str
    model: type[SettingsT]
    shape: TableShape
    summary: str
    check: Callable[[SettingsT, bool], Iterator[Problem]] = lambda _table, _secrets: iter(())
    check_accounts: Callable[[Any, frozenset[str]], Iterator[Problem]] = lambda _value, _accounts: iter(())
    warnings: Callable[[Any], Iterator[Problem]] = lambda _value: iter(())
    named_roles: Callable[[SettingsT], Iterable[tuple[str, str]]] = lambda _table: ()
    named_people: Callable[[SettingsT], Iterable[tuple[str, str]]] = lambda _table: ()

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise DeclarationError(f"The settings table {self.name!r} cannot be called so: use a-z and _.")
        if not self.summary:
            raise DeclarationError(f"The settings table {self.name} lacks a summary.")
        if self.shape is TableShape.NAMED and any(_holds_secret(self.model)):
            raise DeclarationError(
                f"The settings table {self.name} holds a secret, but a table of many has no environment "
                "variable that could carry it."
            )
        if self.shape is TableShape.SINGLE:
            missing = [name for name, field in self.model.model_fields.items() if field.is_required()]
            if missing:
                raise DeclarationError(
                    f"The settings table {self.name} may be left out, so {missing[0]} needs a default."
                )


@dataclass(frozen=True, eq=False)
class PersonKey(Declaration):
    """A key that a subject adds to ``[[person]]``: a list of texts, such as accounts elsewhere.

    Attributes:
        name: what it is called there.
        description: completes the sentence “write …” where it is wrong.
        check: mistakes that show in it, of all persons by their ids; gives whole keys.
    """

    name: str
    description: str
    check: Callable[[Mapping[str, tuple[str, ...]]], Iterator[Problem]]

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise DeclarationError(f"The key {self.name!r} of a person cannot be called so: use a-z and _.")
        if not self.description:
            raise DeclarationError(f"The key {self.name} of a person lacks a description.")
        check_callables(f"The key {self.name} of a person", self, ("check",))


def _holds_secret(model: type[Settings]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if SecretStr in leaf_types(field.annotation):
            yield name


AnyTable = SettingsTable[Any]
