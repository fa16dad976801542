"""Loads what a declaration or a list names by its module, and large libraries in threads, one at a time."""

from __future__ import annotations

from importlib import import_module
from threading import Lock

from slipway.bot.core.errors import DeclarationError

LIBRARY_IMPORT = Lock()
"""Held by a thread while it imports a library for the first time. Libraries set and restore Python's warning filters
while they are imported, and these are the process's: of two at once, one undoes what the other has set, and a warning
that was to be silent (urllib3's, that there is no SOCKS) stands on the terminal."""


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
