"""``[console]`` of slipway.toml."""

from __future__ import annotations

from slipway.bot.core.settings import Settings


class ConsoleSettings(Settings):
    """``[console]``: a chat on standard input and output, for trying a configuration."""

    enabled: bool = False
    speaker: str = "alice"
    room: str = "console"
