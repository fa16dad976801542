"""What one subject gives to others, none of which knows it: found by an interface, not by a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from slipway.bot.core.errors import DeclarationError

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Interface(Generic[T]):
    """Something that a subject may give to others.

    Attributes:
        name: as a person calls it.
        absent: what stands where no subject gives it.
    """

    name: str
    absent: T


class Interfaces:
    """What the subjects of one Slipway give each other. Given while their services are built, and asked for later."""

    def __init__(self) -> None:
        self._given: dict[Interface[Any], object] = {}

    def give(self, interface: Interface[T], what: T) -> None:
        """Give something to all subjects.

        Raises:
            DeclarationError: another one gives it already.
        """
        if interface in self._given:
            raise DeclarationError(f"Two subjects give {interface.name}.")
        self._given[interface] = what

    def get(self, interface: Interface[T]) -> T:
        """What was given, or what stands where nothing was."""
        return cast("T", self._given.get(interface, interface.absent))
