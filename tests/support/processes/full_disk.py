"""A disk that is full for one process alone."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def full_disk(pid: int, beyond: int = 0) -> Iterator[None]:
    """While no write of a process to a file succeeds beyond so many bytes of it; what SQLite then hears is what it
    hears of a full disk.

    It may end meanwhile.
    """
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (beyond, most))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def full_disk_here(beyond: int = 0) -> Iterator[None]:
    """The same for this process, which goes on."""
    with full_disk(os.getpid(), beyond):
        yield
