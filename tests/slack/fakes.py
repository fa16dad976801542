"""Fakes: what the adapter is handed instead of the rest of the bot."""

from __future__ import annotations


class InMemoryStore:
    """A :class:`slipway.bot.chat.declaration.KeyValueStore` that lasts as long as it is held."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def load(self, name: str) -> str | None:
        """The value saved last."""
        return self.values.get(name)

    async def save(self, name: str, value: str) -> None:
        """Keep it."""
        self.values[name] = value
