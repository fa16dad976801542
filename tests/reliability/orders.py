"""What people ask to be changed: a row for each kind of operation and cloud, and the line that asks for it.

``tests/test_quality.py`` holds each subject to it that each of its kinds stands here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from slipway.bot.subjects.machines.keys.public_key import read_key
from tests.reliability.azure_machines import PROFILES
from tests.reliability.clouds import EpisodeClouds
from tests.reliability.options import ALICE, BOB, RELENG
from tests.support.ssh_keys import ed25519

T = TypeVar("T")

KEYS = 3
"""How many public keys people have between them."""

Line = Callable[[EpisodeClouds, str, float], Awaitable[str]]
"""Makes what is typed, of what is in the clouds by then, who types it, and a number that picks of it; empty where
nothing is."""


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


def _of_a_definition(command: str, words: str = "") -> Line:
    async def line(clouds: EpisodeClouds, _who: str, pick: float) -> str:
        return f"!{command} {pick_of(clouds.definitions, pick)}{words}"

    return line


def _verdict(command: str, words: str) -> Line:
    async def line(clouds: EpisodeClouds, _who: str, pick: float) -> str:
        definition = pick_of(clouds.definitions, pick)
        version = pick_of(sorted(clouds.versions(definition)), pick * 10 % 1)
        return f"!{command} {definition}/{version} {words}"

    return line


async def _restore(clouds: EpisodeClouds, _who: str, pick: float) -> str:
    """Of a definition of which nothing was deleted, what is there; the bot says so then."""
    definition = pick_of(clouds.definitions, pick)
    found = clouds.deleted_candidates(definition) or sorted(clouds.versions(definition))
    return f"!restore {definition}/{pick_of(found, pick * 10 % 1)}"


async def _launch(clouds: EpisodeClouds, _who: str, pick: float) -> str:
    image = pick_of(clouds.images, pick)
    return _launch_of(image, "arm" if "aarch64" in image else "small", pick)


async def _launch_on_azure(clouds: EpisodeClouds, _who: str, pick: float) -> str:
    profile = pick_of(tuple(PROFILES), pick * 1000 % 1)
    return _launch_of(pick_of(clouds.definitions, pick), profile, pick)


def _launch_of(image: str, profile: str, pick: float) -> str:
    machines = 1 + int(pick * 10) % 2
    lasts = pick_of(("", " --for 20m", " --for 1h"), pick * 100 % 1)
    return f"!launch {image} --profile {profile} --count {machines}{lasts}"


def _of_a_machine(line: str, *, mine: bool = True) -> Line:
    """About a machine that runs: of whoever types it where they have one, else of anybody."""

    async def typed(clouds: EpisodeClouds, who: str, pick: float) -> str:
        running = (await clouds.running(who) if mine else []) or await clouds.running()
        return line.format(pick_of(running, pick)) if running else ""

    return typed


async def _start(clouds: EpisodeClouds, who: str, pick: float) -> str:
    stopped = await clouds.stopped(who)
    return f"!start {pick_of(stopped, pick)}" if stopped else ""


async def _handover(clouds: EpisodeClouds, who: str, pick: float) -> str:
    running = await clouds.running(who)
    return f"!handover {pick_of(running, pick)} --to {BOB if who == ALICE else ALICE}" if running else ""


async def _adopt(clouds: EpisodeClouds, who: str, _pick: float) -> str:
    orphan = await clouds.ec2.orphan(who if who in RELENG else ALICE)
    return f"!instance adopt {orphan}" if orphan else ""


async def _leftovers(clouds: EpisodeClouds, _who: str, _pick: float) -> str:
    return "!terminate --leftovers" if await clouds.ec2.volume() else ""


def _key(pick: float) -> str:
    return ed25519(1 + int(pick * KEYS))


async def _add_key(_clouds: EpisodeClouds, _who: str, pick: float) -> str:
    return f"!sshkey add {_key(pick)}"


async def _remove_key(_clouds: EpisodeClouds, _who: str, pick: float) -> str:
    return f"!sshkey remove {read_key(_key(pick)).fingerprint}"


async def _test(clouds: EpisodeClouds, _who: str, pick: float) -> str:
    return f"!test {pick_of(clouds.images, pick)}"


ORDERS = (
    Order("promote", 9, _of_a_definition("promote")),
    Order("promote-override", 0.5, _of_a_definition("promote --override age", " it is urgent")),
    Order("region-retry", 0.5, _of_a_definition("region retry")),
    Order("rollback", 5, _of_a_definition("rollback")),
    Order("cleanup", 3, _of_a_definition("cleanup")),
    Order("good", 1, _verdict("good", "boots well")),
    Order("bad", 0.5, _verdict("bad", "hangs at the first boot")),
    Order("revoke", 1, _verdict("revoke", "hangs at the first boot")),
    Order("restore", 1.5, _restore),
    Order("hold", 0.5, _verdict("hold --for 15m", "the network team looks at it")),
    Order("unhold", 1, _verdict("unhold", "looked at")),
    Order("adopt", 0.5, _verdict("adopt", "the storage team did that")),
    Order("launch", 4, _launch),
    Order("launch", 3, _launch_on_azure),
    Order("test", 1, _test),
    Order("terminate", 2, _of_a_machine("!terminate {}", mine=False)),
    Order("extend", 1.5, _of_a_machine("!extend {} --for 10m")),
    Order("stop", 1.5, _of_a_machine("!stop {}")),
    Order("start", 1.5, _start),
    Order("handover", 1, _handover),
    Order("instance-adopt", 1, _adopt),
    Order("expire", 0.5, _of_a_machine("!terminate {} --overdue", mine=False)),
    Order("remove-leftovers", 0.7, _leftovers),
    Order("sshkey-add", 1, _add_key),
    Order("sshkey-remove", 0.7, _remove_key),
)
