"""Reads a typed line: is it meant for the bot, which command is it, and what are its arguments."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from slipway.bot.chat.model import Address
from slipway.bot.core.text import nearest
from slipway.commands.grammar.repair import repair

LONGEST = 4_000
"""Characters of a message that may hold a command; Slack recommends no more for its own texts."""

MOST_ARGUMENTS = 64
"""Arguments a command line may have."""

_SENTENCE_ENDS = ".,!?;:…"

_SHOWN = 40  # characters of an unknown word that are said back
_SUGGESTIONS = 3
_OF_A_SENTENCE = 2  # ordinary words behind a first one that is no command

_WORD = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)([.,!?]*)", re.ASCII)
_PROSE_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_AROUND_WORDS = ".,!?;:…\"'`()“”\u2018\u2019*_~"
_EMPHASIS = re.compile(r"([*_~]{1,3})([^\n]+)\1")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_PRIVATE_KEY = "PRIVATE KEY-----"  # in the first line of every kind of file for one
_KEY_HELD = (
    "That message holds a private key, and whoever can read along has it now: take it out of use, and make "
    "another. What others may see is the public one, in the file that ends in .pub."
)
_OPEN_QUOTE = "A quotation is opened and not closed"
_QUOTED_NAME = re.compile(r"(['\"])([^'\"]+)\1")  # as a shell takes a quoted word; «…» is repaired to that
_SALUTATION = re.compile(r"\A[,:]\s*")  # what is left of “@slipway: …” without the mention

_PIECE = re.compile(
    r"""
      (?P<gap>[ \t]+)
    | \\(?P<escaped>["'\\ ])
    | (?P<plain>[^ \t"'\\]+|(?<=\w)'|\\)
    | '(?P<single>(?:[^']|(?<=\w)'(?=\w))*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    """,
    re.VERBOSE,
)
_ESCAPED_IN_DOUBLE = re.compile(r'\\(["\\])')

# Ordinary words that are one slip away from the name of a command, and more often meant as themselves.
_PROSE = frozenset({"lunch", "terminal", "cancer"})


@dataclass(frozen=True, slots=True)
class Ignored:
    """Not meant for the bot: no answer, no record."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Meant for the bot, but no command. ``nearest`` holds names that may have been meant, best first.

    ``word`` is short and printable; it is empty where the bot was addressed without a word. A ``sentence`` is no
    slip: its ``nearest`` are the names that stand in it.
    """

    word: str
    nearest: tuple[str, ...] = ()
    sentence: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A command. ``name`` is one of the given names (maybe an alias), spelt as given."""

    name: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Meant for the bot, but not a line it can read. ``reason`` is one sentence for the person."""

    reason: str

    @property
    def hint(self) -> str | None:
        """What to type next, without a prefix; None where the reason says it."""
        if self.reason == _KEY_HELD:
            return "help sshkey add"
        return None if self.reason.startswith(_OPEN_QUOTE) else "help"


Reading = Ignored | Unknown | Line | Unreadable
"""What a typed line turned out to be."""


def read_line(
    text: str,
    address: Address,
    prefix: str,
    names: Collection[str],
    verbatim: Collection[str] = (),
    phrases: Collection[str] = (),
) -> Reading:
    """Read one message.

    In a room a command needs the prefix, right before its name. In answer to a message of the bot, a command's name
    is enough. Where the bot was mentioned, or is alone with the speaker, the prefix may be left out and nothing is
    ignored. Talk that happens to start with the prefix
    is ignored, whatever it holds; a slip in a command's name is not.

    A command is one line. More lines after it are refused rather than left out: whoever pastes two commands
    must not believe that both were done.

    Args:
        text: the message, as the platform gave it; may be any string at all.
        address: how it was meant for the bot.
        prefix: what commands start with in rooms, such as ``!``.
        names: the names of all commands, aliases included.
        verbatim: those of them behind which people write prose: what follows is split at blanks alone, and quotes
            and backslashes stay. One of two words is a noun with such a verb.
        phrases: the commands of two words, a noun and a verb: the verb alone asks which noun is meant.
    """
    head = repair(text[:LONGEST])
    if address is Address.REPLY and _unemphasised(head, address, prefix).startswith(prefix):
        address = Address.ROOM
    said = _addressed(head, address, prefix)
    if said is None:
        return Ignored()
    words = said.split(maxsplit=1)
    word = words[0] if words else ""
    if address is not Address.ROOM and (quoted := _QUOTED_NAME.fullmatch(word)):
        word = quoted[2].removeprefix(prefix)
    known = {each.lower(): each for each in names}
    name = known.get(
        _CONTROL.sub("", word).lower()
    )  # they are refused in a sentence, not left without an answer
    if name is None and len(words) == 1:  # `!status?` as a sentence has it
        name = known.get(word.lower().rstrip(_SENTENCE_ENDS))
    if name is not None:
        verb = said.split(maxsplit=2)[1:2]
        prose = name in verbatim or any(f"{name} {each.lower()}" in verbatim for each in verb)
        return _command(name, text, said, prefix, verbatim=prose)
    if address is Address.REPLY:
        return Ignored()
    if address is Address.ROOM:
        near = near_misses(word, names) or _with_verb(word, phrases)
        return Unknown(_shown(word), near) if near else Ignored()
    problem = _problem(text, head)
    if problem:
        return Unreadable(problem)
    if not near_misses(word, names) and (meant := _with_verb(word, phrases)):
        return Unknown(_shown(word), meant)
    return _unknown(said, word, names)


def _with_verb(word: str, phrases: Collection[str]) -> tuple[str, ...]:
    """The commands of two words of which this is the second."""
    return tuple(each for each in phrases if each.partition(" ")[2] == word.lower())[:_SUGGESTIONS]


def _unknown(said: str, word: str, names: Collection[str]) -> Unknown:
    """What was meant by words that begin with no command, and were meant for the bot.

    In a sentence, a command's name means that command; that its first word has letters in common with a name
    (``can`` with ``cancel``) means nothing.
    """
    near = near_misses(word, names)
    others = [each.strip(_AROUND_WORDS) for each in said.split()[1:]]
    known = {each.lower(): each for each in names}
    named = tuple(dict.fromkeys(known[each.lower()] for each in others if each.lower() in known))
    prose = sum(_PROSE_WORD.fullmatch(each) is not None for each in others)
    if not near and (named or prose >= _OF_A_SENTENCE):
        return Unknown(_shown(word), named[:_SUGGESTIONS], sentence=True)
    return Unknown(_shown(word), near or (() if prose else nearest(word, names, _SUGGESTIONS)))


def near_misses(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names of which ``word`` is a slip of the finger, best first; none for other words.

    A slip is a letter too many, too few, wrong or swapped with its neighbour (two of these in names of eight
    letters or more), a hyphen too many, or punctuation behind. Names under four letters have no near misses,
    and in names of four a wrong letter is another word (``held`` is not ``help``).
    """
    match = _WORD.fullmatch(word)
    if match is None or match[1].lower() in _PROSE:
        return ()
    typed = _squashed(match[1])
    scored = []
    for name in names:
        meant = _squashed(name)
        if typed == meant:
            scored.append((0, name))
        elif _may_be_slip(typed, meant):
            distance = _distance(typed, meant)
            if distance <= _slips(meant):
                scored.append((distance, name))
    return tuple(name for _, name in sorted(scored)[:_SUGGESTIONS])


def _addressed(head: str, address: Address, prefix: str) -> str | None:
    """What was said to the bot, from the command's name on; None where it was not spoken to."""
    body = _unemphasised(head, address, prefix)
    if address is Address.ROOM:
        said = body.removeprefix(prefix)
        return said if body.startswith(prefix) and said[:1].isalnum() else None
    if not body.startswith(prefix):
        body = _SALUTATION.sub("", body, count=1)
    return body.removeprefix(prefix).strip(" \t\n")


def _unemphasised(head: str, address: Address, prefix: str) -> str:
    """The text without bold, italic or struck marks around the whole of it; patterns like ``*-43`` stay."""
    match = None if head.startswith(prefix) else _EMPHASIS.fullmatch(head)
    if match and (address is not Address.ROOM or match[2].startswith(prefix)):
        return match[2]
    return head


def _command(name: str, text: str, said: str, prefix: str, *, verbatim: bool) -> Line | Unreadable:
    problem = _problem(text, said)
    if problem:
        return Unreadable(problem)
    lines = [line for line in said.split("\n") if line.strip()]
    if len(lines) > 1:
        return Unreadable("A command is one line; send each command as a message of its own.")
    args = re.split(r"[ \t]+", lines[0].strip(" \t")) if verbatim else _arguments(lines[0])
    if args is None:
        return Unreadable(
            f"{_OPEN_QUOTE}; add the missing quote, or put \\ before it. `{prefix}help {name}` has examples."
        )
    if len(args) - 1 > MOST_ARGUMENTS and not verbatim:
        return Unreadable(f"That is {len(args) - 1:,} arguments; a command has at most {MOST_ARGUMENTS}.")
    return Line(name, tuple(args[1:]))


def _problem(text: str, repaired: str) -> str:
    """Why a message cannot be read at all, as a sentence; empty where it can."""
    if len(text) > LONGEST:
        return f"That message has {len(text):,} characters; a command has at most {LONGEST:,}."
    if _PRIVATE_KEY in repaired:
        return _KEY_HELD
    for character in repaired:
        if character in "\t\n" or character.isprintable():
            continue
        category = unicodedata.category(character)
        if category == "Cs" or (ord(character) & 0xFFFE) == 0xFFFE:
            return "That message is not valid Unicode; please type it anew."
        if category == "Cc":
            return "That message holds control characters; please type it anew, without pasting."
    return ""


def _arguments(line: str) -> list[str] | None:
    """Split like a shell, but kindly; None where a quotation has no end.

    Quotes and backslashes are POSIX's, except that an apostrophe after a letter (``doesn't``, ``users'``) is
    one, and a backslash that escapes nothing stays.
    """
    args: list[str] = []
    current: str | None = None
    position = 0
    while position < len(line):
        match = _PIECE.match(line, position)
        if match is None:
            return None
        position = match.end()
        if match.lastgroup == "gap":
            if current is not None:
                args.append(current)
            current = None
        else:
            current = (current or "") + _unquoted(match)
    return args if current is None else [*args, current]


def _unquoted(match: re.Match[str]) -> str:
    content = match[match.lastgroup or 0]
    return _ESCAPED_IN_DOUBLE.sub(r"\1", content) if match.lastgroup == "double" else content


def _shown(word: str) -> str:
    """A word as it may be said back: short, without backticks, which would end the card's own."""
    plain = word.replace("`", "")
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 1]}…"


def _squashed(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _slips(name: str) -> int:
    """How many slips a name of this length may hold and still be recognised."""
    return 0 if len(name) < 4 else 1 if len(name) < 8 else 2


def _may_be_slip(typed: str, name: str) -> bool:
    """Whether a word is alike enough in length and start: fingers rarely miss a word's first letter."""
    if abs(len(typed) - len(name)) > _slips(name):
        return False
    if len(name) == len(typed) == 4 and sorted(typed) != sorted(name):
        return False
    return typed[0] == name[0] or typed[:2] == name[1::-1]


def _distance(one: str, other: str) -> int:
    """Letters to add, drop, change or swap with their neighbour (optimal string alignment)."""
    above: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        twice_above, above, row = above, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, twice_above[j - 2] + 1)
            row.append(cost)
    return row[-1]
