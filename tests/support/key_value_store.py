"""What an adapter keeps, without a database."""

from __future__ import annotations

from collections.abc import Mapping


class InMemoryStore:
    """A :class:`slipway.bot.chat.declaration.KeyValueStore` that lasts as long as it is held."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})

    async def load(self, name: str) -> str | None:
        """The value saved last."""
        return self.values.get(name)

    async def save(self, name: str, value: str) -> None:
        """Keep it."""
        self.values[name] = value
