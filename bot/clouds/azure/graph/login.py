"""Whether Entra accepts a secret: one request for a token, by the secret alone. Imports azure-core.

azure-identity would do, but that it logs the refusals that are to be expected here, and refuses a simulator without
TLS. Source: “OAuth 2.0 client credentials flow” of the Microsoft identity platform, and its error codes.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.transport import AioHttpTransport
from pydantic import SecretStr

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.sdk_errors import translate_errors
from slipway.bot.clouds.azure.transport import ReadingTransport, ReadRequest, ReadResponse, WriteRequest
from slipway.bot.core.errors import CloudError, CloudErrorKind

_NOT_ACCEPTED = frozenset({7000215, 7000222})
"""AADSTS codes of a secret that is wrong, or not known everywhere yet; and of one that has ended."""


class LoginClient:
    """Asks the token service of a tenant. A new connection each time: it may lead to another front end."""

    def __init__(
        self, base_url: str, tenant: str, account: AzureAccount, timeout: float, *, direct: bool
    ) -> None:
        self._url = f"{base_url}/{quote(tenant, safe='')}/oauth2/v2.0/token"
        self._account = account
        self._timeout = timeout
        self._direct = direct

    async def accepts(self, client_id: str, secret: SecretStr, scope: str) -> bool:
        """Whether a token is given.

        Raises:
            CloudError: the service is unwell, or refuses for another reason than the secret.
        """
        form = {
            "client_id": client_id,
            "client_secret": secret.get_secret_value(),
            "scope": scope,
            "grant_type": "client_credentials",
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        request = WriteRequest(self._url, headers, urlencode(form).encode())
        with translate_errors(self._account, "log in with the new secret"):
            answer = await self._send(request)
            body = (
                json.loads(answer.content) if answer.status_code < 500 and answer.status_code != 429 else {}
            )
        if answer.status_code == 200 and isinstance(body, dict) and body.get("access_token"):
            return True
        codes = body.get("error_codes") if isinstance(body, dict) else None
        if isinstance(codes, list) and _NOT_ACCEPTED.intersection(
            each for each in codes if isinstance(each, int)
        ):
            return False
        raise self._refused(answer.status_code, codes)

    async def _send(self, request: ReadRequest) -> ReadResponse:
        connections = AioHttpTransport(
            connection_timeout=self._timeout, read_timeout=self._timeout, use_env_settings=not self._direct
        )
        try:
            pipeline: AsyncPipeline[ReadRequest, ReadResponse] = AsyncPipeline(
                ReadingTransport(connections, self._timeout), []
            )
            return (await pipeline.run(request)).http_response
        finally:
            await connections.close()

    def _refused(self, status: int, codes: object) -> CloudError:
        if status == 429 or status >= 500:
            kind = CloudErrorKind.THROTTLED if status == 429 else CloudErrorKind.BROKEN
            return self._account.error(
                kind, f"Entra could not say whether it accepts the new secret (HTTP {status})."
            )
        first = codes[0] if isinstance(codes, list) and codes and isinstance(codes[0], int) else None
        code = f"AADSTS{first}" if first is not None else f"HTTP {status}"
        sentence = f"Entra gives no token for the application, whatever its secret ({code})."
        return self._account.error(CloudErrorKind.CONFIGURATION, sentence, code)
