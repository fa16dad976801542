"""Which link of azure-identity's chain gave the token, which it tells nobody but its log.

The links stand in the chain's public attribute ``credentials``; the methods by which the chain asks them note who
answered. The chain stays azure-identity's own: it has its links know that others come behind them, which
decides whether one without a login is passed over or ends the search.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

_ASKED_BY = ("get_token", "get_token_info")
"""How a chain asks a link. Source: azure-core, ``AsyncTokenCredential`` and ``AsyncSupportsTokenInfo``."""


class Links:
    """What is noted of a chain's links; what is no chain has none."""

    def __init__(self, credential: Any) -> None:
        self.successful = ""
        """The name of the class of the link that gave the last token; empty where none did."""
        for link in getattr(credential, "credentials", ()):
            for method in _ASKED_BY:
                if hasattr(link, method):
                    setattr(link, method, self._noting(type(link).__name__, getattr(link, method)))

    def _noting(self, name: str, ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noting(*scopes: str, **options: Any) -> Any:
            token = await ask(*scopes, **options)
            self.successful = name
            return token

        return noting
