"""Reads through the SDK's own pipeline: pages as they come, and what a read does that fails or is throttled.

Imports azure-core, so only ``arm`` may import this.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NoReturn, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    map_error,
)
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import Page
from slipway.bot.clouds.azure.pacing import Pacer
from slipway.bot.clouds.azure.sdk_errors import is_throttle, retry_after, translate_errors
from slipway.bot.clouds.azure.transport import ReadRequest, ReadResponse
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.clouds.throttling import ThrottleGate
from slipway.bot.core.waiting import Sleep

_MOST_PAGES = 10_000
"""A bound for listings that never end: Azure allows 10,000 versions a subscription and region."""

_FAILURES = frozenset({408, 500, 502, 503, 504})
"""Statuses after which a read is worth another attempt; those of a throttle are not among them."""

_VERSION_PATH = re.compile(r"/galleries/[^/]+/images/[^/]+/versions/[^/]+$", re.IGNORECASE)

Send = Callable[[ReadRequest], Awaitable[ReadResponse]]

T = TypeVar("T")


class Listing(Generic[T]):
    """A listing that is read page by page.

    The SDK's own paging takes a page without ``value`` for an empty one, and makes models of entries, which takes
    twenty times as long as reading them here and would hold up the event loop.

    Args:
        send: runs a request through the pipeline.
        first: the first page's address.
        what: completes “list …”.
        read: reads the body of one page; ValueError where it is no JSON.
        user_agent: who asks, for Azure's own records.
    """

    def __init__(
        self,
        send: Send,
        first: str,
        what: str,
        account: AzureAccount,
        *,
        read: Callable[[bytes], Page[T]],
        user_agent: str,
    ) -> None:
        self._send = send
        self._link: str | None = first
        self._links: set[str] = set()
        self._what = what
        self._account = account
        self._read = read
        self._user_agent = user_agent

    @property
    def ended(self) -> bool:
        """Whether there is no further page."""
        return self._link is None

    async def next_page(self) -> T:
        """The entries of the next page, which there must be.

        Raises:
            CloudError: it cannot be read, or the listing does not end.
        """
        link, account = self._link, self._account
        if link is None:
            raise IndexError("the listing has ended")
        if link in self._links:
            raise account.unexpected_answer(f"{account.title}'s listing of {self._what} goes in circles.")
        if len(self._links) > _MOST_PAGES:
            raise account.unexpected_answer(f"{account.title}'s listing of {self._what} does not end.")
        self._links.add(link)
        with translate_errors(account, f"list {self._what}"):
            page = self._read((await ask(self._send, link, self._user_agent)).content)
        self._link = page.next_link
        return page.entries


async def ask(send: Send, url: str, user_agent: str) -> ReadResponse:
    """What an address answers; HttpResponseError for anything but 200."""
    headers = {
        "Accept": "application/json",
        "User-Agent": user_agent,
        "x-ms-client-request-id": str(uuid4()),
    }
    answer = await send(ReadRequest(url, headers))
    if answer.status_code != 200:
        raise_refused(answer)
    return answer


def raise_refused(answer: Any) -> NoReturn:
    """Raise the SDK's error for an answer that is one; it has of the SDK's own what errors look at."""
    map_error(answer.status_code, answer, {401: ClientAuthenticationError, 404: ResourceNotFoundError})
    raise HttpResponseError(response=answer)


def is_blob_address(address: str, base_url: str) -> bool:
    """Whether this is an address of Azure's storage, or of the simulator that stands for all of Azure."""
    parts, base = urlsplit(address), urlsplit(base_url)
    if base.scheme == "http":
        return (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
    return parts.scheme == "https" and ".blob." in f"{parts.hostname or ''}."


class PatientReads(AsyncHTTPPolicy[Any, Any]):
    """Sends a read again, within bounds, that failed or that Azure throttled; all reads of the account pause together
    for the latter.

    Changes pass, whatever came of them: meanwhile somebody may have changed what they rest on, so whoever asked for
    one looks before it is sent a second time. One policy does both, since every listing of thousands takes it.

    Args:
        gate: where reads wait.
        attempts: how often a read is sent in all, throttles not counted.
        longest_wait: a longer Retry-After, in seconds, ends the attempts.
        backoff: seconds of the wait before the third attempt, where no Retry-After says otherwise; it doubles. The
            second comes at once.
        sleep: lets that pass.
    """

    def __init__(
        self, gate: ThrottleGate, *, attempts: int, longest_wait: float, backoff: float, sleep: Sleep
    ) -> None:
        super().__init__()
        self._gate = gate
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._backoff = backoff
        self._sleep = sleep

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it as often as may be; the last answer or failure is whoever asked's to tell."""
        if request.http_request.method != "GET":
            return await self.next.send(request)
        failures = 0
        with self._gate:
            while True:
                sent_in = await self._gate.enter()
                try:
                    response = await self.next.send(request)
                except ClientAuthenticationError:
                    raise
                except AzureError:
                    failures += 1
                    if failures >= self._attempts:
                        raise
                    await self._pause(failures, None)
                    continue
                if response.http_response.status_code < 400:
                    self._gate.served()
                    return response
                if not await self._again(response, sent_in, failures):
                    return response
                failures += response.http_response.status_code in _FAILURES

    async def _again(self, response: PipelineResponse[Any, Any], sent_in: int, failures: int) -> bool:
        """Whether to send a read again, once it is time to."""
        status, headers = response.http_response.status_code, response.http_response.headers
        pause = retry_after(headers)
        unreadable = pause is None and "Retry-After" in headers
        if is_throttle(status, pause):
            return not unreadable and await self._gate.refused(sent_in, pause)
        self._gate.served()
        too_long = pause is not None and pause > self._longest_wait
        if status not in _FAILURES or failures + 1 >= self._attempts or unreadable or too_long:
            return False
        await self._pause(failures + 1, pause)
        return True

    async def _pause(self, failures: int, asked: float | None) -> None:
        """Wait after so many failures in a row, or as long as Azure asked for."""
        grown = self._backoff * 2 ** (failures - 1) if failures > 1 else 0.0
        await self._sleep(asked or min(grown, self._longest_wait))


class NotesDeletions(AsyncHTTPPolicy[Any, Any]):
    """Has a pacer know what the answers to deletions of versions say of those that are left."""

    def __init__(self, pacer: Pacer) -> None:
        super().__init__()
        self._pacer = pacer

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it on, and look at the answer."""
        response = await self.next.send(request)
        path = urlsplit(request.http_request.url).path
        if request.http_request.method == "DELETE" and _VERSION_PATH.search(path):
            answer = response.http_response
            asked = retry_after(answer.headers)
            self._pacer.answered(answer.headers, asked, throttled=is_throttle(answer.status_code, asked))
        return response


class NotesClock(AsyncHTTPPolicy[Any, Any]):
    """Has the account's contact know what answers say of this machine's clock."""

    def __init__(self, contact: CloudContact) -> None:
        super().__init__()
        self._contact = contact

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it on, and look at the answer."""
        response = await self.next.send(request)
        self._contact.platform_clock.note(response.http_response.headers.get("Date"))
        return response


class SameHost(AsyncHTTPPolicy[Any, Any]):
    """Follow links only to the endpoint itself or below it: a token goes nowhere else."""

    def __init__(self, base_url: str, account: AzureAccount) -> None:
        super().__init__()
        self._account = account
        self._base = f"{base_url}/"
        parts = urlsplit(base_url)
        self._scheme, self._host = parts.scheme, (parts.hostname or "")

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send it on; CloudError for a link that leads elsewhere."""
        url = request.http_request.url
        if not (url.startswith(self._base) or self._is_below(url)):
            raise self._account.unexpected_answer(
                f"{self._account.title} pointed to another host, where Slipway does not go."
            )
        return await self.next.send(request)

    def _is_below(self, url: str) -> bool:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == self._scheme and (host == self._host or host.endswith(f".{self._host}"))
