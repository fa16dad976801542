"""Mistakes in the configuration, as sentences: the key, what is wrong, what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_SHOWN = 60  # characters of a wrong value that are shown


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where (``policy.promote.role``, and its line if known), what is wrong, what would be right."""

    key: str
    said: str
    line: int | None = None

    def __str__(self) -> str:
        place = f" (line {self.line})" if self.line is not None else ""
        return one_line(f"{self.key}{place}: {self.said}")


def one_line(text: str) -> str:
    """The text with everything that would break a line or a terminal written as an escape."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)


def shown(value: object) -> str:
    """A wrong value as its file has it, shortened. Never call it with a secret."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = f'"{value}"'
        case list() | tuple():
            return "a list" if value else "an empty list"
        case dict():
            return "a table"
        case _:
            text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """`` did you mean "releng"?`` with a leading separator, or nothing where no option is near."""
    near = get_close_matches(name[:200], list(options), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def listing(words: Iterable[str], none: str = "none") -> str:
    """Names after one another, in alphabetical order: ``admin, releng``."""
    return ", ".join(sorted(words)) or none


def one_of(words: Iterable[str]) -> str:
    """Names of which one will do: ``[matrix] or [slack]``."""
    *most, last = tuple(words) or ("nothing",)
    return f"{', '.join(most)} or {last}" if most else last


def unknown(what: str, name: str, options: Iterable[str], called: str) -> str:
    """The sentence for a name that does not exist: what was meant perhaps, and which there are.

    Args:
        what: the sort of thing, such as ``role``.
        name: what was written.
        options: what could have been written.
        called: how the list of options is introduced, such as ``Roles here``.
    """
    choices = tuple(options)
    near = did_you_mean(name, choices)
    return f'there is no {what} "{name}"{near or "."} {called}: {listing(choices)}'


def in_order(problems: Iterable[Problem], tables: Sequence[str]) -> tuple[str, ...]:
    """The lines of all problems, table by table in the given order, each line once."""

    def place(problem: Problem) -> int:
        table = problem.key.replace(" ", ".").split(".", 1)[0].strip("[]")
        return tables.index(table) if table in tables else -1

    return tuple(dict.fromkeys(str(problem) for problem in sorted(problems, key=place)))


def render_problems(problems: Sequence[str], consequence: str = "") -> str:
    """All problems for a terminal: how many there are and what comes of that, then one a line."""
    count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    lines = "\n".join(f"  ✘ {one_line(problem)}" for problem in problems)
    return f"The configuration has {count}.{consequence and f' {consequence}'}\n{lines}"
