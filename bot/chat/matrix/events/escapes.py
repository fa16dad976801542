"""Undoes what editors of Matrix clients put into a plain body: Markdown's backslashes.

Element's rich text editor has sent one before every sign of ``!promote Fedora-Cloud-43``, and Element's composer puts
them in where a message is edited (element-x-ios issues 1629 and 1665, element-web pull request 34638).
"""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
"""Source: CommonMark 0.31, “Backslash escapes”: any ASCII punctuation may be escaped."""

_PERSONAL = frozenset("\"'\\")
"""What people escape themselves, since quotes mean something in a command."""


def undo_escapes(text: str) -> str:
    """The text as its writer typed it.

    An editor escapes a sign wherever it stands, and a backslash of the writer's own, too; where a sign stands escaped
    and plain, or nothing but quotes is escaped, a person did it, and it stays.
    """
    escaped, rest = set(_ESCAPED.findall(text)), set(_ESCAPED.sub("", text))
    if escaped <= _PERSONAL or "\\" in rest or escaped & rest:
        return text
    return _ESCAPED.sub(r"\1", text)
