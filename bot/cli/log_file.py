"""Where the log goes while a terminal is the chat: lines from elsewhere would break what stands there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from slipway.bot.chat.console.declaration import CHAT
from slipway.bot.core.errors import StateError

if TYPE_CHECKING:
    from slipway.bot.config.settings import SlipwaySettings

RUN_LOG = "run.log"
"""In the state folder: the log of `slipway run` at a terminal that is the console chat."""


def log_file(folder: Path, name: str) -> Path:
    """A file for a log in the state folder; both are made where they are missing.

    Raises:
        StateError: it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / name).touch()
    except OSError as error:
        raise StateError(f"The state folder {folder} cannot be used: {error.strerror}.") from error
    return folder / name


def breaks_the_console(settings: SlipwaySettings, output: TextIO, errors: TextIO) -> bool:
    """Whether the log would be written between the lines of the console chat."""
    chat = settings.table(CHAT.table)
    return bool(getattr(chat, "enabled", False)) and output.isatty() and errors.isatty()
