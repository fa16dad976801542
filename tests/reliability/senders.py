"""Which process changed or said something, seen where that arrives: by the connection that it came on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from tests.reliability.replica import Life

_CLOUD_WRITES = re.compile(
    r"(?:PUT|PATCH|DELETE) .*|POST .*/(?:start|deallocate|powerOff|restart)"
    r"|(?:Run|Terminate|Start|Stop)Instances|CreateTags|DeleteTags|DeleteVolume"
)
_SAID = re.compile(r"/send/m\.r|/redact/|/api/(?:chat\.(?:post|update|delete))")
_ESTABLISHED = "01"


@dataclass(frozen=True)
class Done:
    """Something that a process did: the number of its life, and what."""

    life: int
    what: str


class Senders:
    """Notes who did what, in the order in which it arrived.

    Args:
        lives: all processes so far.
    """

    def __init__(self, lives: Sequence[Life]) -> None:
        self._lives = lives
        self.done: list[Done] = []

    def asked(self, label: str, port: int | None) -> None:
        """A cloud was asked for something."""
        if _CLOUD_WRITES.fullmatch(label):
            self._note(label, port)

    def called(self, request: web.Request) -> None:
        """A chat was asked for something."""
        if _SAID.search(request.path):
            self._note(f"{request.method} {request.path}", port_of(request))

    def _note(self, what: str, port: int | None) -> None:
        inode = _inode_of(port) if port is not None else None
        for life in self._lives:
            if inode is not None and life.process.returncode is None and _has(life.process.pid, inode):
                self.done.append(Done(life.number, what))
                return


def port_of(request: web.Request) -> int | None:
    """From which port of this machine a request came; None where whoever sent it is gone."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return None if peer is None else int(peer[1])


def watching(note: Callable[[web.Request], None]) -> web.middleware:  # type: ignore[valid-type]
    """A part of a server that tells of every request."""

    @web.middleware
    async def handle(request: web.Request, handler: Callable[[web.Request], object]) -> object:
        note(request)
        return await handler(request)  # type: ignore[misc]

    return handle


def _inode_of(port: int) -> str | None:
    """Of the socket that is connected from this port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == _ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
            return rest[5]
    return None


def _has(pid: int, inode: str) -> bool:
    with suppress(OSError):  # it ends just now
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                if str(each.readlink()) == f"socket:[{inode}]":
                    return True
    return False
