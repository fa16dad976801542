"""Entra's token service, as far as an application logs in there by a secret, beside the simulated Graph.

A secret that was just made is refused for a while, as Entra does until every front end knows it. Source: “OAuth 2.0
client credentials flow” and “AADSTS error codes” of the Microsoft identity platform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

from aiohttp import web

from slipway.bot.clouds.simulated.azure.routes import Names, Routes

_WRONG = (
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value."
)


class Secret(Protocol):
    """A secret of an application."""

    id: str
    text: str
    starts: str | None
    ends: str | None


class Holder(Protocol):
    """An application."""

    @property
    def secrets(self) -> Sequence[Secret]:
        """What it can log in with."""
        ...


class SimulatedLogin:
    """Gives tokens, which are worth nothing.

    Attributes:
        unknown_for: so many logins with a secret that was just made are refused.
        accepted: how many logins succeeded, by the id of the secret.

    Args:
        find: an application by its client id.
        base_url: gives the address at which it is served.
        clock: the present.
    """

    def __init__(
        self, find: Callable[[str], Holder | None], base_url: Callable[[], str], clock: Callable[[], datetime]
    ) -> None:
        self.unknown_for = 0
        self.accepted: Counter[str] = Counter()
        self._find = find
        self._base_url = base_url
        self._clock = clock
        self._left: dict[str, int] = {}

    def is_new(self, key: str) -> None:
        """A secret was just made."""
        self._left[key] = self.unknown_for

    def add_to(self, table: Routes) -> None:
        """All addresses that are answered."""
        table.add("/{tenant}/oauth2/v2.0/token", POST=self._token)
        table.add("/{tenant}/v2.0/.well-known/openid-configuration", GET=self._configuration)

    async def _configuration(self, _request: web.Request, names: Names) -> web.Response:
        base = f"{self._base_url()}/{names['tenant']}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        )

    async def _token(self, request: web.Request, _names: Names) -> web.Response:
        form = await request.post()
        client = str(form.get("client_id"))
        holder = self._find(client)
        if holder is None:
            words = f"Application with identifier '{client}' was not found in the directory."
            return self._refusal(400, "unauthorized_client", 700016, words)
        given = str(form.get("client_secret"))
        found = next((each for each in holder.secrets if each.text and each.text == given), None)
        if found is None or self._is_unknown(found):
            return self._refusal(401, "invalid_client", 7000215, _WRONG)
        if found.ends is not None and datetime.fromisoformat(found.ends) <= self._clock():
            return self._refusal(
                401, "invalid_client", 7000222, "The provided client secret keys are expired."
            )
        self.accepted[found.id] += 1
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": "simulated"})

    def _is_unknown(self, secret: Secret) -> bool:
        left = self._left.get(secret.id, 0)
        self._left[secret.id] = max(0, left - 1)
        return left > 0

    def _refusal(self, status: int, error: str, code: int, words: str) -> web.Response:
        trace = str(uuid4())
        return web.json_response(
            {
                "error": error,
                "error_description": f"AADSTS{code}: {words} Trace ID: {trace}",
                "error_codes": [code],
                "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
                "trace_id": trace,
                "correlation_id": str(uuid4()),
            },
            status=status,
        )
