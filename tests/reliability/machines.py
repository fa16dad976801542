"""Machines in an episode, whatever cloud they are in: which there are, what was asked for, and what strangers do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class MachineAction(StrEnum):
    """What changes a machine, or takes away what belongs to none."""

    END = "the end"
    STOP = "a stop"
    START = "a start"
    REMOVE = "the removal"


@dataclass(frozen=True)
class MachineWrite:
    """A request that a cloud was to change something by: what, and which machine, volume or part of a machine."""

    action: MachineAction
    target: str


class EpisodeMachines(ABC):
    """The machines of one deployment in one cloud, beside one that is nobody's of the bot.

    Attributes:
        ended_by_strangers: machines that somebody else ended.
        made_by_strangers: machines that somebody else made, with this deployment's tags.
        bystander: a machine without the deployment's tag.
    """

    def __init__(self) -> None:
        self.ended_by_strangers: set[str] = set()
        self.made_by_strangers: set[str] = set()
        self.bystander = ""

    @abstractmethod
    async def all(self) -> Mapping[str, Mapping[str, Any]]:
        """Every machine that this deployment ever had, and the one that is none of its own, by id: ``state`` in EC2's
        words, and ``tags``."""

    @abstractmethod
    async def terminate(self, machine: str) -> None:
        """Somebody ends a machine behind the bot's back."""

    @abstractmethod
    def writes(self) -> Sequence[MachineWrite]:
        """The cloud's own log of what it was asked to change."""

    async def running(self, who: str | None = None) -> list[str]:
        """The ids of those that run, of one person or of all."""
        return await self._in_state("running", who)

    async def stopped(self, who: str) -> list[str]:
        """The ids of a person's that rest."""
        return await self._in_state("stopped", who)

    async def living(self) -> list[str]:
        """The ids of those that were launched for the bot, or that it was asked to take in, and that are not gone."""
        others = {self.bystander, *self.made_by_strangers}
        held = (await self.all()).items()
        return [key for key, each in held if each["state"] != "terminated" and key not in others]

    async def _in_state(self, state: str, who: str | None) -> list[str]:
        return sorted(
            key
            for key, each in (await self.all()).items()
            if each["state"] == state
            and key != self.bystander
            and who in (None, each["tags"].get("slipway:owner"))
        )
