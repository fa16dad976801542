"""HTML from Python: what is no :class:`Html` already is escaped, so that nothing that anybody said becomes markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"input", "link", "meta", "br", "hr"})


class Html(str):
    """Markup. Made by :func:`tag` and :func:`join` alone."""

    __slots__ = ()


Child = Html | str | None | Iterable["Html | str"]
"""What stands inside a tag: markup, a text, several of them, or nothing."""


def join(*children: Child) -> Html:
    """Children behind one another."""
    return Html("".join(_rendered(child) for child in children))


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """An element.

    Args:
        name: of the tag.
        children: what stands inside.
        attributes: by their names, with ``_`` for ``-`` and none at the end (``class_``). True stands alone; False
            and None are left out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def _attribute(name: str, value: str | int | bool | None) -> str:
    name = name.rstrip("_").replace("_", "-")
    match value:
        case None | False:
            return ""
        case True:
            return f" {name}"
        case _:
            return f' {name}="{escape(_visible(str(value)))}"'


def _rendered(child: Child) -> str:
    match child:
        case None:
            return ""
        case Html():
            return child
        case str():
            return escape(_visible(child))
        case _:
            return "".join(_rendered(each) for each in child)


def _visible(text: str) -> str:
    """The text without signs that would reorder or hide what stands around it, each as an escape."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else f"\\u{ord(sign):04x}" for sign in text)
