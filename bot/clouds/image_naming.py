"""How the name of an image tells its version, for clouds whose images have names and no versions.

A pattern is the name with numbers left open: ``Fedora-Cloud-Base-AmazonEC2.x86_64-43-{date}.{respin}``. What the
version is made of stands beside it: ``43.{date}.{respin}``. ``{version}`` stands for a whole version. Both directions
are needed: a listing is read by names, and one version is looked up by the only name that it can have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from slipway.bot.clouds.model import VersionNumber

WHOLE = "version"
"""The part that stands for all of a version."""

_PART = re.compile(r"\{([^{}]*)\}")
_PART_NAME = re.compile(r"[a-z][a-z_]*", re.ASCII)
_FIXED = re.compile(r"[A-Za-z0-9()\[\]\x20./'@_-]*", re.ASCII)
"""What the name of an AMI may hold (Amazon EC2 API reference, RegisterImage). None of it is a wildcard."""

MOST_DIGITS = 18
"""So many digits an open number has at most; none begins with 0 but 0 itself."""

_NUMBER = rf"(?:0|[1-9]\d{{0,{MOST_DIGITS - 1}}})"
_NUMBERS = re.compile(rf"{_NUMBER}(?:\.{_NUMBER})*", re.ASCII)
_WHOLE = rf"{_NUMBER}(?:\.{_NUMBER}){{2,4}}"
_FEWEST, _MOST = 3, 5


@dataclass(frozen=True)
class NamePattern:
    """A pattern, and what a version is made of.

    Attributes:
        name: the name with its parts in braces.
        version: the version with the same parts in braces, and fixed numbers; empty for the parts in their order.
    """

    name: str
    version: str = ""

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The open parts of the name, in their order."""
        return tuple(_PART.findall(self.name))

    @cached_property
    def recipe(self) -> tuple[str, ...]:
        """What the version is made of, part by part: a number, or an open part in braces."""
        made = self.version or ".".join(f"{{{part}}}" for part in self.parts)
        return tuple(made.split("."))

    @cached_property
    def glob(self) -> str:
        """What every name of the family fits, with ``*`` for what is open."""
        return _PART.sub("*", self.name)

    @cached_property
    def expansions(self) -> tuple[tuple[str | None, ...], ...]:
        """What a name is made of, piece by piece: fixed signs, or None for a number; for a whole version one way for
        each count of numbers."""
        before, *after = pieces = _PART.split(self.name)  # fixed, open, fixed, open, …, fixed
        if self.parts != (WHOLE,):
            ways = [[None if odd % 2 else piece for odd, piece in enumerate(pieces)]]
        else:
            ways = [
                [before, *(None if odd % 2 == 0 else "." for odd in range(2 * count - 1)), after[1]]
                for count in range(_FEWEST, _MOST + 1)
            ]
        return tuple(tuple(piece for piece in way if piece != "") for way in ways)

    def problem(self) -> tuple[str, str] | None:
        """What is wrong with it: which of the two (``name`` or ``version``) and what; None where it can be used."""
        if why := self._problem_of_name():
            return "name", why
        if why := self._problem_of_version():
            return "version", why
        return None

    def number(self, name: str) -> VersionNumber | None:
        """The version that a name tells; None where the name is none of this pattern."""
        found = self._expression.fullmatch(name)
        if found is None:
            return None
        if self.parts == (WHOLE,):
            return VersionNumber.parse(found[WHOLE])
        return VersionNumber(
            *(int(found[each[1:-1]]) if each[0] == "{" else int(each) for each in self.recipe)
        )

    def name_of(self, number: VersionNumber) -> str | None:
        """The name of this version; None where the pattern can have no such version."""
        if self.parts == (WHOLE,):
            return self.name.replace(f"{{{WHOLE}}}", str(number))
        if len(number.parts) != len(self.recipe):
            return None
        given: dict[str, str] = {}
        for made, part in zip(self.recipe, number.parts, strict=True):
            if made[0] == "{":
                given[made[1:-1]] = str(part)
            elif int(made) != part:
                return None
        return _PART.sub(lambda part: given[part[1]], self.name)

    def shape(self) -> str:
        """What its versions look like, for people: ``43.DATE.RESPIN``."""
        return "MAJOR.MINOR.PATCH" if self.parts == (WHOLE,) else ".".join(self.recipe).translate(_SHOWN)

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        pieces = _PART.split(self.name)  # fixed, open, fixed, open, …, fixed
        made = [
            f"(?P<{piece}>{_WHOLE if piece == WHOLE else _NUMBER})" if odd % 2 else re.escape(piece)
            for odd, piece in enumerate(pieces)
        ]
        return re.compile("".join(made), re.ASCII)

    def _problem_of_name(self) -> str | None:
        if not self.parts:
            return "has no number left open; write those of the version in braces, like {date}.{respin}"
        if WHOLE in self.parts and len(self.parts) > 1:
            return "has {version} and other parts; it stands for the whole version, so leave the others out"
        for part in self.parts:
            if _PART_NAME.fullmatch(part) is None:
                return f"has the part {{{part}}}; a part's name holds a-z and _"
            if self.parts.count(part) > 1:
                return f"has the part {{{part}}} twice"
        if not _FIXED.fullmatch(_PART.sub("", self.name)):
            return "holds a sign that no image's name has; write letters, digits, spaces and ()[]./-'@_"
        return None

    def _problem_of_version(self) -> str | None:
        if self.parts == (WHOLE,):
            return "cannot be told apart from the name's {version}; leave it out" if self.version else None
        open_parts = [each[1:-1] for each in self.recipe if _PART.fullmatch(each)]
        fixed = [each for each in self.recipe if not _PART.fullmatch(each)]
        if any(not each or _NUMBERS.fullmatch(each) is None for each in fixed):
            return "is not made of numbers and parts between dots; write it like 43.{date}.{respin}"
        if sorted(open_parts) != sorted(self.parts):
            return "has not each part of the name once; write it like 43.{date}.{respin}"
        if not _FEWEST <= len(self.recipe) <= _MOST:
            return f"makes {len(self.recipe)} numbers of three to five; write it like 43.{{date}}.{{respin}}"
        return None


_SHOWN = {ord("{"): None, ord("}"): None} | {ord(low): low.upper() for low in "abcdefghijklmnopqrstuvwxyz"}
