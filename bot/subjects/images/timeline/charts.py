"""Pictures of timelines, drawn in threads."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from threading import Lock

from slipway.bot.chat.pictures import Picture
from slipway.bot.core.loading import LIBRARY_IMPORT
from slipway.bot.subjects.images.timeline.facts import Timeline
from slipway.bot.subjects.images.timeline.words import in_words

_DRAWING = Lock()
"""Held while a picture is drawn: matplotlib's settings and its fonts are the process's."""

_FOLDER = "MPLCONFIGDIR"
"""Where matplotlib keeps which fonts there are (https://matplotlib.org/stable/install/environment_variables_faq.html).
Without one that it may write, it would look through them anew at each start."""

MISSING = "There is no picture: matplotlib is not installed. `pip install 'slipway[pictures]'` adds it."


class NoDrawingError(Exception):
    """This installation draws no pictures; its text is a sentence for people."""


class Charts:
    """Draws timelines. Loads matplotlib when the first one is to be drawn, and not before.

    Args:
        folder: for what matplotlib keeps; made by it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def draw(self, timeline: Timeline) -> Picture:
        """A timeline as a picture, with the same in words.

        Raises:
            NoDrawingError: matplotlib is not installed.
        """
        png = await asyncio.to_thread(self._draw, timeline)
        name = re.sub(r"[^\w.-]+", "-", timeline.definition, flags=re.ASCII)[:80]
        return Picture.of(png, f"{name}-{timeline.now:%Y%m%d-%H%M%S}.png", in_words(timeline))

    def _draw(self, timeline: Timeline) -> bytes:
        with LIBRARY_IMPORT:
            os.environ.setdefault(_FOLDER, str(self._folder))
            try:
                from slipway.bot.subjects.images.timeline.drawing import draw
            except ModuleNotFoundError as error:
                if error.name != "matplotlib":
                    raise
                raise NoDrawingError(MISSING) from None
        with _DRAWING:
            return draw(timeline).png
