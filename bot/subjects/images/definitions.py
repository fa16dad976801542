"""How a definition is named where several clouds may have one of the same name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from slipway.bot.clouds.model import Definition
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest

SEPARATOR = ":"


@dataclass(frozen=True)
class DefinitionRef:
    """A definition in a cloud.

    Attributes:
        cloud: the adapter's name, such as ``azure.staging``.
        name: the definition's own name.
        qualified: whether people are told the cloud, too: another one has a definition of this name.
        problem: why its versions cannot be listed, as the rest of a sentence; empty for every usual one.
    """

    cloud: str
    name: str
    qualified: bool = field(default=False, compare=False)
    problem: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.cloud}{SEPARATOR}{self.name}" if self.qualified else self.name


def split_cloud(text: str, clouds: Collection[str]) -> tuple[str | None, str]:
    """Split ``azure.staging:Fedora-*`` into cloud and name; the cloud is None where none of these is named.

    Case does not count, unless two clouds differ in nothing else.
    """
    head, separator, rest = text.partition(SEPARATOR)
    if separator:
        for cloud in sorted(clouds, key=lambda each: each != head):
            if cloud.casefold() == head.casefold():
                return cloud, rest
    return None, text


def same_name(found: Collection[DefinitionRef]) -> bool:
    """Whether these are one definition, as people name it, in one cloud or several."""
    return len({each.name.casefold() for each in found}) == 1


def is_pattern(text: str) -> bool:
    """Whether a name is meant as a shell-style pattern."""
    return any(mark in text for mark in "*?[")


def none_fits(wanted: str, name: str, here: Iterable[DefinitionRef]) -> UserError:
    """That there is no such definition, with the nearest."""
    pattern = is_pattern(name)
    plain = wanted.translate(str.maketrans("", "", "*?[]")) if pattern else wanted
    return UserError(
        f"No image definition matches {wanted}." if pattern else f"There is no image definition {wanted}.",
        nearest=nearest(plain, [str(each) for each in here]),
        given=wanted,
        hint="images",
    )


def ref_of(definition: Definition) -> DefinitionRef:
    """How a listed definition is named, as far as is known of its gallery alone."""
    return DefinitionRef(definition.cloud, definition.name, problem=definition.problem)


def qualified_names(found: Collection[DefinitionRef]) -> dict[DefinitionRef, DefinitionRef]:
    """Each by name, as people are told of it: with its cloud where another one has a definition of that name."""
    galleries_with = Counter(each.name.casefold() for each in found)
    refs = {each: replace(each, qualified=galleries_with[each.name.casefold()] > 1) for each in found}
    return dict(sorted(refs.items(), key=lambda pair: (pair[1].name, pair[1].cloud)))
