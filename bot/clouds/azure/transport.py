"""Sends reads by the SDK's own connections, with the little of a request and of a response that a listing needs.

The SDK's own serve streams, forms and older versions of themselves, and take as much processor time as the call by
itself; a plan makes a thousand of them. Imports azure-core, so only ``arm`` may import this.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
from azure.core.exceptions import (
    DecodeError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport

from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.waiting import Sleep

_READS = ("GET", "HEAD")


class PacedTransport(AioHttpTransport):  # type: ignore[misc]  # its module gives it lazily
    """The SDK's own, whose pauses between two looks at a long-running operation are handed in.

    Args:
        sleep: lets time pass.
        fence: asked right before each request that changes something.
        configured: as the SDK's own takes it.
    """

    def __init__(self, sleep: Sleep, fence: Fence = NO_FENCE, **configured: Any) -> None:
        super().__init__(**configured)
        self._pause = sleep
        self._fence = fence

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request, unless it would change something that is another replica's by now."""
        if request.method not in _READS:
            await self._fence.held()
        return await super().send(request, **options)

    async def sleep(self, duration: float) -> None:
        """Let so many seconds pass."""
        await self._pause(duration)


class ReadRequest:
    """A GET. It has what the SDK's pipeline and policies look at."""

    __slots__ = ("headers", "url")

    method: ClassVar = "GET"
    body: ClassVar[bytes | None] = None
    multipart_mixed_info: ClassVar = None

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url = url
        self.headers = headers

    def prepare_multipart_body(self) -> None:
        """Nothing: there is no body."""


class WriteRequest(ReadRequest):
    """A POST, or a PUT, with a body. Nothing sends it a second time."""

    __slots__ = ("body", "method")

    def __init__(self, url: str, headers: dict[str, str], body: bytes, method: str = "POST") -> None:
        super().__init__(url, headers)
        self.body = body  # type: ignore[misc]
        self.method = method  # type: ignore[misc]


class ReadResponse:
    """An answer that has been read whole. It has what the SDK's policies and errors look at."""

    __slots__ = ("content", "headers", "reason", "request", "status_code")

    def __init__(
        self, request: ReadRequest, status_code: int, reason: str, headers: Mapping[str, str], content: bytes
    ) -> None:
        self.request = request
        self.status_code = status_code
        self.reason = reason
        self.headers = headers
        self.content = content

    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", errors="replace")


class ReadingTransport(AsyncHttpTransport[ReadRequest, Any]):
    """A transport for reads.

    Args:
        connections: the SDK's transport, whose connections are used; whoever made it closes it.
        timeout: seconds for the making of a connection, and for each wait for bytes.
        fence: asked right before each request that changes something.
    """

    def __init__(self, connections: AioHttpTransport, timeout: float, fence: Fence = NO_FENCE) -> None:
        self._connections = connections
        self._fence = fence
        self._timeout = aiohttp.ClientTimeout(sock_connect=timeout, sock_read=timeout)

    async def open(self) -> None:
        """Open the SDK's transport."""
        await self._connections.open()

    async def close(self) -> None:
        """Nothing: the connections are not its own."""

    async def __aenter__(self) -> ReadingTransport:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing, either."""

    async def send(self, request: ReadRequest, **_: Any) -> Any:
        """Send a request, and read the answer.

        Raises:
            AzureError: as the SDK's own transport does.
        """
        await self._connections.open()
        session = self._connections.session
        if session is None:
            raise ServiceRequestError("The connections are closed.")
        if request.method not in _READS:
            await self._fence.held()
        try:
            async with session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
        except aiohttp.ClientResponseError as error:
            raise ServiceResponseError(error, error=error) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise ServiceRequestTimeoutError(error, error=error) from error
        except TimeoutError as error:
            raise ServiceResponseTimeoutError(error, error=error) from error
        except aiohttp.ClientError as error:
            raise ServiceRequestError(error, error=error) from error
        coding = answer.headers.get("Content-Encoding")
        content = _decoded(body, coding) if coding else body
        return ReadResponse(request, answer.status, answer.reason or "", answer.headers, content)


def _decoded(body: bytes, coding: str) -> bytes:
    """A body without its coding, of which the SDK's connections leave the undoing to their user.

    Raises:
        DecodeError: it cannot be undone.
    """
    windows = {"gzip": (16 + zlib.MAX_WBITS,), "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS)}
    for window in windows.get(coding.lower(), ()):
        try:
            return zlib.decompress(body, window)
        except zlib.error:
            continue
    if coding.lower() == "identity":
        return body
    raise DecodeError(f"The answer is coded as {coding[:20]}, and cannot be read so.")
