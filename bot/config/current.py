"""The configuration that counts now. What a reload may change is read through it at each use, and kept by nobody."""

from __future__ import annotations

from slipway.bot.config.settings import SlipwaySettings


class CurrentSettings:
    """Holds one configuration, and at a reload the next one: whoever reads sees one of them whole.

    Args:
        settings: those of the start.
    """

    def __init__(self, settings: SlipwaySettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> SlipwaySettings:
        """Those that count."""
        return self._settings

    def replace(self, settings: SlipwaySettings) -> None:
        """Let others count from now on."""
        self._settings = settings
