"""Logging: one line an event on standard error, for people or for machines. Never a secret, never a message's
text, and never the local variables of a traceback, which may hold either.

What is logged within a workflow bears its id, and that of the operation that it is about (:func:`about`)."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog

from slipway.bot.core.errors import StorageError


@contextmanager
def about(**what: str) -> Iterator[None]:
    """Have all that is logged within bear these, such as ``operation``: ids of the bot's own, and nothing that
    somebody said. Tasks that are begun within bear them, too."""
    with structlog.contextvars.bound_contextvars(**what):
        yield


_everywhere: dict[str, str] = {}


@contextmanager
def everywhere(**what: str) -> Iterator[None]:
    """Have all that this process logs within bear these, whatever thread it comes from: which replica it is, say."""
    _everywhere.update(what)
    try:
        yield
    finally:
        for name in what:
            _everywhere.pop(name, None)


def _merge_everywhere(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {**event, **_everywhere}


def _in_plain_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """That nothing can be stored now says all there is to know. No traceback tells more, and each of many parts of
    the bot would log one, as long as a database is away."""
    raised = event.get("exc_info")
    error = raised if isinstance(raised, BaseException) else sys.exc_info()[1] if raised else None
    if not isinstance(error, StorageError):
        return event
    return {**{key: value for key, value in event.items() if key != "exc_info"}, "problem": str(error)}


def note(**what: str | None) -> None:
    """Have all that the present task logs from now on bear these, but for None; as :func:`about`."""
    known = {name: value for name, value in what.items() if value is not None}
    structlog.contextvars.bind_contextvars(**known)


class _Whole(io.FileIO):
    """A file whose writes are whole, however little of one the system takes at once, as after a signal.

    What cannot be written whole, on a disk that fills meanwhile, ends its line: the next one stands on its own.
    """

    _torn = False

    def write(self, data: Any, /) -> int:
        """Write all.

        Raises:
            OSError: it could not be written, or only a part.
        """
        whole = bytes(data)
        left = b"\n" * self._torn + whole
        while left:
            written = super().write(left)
            if not written:
                raise BlockingIOError(errno.EAGAIN, "nobody reads what was written before")
            self._torn = not left[:written].endswith(b"\n")
            left = left[written:]
        self._torn = False
        return len(whole)


class _Lines:
    """Writes each line at once; what the stream does not take is lost, and it is told how many lines were.

    A log that is a file on a full disk, or a pipe that nobody reads any more, must not end the bot.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0
        self._lock = threading.Lock()

    def __call__(self, *_names: object) -> _Lines:
        """As a factory of loggers: all write to the same stream."""
        return self

    def msg(self, line: str) -> None:
        """Write a line, of whatever level."""
        with self._lock:
            try:
                self._stream.write(f"{line}\n")  # at once: half a line must not be taken for one
                self._stream.flush()
            except OSError:
                self._lost += 1
                return
            lost, self._lost = self._lost, 0
        if lost:
            structlog.get_logger(__name__).warning("lines of this log could not be written", lines=lost)

    debug = info = warning = error = critical = msg


def configure(
    form: Literal["console", "json"], *, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send Slipway's log, and its libraries' warnings, to a stream: standard error, if none is given."""
    stream = stream or _standard_error()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _merge_everywhere,
        _in_plain_words,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if form == "json":
        rendering: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    else:
        console = structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        rendering = [console]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Lines(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))


def _standard_error() -> TextIO:
    """Standard error without a buffer: what one still held would be tried again at the exit, and fail it."""
    if sys.stderr is None:  # it was closed by whoever started the program, and nobody reads it
        return Path(os.devnull).open("w", encoding="utf-8")
    try:
        file = _Whole(sys.stderr.fileno(), "w", closefd=False)
    except io.UnsupportedOperation:  # what somebody put in its place
        return sys.stderr
    return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", write_through=True)
