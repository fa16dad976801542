"""Pictures as files of the bot's machine: a console shows none, and names where each lies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from slipway.bot.chat.model import Card

MOST_KEPT = 20
"""Files in the folder; the oldest go."""

PICTURE = "As a picture: "
"""Before a path, in a card's note."""

log = structlog.get_logger(__name__)


class PictureFiles:
    """Writes pictures into a folder of their own.

    Args:
        folder: made where it is not there; its user's alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def named(self, card: Card) -> Card:
        """A card with the paths of its pictures in their place; without those that cannot be written: the card says
        all that they show."""
        notes = []
        for picture in card.pictures:
            try:
                path = await asyncio.to_thread(self._write, picture.name, picture.png)
            except OSError as error:
                log.warning(
                    "a picture could not be written", folder=str(self._folder), problem=error.strerror
                )
            else:
                notes.append(f"{PICTURE}{path}")
        return card.model_copy(update={"pictures": (), "notes": (*card.notes, *notes)})

    def _write(self, name: str, png: bytes) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / name
        path.write_bytes(png)
        kept = sorted(self._folder.glob("*.png"), key=lambda each: each.stat().st_mtime_ns)
        for old in kept[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
        return path.absolute()
