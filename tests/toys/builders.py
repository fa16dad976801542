"""Declarations to begin with, and how a test reads what is said of one that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from slipway.bot.core.commands import Access, Command, command, dry_run
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.operations.declarations import Subject, nothing
from tests.toys.subject import ToySettings

Make = Callable[[], object]


def told(make: Make) -> str:
    """What is said of a declaration that cannot be: one sentence, on one line."""
    with pytest.raises(DeclarationError) as caught:
        make()
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def subject(**more: Any) -> Subject[Any]:
    """A subject that has nothing."""
    usual: dict[str, Any] = {"name": "things", "title": "Things", "services": nothing}
    return Subject(**usual | more)


def command_of(name: str, **more: Any) -> Command[Any]:
    """A command that takes nothing."""
    given: dict[str, Any] = {"summary": "Say it.", "examples": (name,)} | more

    async def handler(call: object) -> None:
        """Say it."""

    async def careful(call: object, dry_run: bool) -> None:
        """Do it."""

    if given.get("access") is Access.CHANGE:
        return command(name, **given)(dry_run(careful))
    return command(name, **given)(handler)


def table(**more: Any) -> SettingsTable[Any]:
    """A settings table of things."""
    usual: dict[str, Any] = {"name": "things", "model": ToySettings, "summary": "things"}
    return SettingsTable(**usual | {"shape": TableShape.SINGLE} | more)


def but(declaration: Any, **changes: Any) -> Any:
    """A declaration with parts otherwise, of whatever type these are."""
    return replace(declaration, **changes)
