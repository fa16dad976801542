"""Checks of what stands in a declaration's fields, so that a mistake is told where the declaration is made.

Each raises DeclarationError with one sentence that names the declaration and the field.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, Self

from slipway.bot.core.errors import DeclarationError


class Declaration:
    """The base of declarations, which are dataclasses: what is left out or unknown is told in a sentence.

    Raises:
        DeclarationError: a field without a default is missing, or something is given that is no field.
    """

    def __new__(cls, *args: Any, **given: Any) -> Self:
        """Compare what is given with the fields."""
        known = {field.name: field for field in fields(cls) if field.init}  # type: ignore[arg-type]
        for name in given:
            if name not in known:
                raise DeclarationError(f"{_about(cls, args, given)} has no field {name}.")
        for name in [*known][len(args) :]:
            if name not in given and known[name].default is known[name].default_factory is MISSING:
                raise DeclarationError(f"{_about(cls, args, given)} lacks its {name}.")
        return super().__new__(cls)


def check_text(owner: str, field: str, value: object) -> None:
    """Refuse what is no text.

    Raises:
        DeclarationError: it is none.
    """
    check_type(owner, field, value, str, "a text")


def check_type(owner: str, field: str, value: object, wanted: type, words: str) -> None:
    """Refuse what is not of a type, which ``words`` names with its article.

    Raises:
        DeclarationError: it is of another type.
    """
    if not isinstance(value, wanted):
        raise DeclarationError(f"{owner} needs {words} as its {field}, and has {shown(value)}.")


def check_class(owner: str, field: str, value: object, base: type) -> None:
    """Refuse what is no subclass.

    Raises:
        DeclarationError: it is no class, or one of something else.
    """
    if not (isinstance(value, type) and issubclass(value, base)):
        raise DeclarationError(
            f"{owner} needs a subclass of {base.__name__} as its {field}, and has {shown(value)}."
        )


def check_tuple(owner: str, field: str, value: object, wanted: type) -> None:
    """Refuse what is no tuple of such entries.

    Raises:
        DeclarationError: it is no tuple, or an entry is of another type.
    """
    if not isinstance(value, tuple):
        comma = "; a tuple of one entry ends in a comma: (entry,)" if isinstance(value, wanted) else ""
        raise DeclarationError(
            f"{owner} needs a tuple of {wanted.__name__} as its {field}, and has {shown(value)}{comma}."
        )
    for entry in value:
        if not isinstance(entry, wanted):
            raise DeclarationError(
                f"{owner} needs a tuple of {wanted.__name__} as its {field}, and has {shown(entry)} in it."
            )


def check_callables(owner: str, declaration: object, names: Iterable[str]) -> None:
    """Refuse fields that cannot be called.

    Raises:
        DeclarationError: one of them cannot.
    """
    for name in names:
        value = getattr(declaration, name)
        if not callable(value):
            raise DeclarationError(f"{owner} needs a function as its {name}, and has {shown(value)}.")


def check_methods(owner: str, made: object, names: Iterable[str]) -> None:
    """Refuse a class, or an object, that lacks a method.

    Raises:
        DeclarationError: it lacks one.
    """
    for name in names:
        if not callable(getattr(made, name, None)):
            raise DeclarationError(f"{owner} lacks the method {name}: it is {shown(made)}.")


def shown(value: object) -> str:
    """A value as a sentence about a declaration names it."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if inspect.isroutine(value):
        return f"the function {value.__name__}"
    if isinstance(value, str | int | float):
        return repr(value)
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _about(cls: type, args: tuple[Any, ...], given: dict[str, Any]) -> str:
    """Which declaration it is, as far as its first field tells, which names it."""
    first = fields(cls)[0].name
    value = args[0] if args else given.get(first)
    article = "An" if cls.__name__[0] in "AEIOU" else "A"
    return f"{article} {cls.__name__}" if value is None else f"The {cls.__name__} of {first} {_plain(value)}"


def _plain(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)
