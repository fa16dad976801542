"""A client of a gallery that is aiohttp and nothing else: what any client takes that reads the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

Document = Mapping[str, Any]
"""A version as Azure writes it."""

Listed = dict[str, list[Document]]
"""All versions, by definition."""

_VERSION = "api-version=2026-03-03"


@dataclass
class BareReading:
    """What was read.

    Attributes:
        listed: all versions of each definition.
        calls: each call, as the simulated Azure notes it.
    """

    listed: Listed = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    @property
    def versions(self) -> int:
        """How many versions are listed."""
        return sum(map(len, self.listed.values()))


def of_none(_name: str, _versions: Sequence[Document]) -> Iterable[str]:
    """No version is read by itself."""
    return ()


def nothing(_listed: Listed) -> Iterable[tuple[str, str]]:
    """Nothing is read when all is listed."""
    return ()


async def read_barely(
    azure: Mapping[str, str],
    at_once: int,
    *,
    each: Callable[[str, Sequence[Document]], Iterable[str]] = of_none,
    then: Callable[[Listed], Iterable[tuple[str, str]]] = nothing,
    besides: Sequence[str] = (),
) -> BareReading:
    """List all versions of all definitions, and read some by themselves, so many calls at once.

    Args:
        azure: where it is.
        at_once: calls.
        each: names the versions of a definition that are read as soon as it is listed.
        then: names more, by their definition, when all is listed.
        besides: addresses below the endpoint that are read, too, such as that of the locks.
    """
    around = f"/subscriptions/{azure['subscription_id']}/resourceGroups/{azure['resource_group']}"
    images = f"{azure['url']}{around}/providers/Microsoft.Compute/galleries/{azure['gallery']}/images"
    free = asyncio.Semaphore(at_once)
    found = BareReading()

    async def read(url: str) -> Any:
        found.calls.append(f"GET {urlsplit(url).path}")
        async with free, session.get(url) as answer:
            return json.loads(await answer.read())

    async def read_version(name: str, number: str) -> None:
        await read(f"{images}/{name}/versions/{number}?{_VERSION}&$expand=ReplicationStatus")

    async def list_versions(name: str) -> None:
        held = found.listed[name] = []
        link = f"{images}/{name}/versions?{_VERSION}"
        while link:
            page = await read(link)
            held += page["value"]
            link = page.get("nextLink")
        for number in each(name, held):
            group.create_task(read_version(name, number))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:
        async with asyncio.TaskGroup() as group:
            for address in besides:
                group.create_task(read(f"{azure['url']}{address}"))
            link = f"{images}?{_VERSION}"
            while link:
                page = await read(link)
                for definition in page["value"]:
                    group.create_task(list_versions(definition["name"]))
                link = page.get("nextLink")
        async with asyncio.TaskGroup() as group:
            for name, number in then(found.listed):
                group.create_task(read_version(name, number))
    return found
