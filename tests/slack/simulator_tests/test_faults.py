"""Troubles of the Web API, as the unmodified slack_sdk meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.simulator import Fault, FaultKind, SimulatedSlack
from tests.slack.simulator.seed import ALICE, IMAGES, RELEASE
from tests.slack.simulator_tests.bolt_app import client_of
from tests.support.clock import FakeClock

POST = "chat.postMessage"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def sim(clock: FakeClock) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock=clock) as running:
        yield running


@pytest.fixture
def client(sim: SimulatedSlack) -> AsyncWebClient:
    return client_of(sim)


async def say(client: AsyncWebClient, text: str = "hello", channel: str = IMAGES) -> None:
    """Post a message."""
    await client.chat_postMessage(channel=channel, text=text)


async def error_of(client: AsyncWebClient) -> tuple[int, str, str | None]:
    """Status, error and Retry-After of a refused message."""
    with pytest.raises(SlackApiError) as caught:
        await say(client)
    answer = caught.value.response
    return answer.status_code, answer["error"], answer.headers.get("Retry-After")


async def test_a_rate_limit_says_when_to_come_back(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    sim.faults.rate_limit(POST, times=2, retry_after=7)
    assert await error_of(client) == (429, "ratelimited", "7")
    assert (await client.auth_test())["ok"]
    assert await error_of(client) == (429, "ratelimited", "7")
    await say(client)
    assert len(sim.from_bot("images")) == 1


async def test_the_sdks_own_handler_waits_and_tries_again(
    sim: SimulatedSlack, client: AsyncWebClient
) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    sim.faults.rate_limit(POST, retry_after=0)
    await say(client)
    assert [call.status for call in sim.calls(POST)] == [429, 200]


async def test_an_error_of_choice(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    sim.faults.refuse(POST, "restricted_action")
    assert await error_of(client) == (200, "restricted_action", None)
    assert sim.from_bot("images") == []


@pytest.mark.parametrize(("kind", "done"), [(FaultKind.SERVER_ERROR, 0), (FaultKind.BROKEN_AFTER, 1)])
async def test_a_server_error_before_or_after_the_work(
    sim: SimulatedSlack, client: AsyncWebClient, kind: FaultKind, done: int
) -> None:
    sim.faults.add(Fault(kind, POST, status=503))
    with pytest.raises(SlackApiError) as caught:
        await say(client)
    assert caught.value.response.status_code == 503
    assert len(sim.from_bot("images")) == done


async def test_a_lost_answer_leaves_the_message_standing(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    sim.faults.lose_answer(POST)
    with pytest.raises(aiohttp.ClientError):
        await say(client)
    assert [message.text for message in sim.from_bot("images")] == ["hello"]


async def test_a_hanging_call_times_out_and_does_nothing(sim: SimulatedSlack) -> None:
    client = client_of(sim, timeout=1)
    fault = sim.faults.hang(POST)
    waiting = asyncio.create_task(say(client))
    await sim.faults.struck(fault)
    with pytest.raises(asyncio.TimeoutError):
        await waiting
    assert sim.from_bot("images") == []


async def test_a_slow_call_goes_on_when_let(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    fault = sim.faults.slow(POST)
    waiting = asyncio.create_task(say(client))
    await sim.faults.struck(fault)
    assert sim.from_bot("images") == []
    assert not waiting.done()
    fault.release()
    await waiting
    assert len(sim.from_bot("images")) == 1


async def test_a_fault_may_wait_for_a_later_call_and_strike_anything(
    sim: SimulatedSlack, client: AsyncWebClient
) -> None:
    sim.faults.add(Fault(FaultKind.REFUSE, "*", error="internal_error", after=1))
    await say(client)
    assert await error_of(client) == (200, "internal_error", None)
    sim.faults.refuse(POST, "fatal_error", times=9)
    sim.faults.clear()
    await say(client)


async def test_enforced_limits_let_one_message_a_second_into_a_channel(
    sim: SimulatedSlack, client: AsyncWebClient, clock: FakeClock
) -> None:
    sim.limits.enforced = True
    for _ in range(3):
        await say(client)
    assert await error_of(client) == (429, "ratelimited", "1")
    await say(client, channel=RELEASE)
    clock.advance(timedelta(seconds=1))
    await say(client)
    assert await error_of(client) == (429, "ratelimited", "1")
    assert sim.limits.refused == 2


async def test_enforced_limits_of_a_tier(
    sim: SimulatedSlack, client: AsyncWebClient, clock: FakeClock
) -> None:
    sim.limits.enforced = True
    for _ in range(20):
        await client.usergroups_list()
    with pytest.raises(SlackApiError) as caught:
        await client.usergroups_list()
    assert caught.value.response.headers["Retry-After"] == "3"
    clock.advance(timedelta(seconds=3))
    await client.usergroups_list()


async def test_a_trigger_is_good_for_three_seconds(
    sim: SimulatedSlack, client: AsyncWebClient, clock: FakeClock
) -> None:
    delivery = await sim.person("alice").shortcut("launch")
    clock.advance(timedelta(seconds=4))
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Hi"}, "blocks": [{"type": "divider"}]}
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=delivery.payload["trigger_id"], view=view)


async def test_a_response_url_is_good_for_half_an_hour(sim: SimulatedSlack, clock: FakeClock) -> None:
    delivery = await sim.person("alice").command("/slipway", "x")
    url = delivery.payload["response_url"]
    async with aiohttp.ClientSession() as session:
        async with session.post(url, json={"text": "in time"}) as answer:
            assert answer.status == 200
        for body, error in (({"blocks": [{"type": "x"}]}, "invalid_blocks"), ({}, "no_text")):
            async with session.post(url, json=body) as answer:
                assert (answer.status, (await answer.json())["error"]) == (400, error)
        clock.advance(timedelta(minutes=31))
        async with session.post(url, json={"text": "too late"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (200, "expired_url")
    assert [message.text for message in sim.person(ALICE).ephemerals] == ["in time"]


async def test_timestamps_never_repeat_while_the_clock_stands(sim: SimulatedSlack) -> None:
    messages = [await sim.person("alice").post("images", "x") for _ in range(5)]
    stamps = [message.ts for message in messages]
    assert stamps == sorted(set(stamps))
    assert stamps[0] == "1795176000.000000"
