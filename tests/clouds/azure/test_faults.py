"""Whatever Azure does wrong ends in a CloudError of the right kind, soon, and with nothing half-done called done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, ResponsibleParty
from tests.support.azure import (
    CANDIDATE_NUMBER,
    QUICK,
    X64,
    AzureHarness,
    azure_harness,
    publishing_profile,
)
from tests.support.clouds import cloud_context

Call = Callable[[AzureGallery], Awaitable[object]]

CALLS: dict[str, Call] = {
    "definitions": lambda gallery: gallery.definitions(),
    "versions": lambda gallery: gallery.versions(X64),
    "version": lambda gallery: gallery.version(X64, CANDIDATE_NUMBER),
    "set_promoted": lambda gallery: gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True),
    "delete_version": lambda gallery: gallery.delete_version(X64, CANDIDATE_NUMBER),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
FOR_EVER = {"times": None}


async def failure(here: AzureHarness, call: Call, fault: Fault) -> CloudError:
    """The error that a call ends in under a fault."""
    here.azure.faults.add(fault)
    with pytest.raises(CloudError) as caught:
        await call(here.gallery)
    assert caught.value.cloud == "azure"
    assert "on purpose" not in caught.value.sentence, "the raw message must not be pasted"
    assert "\n" not in caught.value.sentence
    assert caught.value.sentence.endswith(".")
    return caught.value


@every_call
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault(kind=FaultKind.REFUSE, **FOR_EVER), CloudErrorKind.REFUSED, "AuthorizationFailed"),
        (Fault(kind=FaultKind.THROTTLE, **FOR_EVER), CloudErrorKind.THROTTLED, "TooManyRequests"),
        (Fault(kind=FaultKind.ERROR, **FOR_EVER), CloudErrorKind.BROKEN, "InternalServerError"),
        (Fault(kind=FaultKind.ERROR, code="<b>no\ncode</b>", **FOR_EVER), CloudErrorKind.BROKEN, ""),
        (Fault(kind=FaultKind.DROP, **FOR_EVER), CloudErrorKind.UNREACHABLE, ""),
        (Fault(kind=FaultKind.LOST_ANSWER, match="GET *", **FOR_EVER), CloudErrorKind.UNREACHABLE, ""),
        (Fault(kind=FaultKind.HOLD_BEFORE, **FOR_EVER), CloudErrorKind.TIMED_OUT, ""),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else str(value),
)
async def test_every_call_tells_what_went_wrong(
    call: Call, fault: Fault, kind: CloudErrorKind, code: str
) -> None:
    hold = fault.kind is FaultKind.HOLD_BEFORE
    more: dict[str, Any] = {
        "max_attempts": 2,
        **({"timeout": "1s", "operation_timeout": "1s"} if hold else {}),
    }
    async with azure_harness(more=more) as here:
        error = await failure(here, call, fault)
        assert (error.kind, error.code) == (kind, code)
        # Two attempts at a request; aiohttp may double each, and a change is a write, its polling and a look. What
        # is throttled is asked for as long as five minutes of growing pauses last.
        assert len(here.azure.requests) <= (20 if fault.kind is FaultKind.THROTTLE else 12)


@every_call
@pytest.mark.parametrize(
    "body",
    [
        "<html><body>Sign in to the hotel's network</body></html>",
        "",
        "null",
        "[]",
        "7",
        '"text"',
        "{}",
        '{"value": null}',
        '{"value": {"name": "x"}}',
        '{"name": "43.20261118.0", "location": "eastus", "properties": {"provisioningState": "Succeeded"}}',
        "{",
        pytest.param('{"value": ' + "[" * 20_000, id="nested without end"),
    ],
)
async def test_nonsense_is_called_nonsense(call: Call, body: str) -> None:
    async with azure_harness(more={"max_attempts": 2}) as here:
        error = await failure(here, call, Fault(kind=FaultKind.GARBAGE, match="GET *", body=body, **FOR_EVER))
        assert error.kind is CloudErrorKind.UNEXPECTED_ANSWER
        assert "hotel" not in error.sentence


@every_call
async def test_one_passing_fault_is_tried_over(call: Call) -> None:
    for kind in (FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.DROP, FaultKind.LOST_ANSWER):
        async with azure_harness(polls=2) as here:
            armed = here.azure.faults.add(Fault(kind=kind))
            await call(here.gallery)
            assert armed.hits == 1


async def test_retry_after_is_honoured_when_it_is_short() -> None:
    async with azure_harness() as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=0.01, times=3))
        assert await here.gallery.definitions()
        assert here.requests("GET") == 4


@every_call
async def test_a_retry_after_of_an_hour_is_told_and_not_slept(call: Call) -> None:
    async with azure_harness() as here:
        fault = Fault(kind=FaultKind.THROTTLE, seconds=3600, match="*", **FOR_EVER)
        error = await asyncio.wait_for(failure(here, call, fault), 10)
        assert error.kind is CloudErrorKind.THROTTLED
        assert "left alone for 1h" in error.sentence
        assert len(here.azure.requests) == 1


@every_call
@pytest.mark.parametrize("words", ["Too many requests.", "It exceeds approved quota."])
async def test_a_429_is_a_throttle_whatever_its_code_and_words_mean_elsewhere(call: Call, words: str) -> None:
    fault = Fault(kind=FaultKind.ERROR, status=429, code="OperationNotAllowed", message=words, **FOR_EVER)
    async with azure_harness(more={"max_attempts": 2}) as here:
        error = await failure(here, call, fault)
    assert (error.kind, error.code) == (CloudErrorKind.THROTTLED, "OperationNotAllowed")
    assert error.responsible is ResponsibleParty.CLOUD


async def test_a_write_that_another_took_the_place_of_is_made_again_where_that_one_lacks_it() -> None:
    async with azure_harness() as here:
        preempted = Fault(kind=FaultKind.FAIL_HALFWAY, match="PUT *", code="OperationPreempted")
        here.azure.faults.add(preempted)
        polled = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET */capsOperations/*"))
        writing = asyncio.create_task(here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True))
        await polled.reached.wait()
        publishing_profile(here.azure, X64, str(CANDIDATE_NUMBER))["excludeFromLatest"] = True
        polled.release()
        await writing
        assert here.excluded(CANDIDATE_NUMBER) is False
        assert here.requests("PUT") == 2


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.ERROR, FaultKind.DROP, FaultKind.THROTTLE])
async def test_a_write_that_nobody_knows_the_fate_of_ends_right(kind: FaultKind) -> None:
    async with azure_harness(polls=2) as here:
        here.azure.faults.add(Fault(kind=kind, match="PUT *"))
        await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.excluded(CANDIDATE_NUMBER) is False
        assert here.azure.state.version(X64, str(CANDIDATE_NUMBER)).state == "Succeeded"
        assert len(here.azure.state.operations) == 1, "one effect, however often it was asked for"


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.ERROR, FaultKind.DROP, FaultKind.THROTTLE])
async def test_a_deletion_that_nobody_knows_the_fate_of_ends_right(kind: FaultKind) -> None:
    async with azure_harness(polls=2) as here:
        here.azure.faults.add(Fault(kind=kind, match="DELETE *"))
        await here.gallery.delete_version(X64, CANDIDATE_NUMBER)
        assert not here.has(CANDIDATE_NUMBER)


async def test_a_failure_on_a_later_page_fails_the_whole_listing() -> None:
    async with azure_harness(page_size=4) as here:
        fault = Fault(kind=FaultKind.REFUSE, match="GET */versions", after=2, **FOR_EVER)
        error = await failure(here, CALLS["versions"], fault)
        assert error.kind is CloudErrorKind.REFUSED


async def test_a_deletion_polled_by_location_alone_fails_as_loudly() -> None:
    async with azure_harness(location_only=True) as here:
        error = await failure(here, CALLS["delete_version"], Fault(kind=FaultKind.FAIL_HALFWAY, match="DEL*"))
        assert error.kind is CloudErrorKind.CONFLICT
        assert here.has(CANDIDATE_NUMBER)


@pytest.mark.parametrize("name", ["set_promoted", "delete_version"])
@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("", CloudErrorKind.BROKEN, "ended in failure .InternalOperationError"),
        ("QuotaExceeded", CloudErrorKind.QUOTA, "ended in failure .QuotaExceeded"),
        ("Canceled", CloudErrorKind.CONFLICT, "cancelled"),
    ],
)
async def test_an_operation_that_fails_halfway_is_a_failure(
    name: str, code: str, kind: CloudErrorKind, words: str
) -> None:
    async with azure_harness() as here:
        fault = Fault(kind=FaultKind.FAIL_HALFWAY, match="[PD][UE][TL]*", code=code)
        error = await failure(here, CALLS[name], fault)
        assert error.kind is kind
        with pytest.raises(CloudError, match=words):
            raise error
        assert here.has(CANDIDATE_NUMBER)
        assert here.requests("PUT") + here.requests("DELETE") == 1


@pytest.mark.parametrize("name", ["set_promoted", "delete_version"])
async def test_an_operation_without_end_is_given_up_at_the_limit(name: str) -> None:
    async with azure_harness(more={"operation_timeout": "1s"}) as here:
        error = await failure(here, CALLS[name], Fault(kind=FaultKind.NEVER_END, match="[PD][UE][TL]*"))
        assert error.kind is CloudErrorKind.TIMED_OUT
        assert "within 1s" in error.sentence


async def test_losing_the_right_while_waiting_is_not_taken_for_success() -> None:
    async with azure_harness() as here:
        fault = Fault(kind=FaultKind.REFUSE, match="GET *", **FOR_EVER)
        error = await failure(here, CALLS["delete_version"], fault)
        assert "could not be looked up" in error.sentence
        assert error.kind is CloudErrorKind.REFUSED


async def test_a_token_that_expired_in_the_middle_is_told_in_azures_words() -> None:
    async with azure_harness() as here:
        words = "The access token expiry UTC time '3:54:29 PM' is earlier than current UTC time '3:54:44 PM'."
        fault = Fault(kind=FaultKind.ERROR, status=401, code="ExpiredAuthenticationToken", message=words)
        error = await failure(here, CALLS["versions"], fault)
    assert (error.kind, error.code, error.reason) == (CloudErrorKind.REFUSED, fault.code, words)


async def test_azure_out_of_reach_is_told_so() -> None:
    async with azure_harness(more={"max_attempts": 1}) as here:
        await here.azure.stop()
        with pytest.raises(CloudError) as caught:
            await here.gallery.definitions()
        assert caught.value.kind is CloudErrorKind.UNREACHABLE


@asynccontextmanager
async def command_runner(
    answer: Callable[[web.Request], Awaitable[web.Response]],
) -> AsyncIterator[AzureGallery]:
    """An adapter whose Azure gives this answer to everything."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings = AzureSettings(subscription_id="s", resource_group="g", gallery="G", endpoint=url)
    gallery = AzureGallery(settings, cloud_context("azure"), timing=QUICK)
    try:
        yield gallery
    finally:
        await gallery.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://elsewhere.example/steal", "another host"),
        ("http://127.0.0.1.elsewhere.example/steal", "another host"),
        ("SAME", "in circles"),
    ],
)
async def test_links_that_lead_astray_are_not_followed(link: str, words: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        body = {"value": [], "nextLink": str(request.url) if link == "SAME" else link}
        return web.json_response(body)

    async with command_runner(answer) as gallery:
        with pytest.raises(CloudError, match=words) as caught:
            await gallery.definitions()
    assert caught.value.kind is CloudErrorKind.UNEXPECTED_ANSWER
    assert len(asked) <= 2


@pytest.mark.parametrize("link", ["", None])
async def test_a_listing_ends_where_no_link_is_named_however_that_is_written(link: str | None) -> None:
    """azure-core's own paging, too, takes an empty link for the end."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"value": [], "nextLink": link})

    async with command_runner(answer) as gallery:
        assert await gallery.definitions() == ()
        assert not (await gallery.versions(X64)).versions
        assert await gallery.locks() == ()
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (429, {"Retry-After": "soon"}, CloudErrorKind.THROTTLED),
        (429, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, CloudErrorKind.THROTTLED),
        (409, {"Retry-After": "1"}, CloudErrorKind.CONFLICT),
        (302, {"Location": "/elsewhere"}, CloudErrorKind.UNEXPECTED_ANSWER),
        (401, {"WWW-Authenticate": "Bearer"}, CloudErrorKind.REFUSED),
        (418, {}, CloudErrorKind.INVALID),
        (503, {"Retry-After": "7200"}, CloudErrorKind.THROTTLED),
    ],
)
async def test_unusual_answers_are_told_at_once(
    status: int, headers: dict[str, str], kind: CloudErrorKind
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(
            status=status, headers=headers, text="<html>sorry</html>", content_type="text/html"
        )

    async with command_runner(answer) as gallery:
        with pytest.raises(CloudError, match=f"HTTP {status}") as caught:
            await gallery.definitions()
    assert caught.value.kind is kind
    assert len(asked) == 1


@pytest.mark.parametrize("coding", list(web.ContentCoding))
async def test_listings_are_read_however_azure_packs_them(coding: web.ContentCoding) -> None:
    async def answer(_: web.Request) -> web.Response:
        packed = web.json_response({"value": [{"name": X64, "properties": {}}], "padding": "x" * 5000})
        packed.enable_compression(coding)
        return packed

    async with command_runner(answer) as gallery:
        (definition,) = await gallery.definitions()
    assert definition.name == X64


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
async def test_what_cannot_be_unpacked_is_called_nonsense(coding: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b'{"value": []}', headers={"Content-Encoding": coding})

    async with command_runner(answer) as gallery:
        with pytest.raises(CloudError) as caught:
            await gallery.definitions()
    assert caught.value.kind is CloudErrorKind.UNEXPECTED_ANSWER


async def test_even_the_last_attempts_answer_may_get_lost() -> None:
    async with azure_harness(polls=2, more={"max_attempts": 1}) as here:
        here.azure.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="PUT *", **FOR_EVER))
        await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.excluded(CANDIDATE_NUMBER) is False
        assert len(here.azure.state.operations) == 1


async def test_a_write_that_never_arrives_is_given_up_after_the_attempts() -> None:
    async with azure_harness(more={"max_attempts": 3}) as here:
        error = await failure(
            here, CALLS["set_promoted"], Fault(kind=FaultKind.DROP, match="PUT *", **FOR_EVER)
        )
        assert error.kind is CloudErrorKind.UNREACHABLE
        assert here.excluded(CANDIDATE_NUMBER) is True


async def test_a_token_service_out_of_reach_is_told_and_no_secret_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://127.0.0.1:1")
    settings = AzureSettings(
        subscription_id="s",
        resource_group="g",
        gallery="G",
        endpoint="https://127.0.0.1:1",
        tenant_id="00000000-0000-4000-8000-000000000001",
        client_id="client",
        client_secret=SecretStr("s3cret"),
        max_attempts=1,
    )
    gallery = AzureGallery(settings, cloud_context("azure"), timing=QUICK)
    try:
        with pytest.raises(CloudError) as caught:
            await gallery.definitions()
    finally:
        await gallery.close()
    assert caught.value.kind in (CloudErrorKind.UNREACHABLE, CloudErrorKind.REFUSED)
    assert "s3cret" not in caught.value.sentence
