"""Asking a service that speaks JSON over HTTPS: pages, entity tags, rate limits, and its errors in plain words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from slipway import __version__
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.times import Clock
from slipway.bot.subjects.machines.keys.published import MOST_LISTED

PER_PAGE = 100
"""The most that GitHub and GitLab put on a page."""

FRESH = timedelta(minutes=1)
"""So long an answer counts without asking, and a key that was revoked still opens what is launched."""

KEPT = timedelta(minutes=10)
"""So long an answer is kept, for the service to say that it still holds."""

_MOST_KEPT = 256  # answers
_MOST_BYTES = 4 * 1024 * 1024  # of one page
_LONGEST_PAUSE = timedelta(days=1)  # one that ends later was set by a clock that was ahead
_SECONDARY_PAUSE = timedelta(minutes=1)  # what GitHub asks for where it names no time


class NotThereError(Exception):
    """The service knows nothing at this path (404)."""


@dataclass(frozen=True)
class _Answer:
    """One page.

    Attributes:
        body: its JSON.
        more: whether another page follows.
        etag: the service's mark of this state of it; empty where it gave none.
        at: when it was last known to hold.
    """

    body: Any
    more: bool
    etag: str
    at: datetime


class KeyHttp:
    """Asks one service, and remembers its answers for minutes.

    Args:
        title: what people call it.
        name: its key in ``[keys]``.
        address: where its paths begin.
        timeout: how long one request may take.
        clock: the present.
    """

    def __init__(self, title: str, name: str, address: str, timeout: timedelta, clock: Clock) -> None:
        self.title = title
        self._name = name
        self._address = address.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())
        self._clock = clock
        self._kept: dict[str, _Answer] = {}
        self._quiet_until: datetime | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path.

        Raises:
            NotThereError: there is nothing.
            CloudError: it cannot be had.
        """
        return (await self._page(path, dict(query or {}))).body

    async def all(self, path: str) -> AsyncIterator[Any]:
        """The entries of all pages of a list, in order, as far as :data:`.published.MOST_LISTED` and a page beyond.

        Raises:
            NotThereError: there is nothing.
            CloudError: it cannot be had.
        """
        for number in range(1, MOST_LISTED // PER_PAGE + 2):
            page = await self._page(path, {"per_page": str(PER_PAGE), "page": str(number)})
            if not isinstance(page.body, list):
                raise self.odd("a list was expected")
            for entry in page.body:
                yield entry
            if not page.more:
                return

    def odd(self, what: str) -> CloudError:
        """The error for an answer that cannot be understood."""
        sentence = f"{self.title} answered something that cannot be understood: {what}."
        return CloudError(CloudErrorKind.UNEXPECTED_ANSWER, cloud=self._name, sentence=sentence)

    async def _page(self, path: str, query: dict[str, str]) -> _Answer:
        now = self._clock()
        key = f"{path}?{query}"
        held = self._kept.get(key)
        if held is not None and not timedelta() <= now - held.at < KEPT:  # or the clock was set back
            held = None
        if held is not None and now - held.at < FRESH:
            return held
        if self._quiet_until is not None and now < self._quiet_until <= now + _LONGEST_PAUSE:
            raise self._limited(self._quiet_until)
        found = await self._ask(path, query, held)
        self._kept.pop(key, None)
        self._kept[key] = found  # the newest stands last
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return found

    async def _ask(self, path: str, query: dict[str, str], held: _Answer | None) -> _Answer:
        headers = {"Accept": "application/json", "User-Agent": f"Slipway/{__version__}"}
        if held is not None and held.etag:
            headers["If-None-Match"] = held.etag
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, trust_env=True) as session,
                session.get(
                    f"{self._address}{path}", params=query, headers=headers, allow_redirects=False
                ) as response,
            ):
                if response.status == 304 and held is not None:
                    return replace(held, at=self._clock())
                self._check(response)
                return _Answer(
                    body=self._read(await _limited_body(response)),
                    more="next" in response.links,
                    etag=response.headers.get("ETag", ""),
                    at=self._clock(),
                )
        except TimeoutError as error:
            sentence = f"{self.title} did not answer in time."
            raise CloudError(CloudErrorKind.TIMED_OUT, cloud=self._name, sentence=sentence) from error
        except (aiohttp.ClientError, OSError) as error:
            sentence = f"{self.title} cannot be reached at {urlsplit(self._address).netloc}."
            raise CloudError(CloudErrorKind.UNREACHABLE, cloud=self._name, sentence=sentence) from error

    def _read(self, body: bytes | None) -> Any:
        if body is None:
            raise self.odd("it is too long")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise self.odd("it is no JSON") from None

    def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raise what an answer means that is not what was asked for."""
        status = response.status
        if status == 200:
            return
        if status == 404:
            raise NotThereError
        if status == 429 or (status == 403 and _says_limit(response.headers)):
            self._quiet_until = _until(response.headers, self._clock())
            raise self._limited(self._quiet_until)
        if status in (401, 403):
            kind, what = CloudErrorKind.REFUSED, "does not let Slipway look this up without an account"
        elif status >= 500:
            kind, what = CloudErrorKind.BROKEN, "has a fault of its own now"
        else:
            kind, what = CloudErrorKind.UNEXPECTED_ANSWER, "did not answer what was asked"
        raise CloudError(kind, cloud=self._name, sentence=f"{self.title} {what} (HTTP {status}).")

    def _limited(self, until: datetime) -> CloudError:
        return CloudError(
            CloudErrorKind.THROTTLED,
            cloud=self._name,
            sentence=f"{self.title} was asked too often from here, and answers again at {until:%H:%M} UTC.",
            remedy=Remedy(when=f"at {until:%H:%M} UTC"),
            retry_after=max(0.0, (until - self._clock()).total_seconds()),
        )


def _says_limit(headers: Mapping[str, str]) -> bool:
    """Whether a refusal is one of too many requests: GitHub gives it the status of any refusal."""
    return headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers


def _until(headers: Mapping[str, str], now: datetime) -> datetime:
    """When it may be asked again, by what it says; never further away than a day, nor in the past."""
    latest = now + _LONGEST_PAUSE
    pause, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if pause.isdecimal() and len(pause) < 9:
        wanted = now + timedelta(seconds=int(pause))
    elif reset.isdecimal() and len(reset) < 12:
        wanted = datetime.fromtimestamp(int(reset), UTC)
    else:
        wanted = now + _SECONDARY_PAUSE
    # To the full minute: what people are told is when it works.
    whole = wanted.replace(second=0, microsecond=0)
    return min(max(whole + timedelta(minutes=1) if whole < wanted else whole, now), latest)


async def _limited_body(response: aiohttp.ClientResponse) -> bytes | None:
    """The body; None where it is too long."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > _MOST_BYTES:
            return None
    return bytes(body)
