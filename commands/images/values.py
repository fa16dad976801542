"""The kinds of value that commands about images take."""

from __future__ import annotations

from slipway.bot.clouds.model import VersionNumber
from slipway.commands.grammar.values import LONGEST_SHOWN, Value, said_back, without_full_stop


class VersionValue(Value):
    """A version of an image definition, such as ``43.20261101.0``."""

    name = "version"

    def read(self, text: str) -> VersionNumber:
        """Read a version number."""
        if len(text) > LONGEST_SHOWN:
            raise ValueError(f"{said_back(text)} is not a version; versions look like 43.20261101.0")
        return VersionNumber.parse(without_full_stop(text))


VERSION = VersionValue()
