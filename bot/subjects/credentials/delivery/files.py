"""A secret in a file of mode 600, put in the place of the one before at once."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.credentials.delivery.addresses import Form
from slipway.bot.subjects.credentials.delivery.model import Delivery, sink_error

T = TypeVar("T")

_LARGEST = 64 * 1024  # bytes; what is larger is no file of a secret, and is not replaced
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_OWNERS = stat.S_IRUSR | stat.S_IWUSR
_MOUNTED = "..data"  # the link by which Kubernetes exchanges what it mounts


class _UnfitError(Exception):
    """The file or its folder is not one to put a secret into; says why."""


@dataclass(frozen=True)
class FileSink:
    """A file. Whoever reads it sees the secret before or the one after, and never a half.

    Attributes:
        title: what people call it.
        path: where; a link is followed, and stays.
        form: how the secret is written.
        timeout: seconds that the disk may take for each of its parts.
    """

    title: str
    path: Path
    form: Form
    timeout: float
    can_undo: bool = True

    async def look(self) -> None:
        """See that its folder is one to write in."""
        await _on_disk(self, lambda: _check_writable(self.path))

    async def prepare(self, delivery: Delivery) -> PreparedFile:
        """Write it beside the file, onto the disk."""
        content = delivery.written(self.form)
        target, before, fresh = await _on_disk(self, lambda: _written_beside(self.path, content))
        return PreparedFile(self, target, before, fresh)


@dataclass(frozen=True)
class PreparedFile:
    """A file beside the one that it is to replace."""

    sink: FileSink
    target: Path
    before: bytes | None = field(repr=False)
    fresh: Path

    @property
    def title(self) -> str:
        """What people call it."""
        return self.sink.title

    async def commit(self) -> None:
        """Put it in place."""
        await _on_disk(self.sink, lambda: _put(self.fresh, self.target))

    async def undo(self) -> bool:
        """Put the content before in place again, or nothing where there was none."""
        before = self.before
        try:
            if before is None:
                await _on_disk(self.sink, lambda: self.target.unlink(missing_ok=True))
            else:
                await _on_disk(self.sink, lambda: _put(_beside(self.target, before), self.target))
        except CloudError:
            return False
        return True

    async def discard(self) -> None:
        """Take away what stands beside it. What cannot be taken away holds a secret that is taken away itself."""
        with suppress(CloudError):
            await _on_disk(self.sink, lambda: self.fresh.unlink(missing_ok=True))


async def _on_disk(sink: FileSink, work: Callable[[], T]) -> T:
    """Do something with files in a thread, within the time; errors say what is wrong and name no path."""
    try:
        async with asyncio.timeout(sink.timeout):
            return await asyncio.to_thread(work)
    except TimeoutError:
        raise sink_error(sink.title, "its disk does not answer in time", doubtful=True) from None
    except _UnfitError as error:
        raise sink_error(sink.title, str(error)) from None
    except OSError as error:
        raise sink_error(sink.title, (error.strerror or "it cannot be written").lower()) from None


def _written_beside(path: Path, content: bytes) -> tuple[Path, bytes | None, Path]:
    """The file that is meant, what it holds now, and the new one beside it."""
    target = _fit(path)
    before = _content(target)
    return target, before, _beside(target, content)


def _fit(path: Path) -> Path:
    """The file that is meant, whose folder is one for secrets."""
    target = path.resolve()
    if _MOUNTED in target.parent.parts or (path.parent / _MOUNTED).is_symlink():
        raise _UnfitError("Kubernetes has mounted it from a Secret, which has to be changed there")
    folder = target.parent.stat()
    if folder.st_mode & _OTHERS and not folder.st_mode & stat.S_ISVTX:
        raise _UnfitError("others may write in its folder; take that right away")
    return target


def _check_writable(path: Path) -> None:
    target = _fit(path)
    _content(target)
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise _UnfitError("its folder cannot be written in")


def _content(target: Path) -> bytes | None:
    try:
        handle = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _UnfitError("it is no file")
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise _UnfitError("it is too large to be a file of a secret")
    return content


def _beside(target: Path, content: bytes) -> Path:
    """A file of mode 600 in the same folder, on the disk; in place of one that an end in between left there."""
    fresh = target.with_name(f".{target.name}.slipway-new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNERS)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, _OWNERS)  # whatever the umask says
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    return fresh


def _put(fresh: Path, target: Path) -> None:
    fresh.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
