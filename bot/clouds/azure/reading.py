"""Reads through the SDK's own pipeline: pages as plain JSON, and what a throttled read does.

Imports azure-core, so only ``arm`` may import this.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    map_error,
)
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import read_page
from slipway.bot.clouds.azure.sdk_errors import is_throttle, retry_after, translate_errors
from slipway.bot.clouds.azure.throttling import ThrottleGate

_MOST_PAGES = 10_000
"""A bound for listings that never end: Azure allows 10,000 versions a subscription and region."""

Send = Callable[[HttpRequest], Awaitable[AsyncHttpResponse]]


async def read_pages(
    send: Send, first: str, what: str, account: AzureAccount, *, user_agent: str
) -> AsyncIterator[tuple[Any, ...]]:
    """Every page of a listing, each checked, as JSON.

    The SDK's own paging takes a page without ``value`` for an empty one, and makes models of entries, which takes
    twenty times as long as reading them here and would hold up the event loop.

    Args:
        send: runs a request through the pipeline.
        first: the first page's address.
        what: completes “list …”.
        user_agent: who asks, for Azure's own records.

    Raises:
        CloudError: a page cannot be read, or the listing does not end.
    """
    action = f"list {what}"
    link: str | None = first
    links: set[str] = set()
    while link is not None:
        if link in links:
            raise account.unexpected_answer(f"{account.title}'s listing of {what} goes in circles.")
        if len(links) > _MOST_PAGES:
            raise account.unexpected_answer(f"{account.title}'s listing of {what} does not end.")
        links.add(link)
        with translate_errors(account, action):
            page = read_page(await _json(send, link, user_agent), what, account)
        yield page.value
        link = page.next_link


async def _json(send: Send, url: str, user_agent: str) -> Any:
    """What an address answers; HttpResponseError for anything but 200."""
    headers = {
        "Accept": "application/json",
        "User-Agent": user_agent,
        "x-ms-client-request-id": str(uuid4()),
    }
    answer = await send(HttpRequest("GET", url, headers=headers))
    if answer.status_code != 200:
        map_error(answer.status_code, answer, {401: ClientAuthenticationError, 404: ResourceNotFoundError})
        raise HttpResponseError(response=answer)
    return json.loads(answer.content)


class ThrottledReads(AsyncHTTPPolicy[Any, Any]):
    """Sends a read again that Azure throttled, once all reads of the account have paused together.

    Changes pass: whoever asked for one looks again before it is sent a second time.
    """

    def __init__(self, gate: ThrottleGate) -> None:
        super().__init__()
        self._gate = gate

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it as often as the gate's budget lets; the last refusal is returned."""
        if request.http_request.method != "GET":
            return await self.next.send(request)
        async with self._gate.under_way():
            while True:
                sent_in = await self._gate.enter()
                response = await self.next.send(request)
                status, headers = response.http_response.status_code, response.http_response.headers
                pause = None if status < 400 else retry_after(headers)
                if not is_throttle(status, pause):
                    self._gate.served()
                    return response
                unreadable = pause is None and "Retry-After" in headers
                if unreadable or not await self._gate.refused(sent_in, pause):
                    return response
