"""How Slack's events reach the bot: what Socket Mode and HTTP have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from slack_bolt.async_app import AsyncApp

Notify = Callable[[], None]
"""Called when something happens."""


class Transport(Protocol):
    """How events come in."""

    @property
    def is_open(self) -> bool:
        """Whether events can come in now."""
        ...

    async def serve(self, app: AsyncApp, on_open: Notify) -> None:
        """Hand events to the app until cancelled, or until the transport is lost and has to be made anew.

        Args:
            app: what takes them in.
            on_open: called when events can come in.

        Raises:
            ChatError: it cannot be opened.
        """
        ...
