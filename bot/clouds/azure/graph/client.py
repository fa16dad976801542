"""Single requests to Microsoft Graph by azure-core. Imports it, so it is imported at the first call.

The SDK for Graph takes 400 MB for a few addresses, so what ARM's listings use asks here, too: pages by their own
links, one host, one pause for all that is throttled, bounded tries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.core.pipeline.transport import AioHttpTransport

from slipway import __version__
from slipway.bot.clouds.azure.access import Access, Anonymous
from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import Page
from slipway.bot.clouds.azure.identity import sdk_credential
from slipway.bot.clouds.azure.reading import Listing, PatientReads, SameHost, raise_refused
from slipway.bot.clouds.azure.sdk_errors import translate_errors
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.transport import ReadingTransport, ReadRequest, ReadResponse, WriteRequest
from slipway.bot.clouds.throttling import Patience, ThrottleGate
from slipway.bot.core.waiting import Sleep

_USER_AGENT = f"slipway/{__version__}"

_DONE = (200, 201, 204)

T = TypeVar("T")


class GraphClient:
    """Reads and changes below ``/v1.0``. Made in a thread; used on one event loop."""

    def __init__(
        self,
        settings: AzureSettings,
        access: Access,
        account: AzureAccount,
        *,
        backoff: float,
        patience: Patience,
        sleep: Sleep,
    ) -> None:
        self._account = account
        self._base_url = f"{access.base_url}/v1.0"
        timeout = settings.timeout.total_seconds()
        self._credential = sdk_credential(access, settings.max_attempts)
        anonymous = isinstance(access.credential, Anonymous)
        self._connections = AioHttpTransport(
            connection_timeout=timeout, read_timeout=timeout, use_env_settings=not anonymous
        )
        policies: list[Any] = [
            SameHost(access.base_url, account),
            PatientReads(
                ThrottleGate(patience),
                attempts=settings.max_attempts,
                longest_wait=timeout,
                backoff=backoff,
                sleep=sleep,
            ),
        ]
        if not anonymous:  # a policy of the SDK's, which sends a token over https alone
            policies.append(AsyncBearerTokenCredentialPolicy(self._credential, access.scope))
        self._pipeline: AsyncPipeline[ReadRequest, ReadResponse] = AsyncPipeline(
            ReadingTransport(self._connections, timeout, account.fence), policies
        )

    def listing(
        self, path: str, query: dict[str, str], what: str, read: Callable[[bytes], Page[T]]
    ) -> Listing[T]:
        """The pages of a listing; one document is a listing of one page."""
        first = f"{self._base_url}{path}?{urlencode(query)}"
        return Listing(self._send, first, what, self._account, read=read, user_agent=_USER_AGENT)

    async def post(self, path: str, document: Mapping[str, object], action: str) -> bytes:
        """Change something, once; ``action`` completes “Microsoft Graph refused to …”.

        Raises:
            CloudError: it was refused, or it is not known what became of it.
        """
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            "client-request-id": str(uuid4()),
        }
        request = WriteRequest(f"{self._base_url}{path}", headers, json.dumps(document).encode())
        with translate_errors(self._account, action):
            answer = await self._send(request)
            if answer.status_code not in _DONE:
                raise_refused(answer)
        return answer.content

    async def _send(self, request: ReadRequest) -> ReadResponse:
        return (await self._pipeline.run(request)).http_response

    async def close(self) -> None:
        """Let go of connections, the credential's own included."""
        await self._connections.close()
        await self._credential.close()
