"""Loads what a declaration or a list names by its module."""

from __future__ import annotations

from importlib import import_module

from slipway.bot.core.errors import DeclarationError


def load_attribute(module: str, name: str, missing: str) -> object:
    """What a module holds under a name; None where it holds nothing there.

    Args:
        module: its full name.
        name: the attribute.
        missing: the sentence for whoever named a module that is not there.

    Raises:
        DeclarationError: there is no such module.
        ModuleNotFoundError: the module is there, and a library that it needs is not.
    """
    try:
        return getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise DeclarationError(missing) from error
