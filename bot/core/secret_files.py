"""Secrets in files of their own: read whole, and read again once something else stands there."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from slipway.bot.core.secret_text import without_unseen_ends

_LARGEST = 64 * 1024  # bytes; far above any key or token
_OTHERS = stat.S_IROTH | stat.S_IWOTH

Stamp = tuple[int, int, int, int] | None
"""What is another one once a file was written or put in another's place; None where there is none."""


def read_secret(path: Path) -> str:
    """A secret from a file of its own, without what editors put around it.

    Raises:
        ValueError: a sentence that says why the file cannot be used. It never holds what the file holds, nor
            the path of what is no file: somebody may have put the secret itself in the path's place.
    """
    try:
        content = _content(path)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise ValueError(
            f"the file that is named cannot be read ({reason}); relative paths start at slipway.toml's folder"
        ) from None
    if len(content) > _LARGEST:
        raise ValueError(f"the file {path} is larger than {_LARGEST} bytes; it is hardly a secret")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"the file {path} is not text in UTF-8") from None
    if not text.strip():
        raise ValueError(f"the file {path} is empty")
    return without_unseen_ends(text)


def stamp_of(path: Path) -> Stamp:
    """What tells one content of a file from the next, without reading it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


@dataclass(frozen=True)
class SecretFile:
    """The file that a secret was read from at the start, and that may hold another one later."""

    path: Path

    def stamp(self) -> Stamp:
        """As :func:`stamp_of`. Asks the disk, so that it belongs into a thread."""
        return stamp_of(self.path)

    def read(self) -> str:
        """What stands in it now; raises as :func:`read_secret` does."""
        return read_secret(self.path)


def _content(path: Path) -> bytes:
    if "\0" in str(path):
        raise ValueError("what is named is not a path; it holds a zero byte")
    # Non-blocking, so that a pipe put in the file's place cannot hold up the start.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is not a file")
        if status.st_mode & _OTHERS:
            raise ValueError(f"everybody on this machine may read or write {path}; run chmod o= {path}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(_LARGEST + 1)
    finally:
        os.close(handle)
