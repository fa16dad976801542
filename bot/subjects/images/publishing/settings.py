"""``[publishing]``: where programs find what is latest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Duration, Settings

_SHORTEST, _LONGEST = timedelta(seconds=1), timedelta(minutes=10)
_SELDOM, _OFTEN = timedelta(days=1), timedelta(minutes=5)


class PublishingSettings(Settings):
    """A file that is written, or a command that gets the document on its standard input."""

    file: Path | None = Field(None, description="the file's path, like /srv/www/images.json")
    command: tuple[str, ...] = Field(
        (), description='a program and its arguments, like ["/usr/local/bin/upload", "images.json"]'
    )
    timeout: Duration = timedelta(seconds=30)  # of the command
    refresh: Duration = timedelta(hours=1)  # how often galleries are read anew, whatever the bot did itself


def check_publishing(settings: PublishingSettings, _secrets: bool) -> Iterator[Problem]:
    """Mistakes that show from several keys, or are more than a type."""
    if (settings.file is None) == (not settings.command):
        yield Problem("file", "give either a file or a command")
    if settings.file is not None and not settings.file.is_absolute():
        yield Problem("file", f"{settings.file} is no absolute path; write it like /srv/www/images.json")
    if settings.command and not settings.command[0]:
        yield Problem("command", "its first word is the program, and is empty")
    if not _SHORTEST <= settings.timeout <= _LONGEST:
        yield Problem("timeout", "from 1s to 10m")
    if not _OFTEN <= settings.refresh <= _SELDOM:
        yield Problem("refresh", "from 5m to 1d")
