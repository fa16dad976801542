"""How a definition is named where several clouds may have one of the same name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

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
