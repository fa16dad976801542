"""What people ask to be changed: a row for each kind of operation, and the line that asks for it.

``tests/test_quality.py`` holds each subject to it that each of its kinds stands here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.reliability.clouds import EpisodeClouds

T = TypeVar("T")

Line = Callable[[EpisodeClouds, float], Awaitable[str]]
"""Makes what is typed, of what is in the clouds by then and a number that picks of it; empty where nothing is."""


@dataclass(frozen=True)
class Order:
    """A change that people ask for.

    Attributes:
        kind: the kind of operation that comes of it.
        weight: how often it is asked for, beside the others.
        line: makes what is typed.
    """

    kind: str
    weight: float
    line: Line


def pick_of(found: Sequence[T], pick: float) -> T:
    """One of them, by a number below 1."""
    return found[int(pick * len(found))]


def _of_a_definition(command: str) -> Line:
    async def line(clouds: EpisodeClouds, pick: float) -> str:
        return f"!{command} {pick_of(clouds.definitions, pick)}"

    return line


async def _launch(clouds: EpisodeClouds, pick: float) -> str:
    machines = 1 + int(pick * 10) % 2
    image = pick_of(clouds.images, pick)
    profile = "arm" if "aarch64" in image else "small"
    return f"!launch {image} --profile {profile} --count {machines}"


async def _terminate(clouds: EpisodeClouds, pick: float) -> str:
    running = await clouds.running()
    return f"!terminate {pick_of(running, pick)}" if running else ""


ORDERS = (
    Order("promote", 9, _of_a_definition("promote")),
    Order("rollback", 5, _of_a_definition("rollback")),
    Order("cleanup", 3, _of_a_definition("cleanup")),
    Order("launch", 4, _launch),
    Order("terminate", 2, _terminate),
)
