"""Calls to AWS: boto3 in threads of its own, each call with an end in time and each failure in plain words.

boto3 is synchronous and slow to import, so it is imported in the first call's thread. The pool is small and
not shared: a cloud that hangs can hold up calls to itself and nothing else.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from slipway.bot.clouds.aws.error_codes import is_throttle
from slipway.bot.clouds.aws.errors import (
    Ec2Request,
    UnexpectedResponseError,
    code_of,
    is_unclear,
    translate_botocore_error,
    translate_client_error,
)
from slipway.bot.clouds.aws.key_files import KeyFiles
from slipway.bot.clouds.aws.pacing import Lane
from slipway.bot.clouds.aws.responses import Response
from slipway.bot.clouds.aws.sessions import new_session
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.contact import CloudContact, TriedAgainError
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.loading import LIBRARY_IMPORT
from slipway.bot.core.secret_files import SecretFile

T = TypeVar("T")

_THREADS = 64  # of calls at once: ten launches look at half a dozen things each
_CONNECT_TIMEOUT = timedelta(seconds=5)  # where the configured timeout is not shorter

# What botocore's parser raises on XML of another shape than the operation's, beside its own errors.
_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError)


def longest_call(settings: AwsSettings) -> timedelta:
    """How long a call may take with all its attempts.

    Between attempts botocore's standard mode waits up to 1, 2, 4, … seconds, and never more than 20
    (botocore.retries.standard.ExponentialBackoff).
    """
    waits = sum(min(2**attempt, 20) for attempt in range(settings.max_attempts - 1))
    return (settings.timeout + connect_timeout(settings)) * settings.max_attempts + timedelta(seconds=waits)


def connect_timeout(settings: AwsSettings) -> timedelta:
    """How long it may take until the cloud takes a connection."""
    return min(_CONNECT_TIMEOUT, settings.timeout)


@dataclass(eq=False)
class _PendingCall:
    """A call in a thread: when it must end, whether somebody still waits for it, and whether one of its tries
    was answered so that nobody knows whether it took effect."""

    deadline: float
    abandoned: threading.Event = field(default_factory=threading.Event)
    unclear: bool = False
    changes: bool = False

    @property
    def over(self) -> bool:
        return self.abandoned.is_set() or time.monotonic() > self.deadline


_WRITTEN_DOWN = ("env", "shared-credentials-file", "config-file")
"""Ways of botocore to find credentials that somebody typed or pasted."""


class _DeadlineError(Exception):
    """The call's time is over, or nobody waits for it, so no further request of it may be sent."""


class _ThrottledError(TriedAgainError):
    """AWS refused a request as one too many; ``error`` is what to tell where it stays so."""

    def __init__(self, error: CloudError) -> None:
        super().__init__(error.sentence)
        self.error = error


class AwsCalls:
    """One client of one service in one region, and the threads it works in. Safe to share between tasks.

    Args:
        settings: credentials, endpoint, and how long to wait.
        contact: is told when the cloud answered.
        lane: makes what requests for one operation share, by its name.
        region: where; None for the settings' first.
        service: boto3's name of the service.
        files: those that its credentials are in, by their fields: what is replaced there is taken up.
        mark: a word more of who sends its requests, as ``name/value``; empty for none.
        fence: asked right before each request that changes something.
    """

    def __init__(
        self,
        settings: AwsSettings,
        contact: CloudContact,
        lane: Callable[[str], Lane],
        region: str | None = None,
        service: str = "ec2",
        files: Mapping[str, SecretFile] = MappingProxyType({}),
        mark: str = "",
        fence: Fence = NO_FENCE,
    ) -> None:
        self._mark = mark
        self._fence = fence
        self._files = KeyFiles(settings, files)
        self._settings = settings
        self._region = region or settings.region
        self._service = service
        self._contact = contact
        self._new_lane = lane
        self._lanes: dict[str, Lane] = {}
        self._longest_call = longest_call(settings).total_seconds()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"aws {service}")
        self._thread = threading.local()
        self._client_lock = threading.Lock()
        self._client: Any = None
        self._session: Any = None
        self._calls: set[_PendingCall] = set()
        self._closed = False

    async def call(
        self, request: Ec2Request, operation: str, read: Callable[[Response], T], **parameters: object
    ) -> T:
        """One request, and what ``read`` makes of its answer.

        Args:
            request: what is asked, for errors.
            operation: boto3's name of it, such as ``terminate_instances``.
            read: may raise UnexpectedResponseError; runs in the call's thread.
            parameters: as boto3 takes them.

        Raises:
            CloudError: it was not done, or its answer could not be read.
        """
        return await self._run(
            request,
            operation,
            lambda client: read(getattr(client, operation)(**parameters)),
        )

    async def pages(
        self,
        request: Ec2Request,
        operation: str,
        read: Callable[[Response], Sequence[T]],
        *,
        page_size: int,
        **parameters: object,
    ) -> list[T]:
        """What ``read`` makes of each page of a listing, put together: all pages or an error.

        Raises:
            CloudError: a page could not be had, or could not be read.
        """

        def work(client: Any) -> list[Sequence[T]]:
            pages = client.get_paginator(operation).paginate(
                PaginationConfig={"PageSize": page_size}, **parameters
            )
            return [read(page) for page in pages]

        found = await self._run(request, operation, work)
        self._lane(operation).owe(len(found) - 1)
        return [item for page in found for item in page]

    async def credentials_method(self, request: Ec2Request) -> str:
        """How credentials were found, as botocore calls it; empty where none were.

        Raises:
            CloudError: what there is cannot be used.
        """

        def look(_client: Any) -> str:
            found = self._session.get_credentials()
            return found.method if found is not None else ""

        return await self._run(request, "", look)

    def close(self) -> None:
        """Send nothing more, and let go of threads and connections; does not wait for a request under way."""
        self._closed = True
        for call in tuple(self._calls):
            call.abandoned.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def _lane(self, operation: str) -> Lane:
        if operation not in self._lanes:
            self._lanes[operation] = self._new_lane(operation)
        return self._lanes[operation]

    async def _run(self, request: Ec2Request, operation: str, work: Callable[[Any], T]) -> T:
        """Send it when it is its turn; again, where AWS throttles it, as often as may be: all that ask for the same
        pause for that together. Turns and pauses are no part of the time that a call may take."""
        unclear, lane = False, self._lane(operation)
        with lane.gate:
            for left in reversed(range(self._settings.max_attempts)):
                sent_in = await lane.enter()
                try:
                    found = await self._once(request, operation, work, unclear)
                except _ThrottledError as refused:
                    self._contact.throttled()
                    unclear = refused.error.doubtful
                    if not left or not await lane.refused(sent_in):
                        raise refused.error from refused.__cause__
                    continue
                lane.gate.served()
                return found
        raise AssertionError("there is no attempt")

    async def _once(self, request: Ec2Request, operation: str, work: Callable[[Any], T], unclear: bool) -> T:
        """Send it now; ``unclear`` says that nobody knows whether an earlier try took effect.

        Raises:
            CloudError: as :meth:`call`.
            _ThrottledError: AWS throttles it.
        """
        if self._closed:
            raise request.failed(CloudErrorKind.UNREACHABLE, "Slipway is shutting down")
        if request.changes:  # here, a wait is no part of the time that a call may take
            await self._fence.held()
        call = _PendingCall(time.monotonic() + self._longest_call, unclear=unclear, changes=request.changes)
        self._calls.add(call)
        try:
            with self._contact.noting(operation or "credentials"):
                return await self._in_time(request, call, work)
        finally:
            call.abandoned.set()
            self._calls.discard(call)

    async def _in_time(self, request: Ec2Request, call: _PendingCall, work: Callable[[Any], T]) -> T:
        try:
            async with asyncio.timeout(self._longest_call):
                return await asyncio.get_running_loop().run_in_executor(
                    self._pool, self._in_thread, request, call, work
                )
        except TimeoutError:
            raise request.timed_out() from None

    def _in_thread(self, request: Ec2Request, call: _PendingCall, work: Callable[[Any], T]) -> T:
        with LIBRARY_IMPORT:
            from botocore.exceptions import BotoCoreError, ClientError
            from botocore.parsers import ResponseParserError

        self._thread.call = call
        try:
            return work(self._open_client(request))
        except ClientError as error:
            told = translate_client_error(error, request, doubtful=call.unclear)
            if _throttles(error.response):
                raise _ThrottledError(told) from error
            raise told from error
        except (BotoCoreError, ResponseParserError) as error:
            raise translate_botocore_error(error, request, doubtful=call.unclear) from error
        except UnexpectedResponseError as error:
            why = f"its answer could not be read, for {error} is not as it must be"
            raise request.failed(CloudErrorKind.UNEXPECTED_ANSWER, why, doubtful=True) from error
        except _DeadlineError:
            raise request.timed_out() from None
        except _UNREADABLE as error:
            why = "its answer could not be read"
            raise request.failed(CloudErrorKind.UNEXPECTED_ANSWER, why, doubtful=True) from error

    def _open_client(self, request: Ec2Request) -> Any:
        with self._client_lock:
            # The client before is let go of and not closed: other threads may be in the middle of a request.
            if self._client is None or self._files.changed():
                self._client = self._make_client(request)
            return self._client

    def _make_client(self, request: Ec2Request) -> Any:
        with LIBRARY_IMPORT:
            from botocore.config import Config

        settings = self._settings
        config = Config(
            connect_timeout=connect_timeout(settings).total_seconds(),
            read_timeout=settings.timeout.total_seconds(),
            retries={"mode": "standard", "total_max_attempts": settings.max_attempts},
            max_pool_connections=_THREADS,
            user_agent_extra=self._mark or None,
        )
        try:
            key, secret = self._files.keys()
            session = new_session(access_key_id=key, secret_access_key=secret, region=self._region)
            client = session.client(self._service, endpoint_url=settings.endpoint, config=config)
            _check_credentials(session.get_credentials(), request)
            self._files.watch(session)
        except ValueError as error:  # what botocore raises for an endpoint or a region that makes no URL
            raise request.failed(
                CloudErrorKind.UNREACHABLE,
                f"the settings {request.cloud}.endpoint and {request.cloud}.region make no address",
            ) from error
        except OSError as error:
            raise request.failed(
                CloudErrorKind.REFUSED, "the files with AWS's own configuration cannot be read"
            ) from error
        self._session = session
        client.meta.events.register("before-send", self._check_time)
        client.meta.events.register("response-received", self._note_answer)
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register_first(f"needs-retry.{service}", _leave_throttles)
        return client

    def _check_time(self, **_event: object) -> None:
        """Hook of botocore before each request, retries and further pages included."""
        if self._thread.call.over:
            raise _DeadlineError
        if self._thread.call.changes:
            self._fence.held_in_thread()

    def _note_answer(
        self, parsed_response: Response | None, exception: Exception | None, **_event: object
    ) -> None:
        """Hook of botocore after each answer, or lack of one, of which it may hide all but the last."""
        if is_unclear(parsed_response, exception):
            self._thread.call.unclear = True
        answered = (parsed_response or {}).get("ResponseMetadata", {})
        self._contact.platform_clock.note(answered.get("HTTPHeaders", {}).get("date"))


def _throttles(answer: Response) -> bool:
    """Whether an answer, as botocore parses it, refuses what was one request too many."""
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return is_throttle(code_of(answer), status)


def _leave_throttles(response: tuple[Any, Response] | None, operation: Any, **_event: object) -> None:
    """Hook of botocore before it decides whether to try again: what AWS throttles is not its to repeat, for each of
    its calls would do so by itself."""
    from botocore.exceptions import ClientError

    if response is not None and "Error" in response[1] and _throttles(response[1]):
        raise ClientError(response[1], operation.name)


def _check_credentials(found: Any, request: Ec2Request) -> None:
    """What stands in variables and files may hold a line break, which would break the request's header."""
    if found is None or found.method not in _WRITTEN_DOWN:
        return
    for key in (found.access_key, found.secret_key, found.token or ""):
        if not all("!" <= sign <= "~" for sign in key):
            why = "there is a space, a line break or another sign that no key has in AWS's credentials"
            raise request.failed(CloudErrorKind.REFUSED, why, found.method)
