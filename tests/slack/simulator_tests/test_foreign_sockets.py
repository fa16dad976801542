"""Socket Mode as clients that nobody here wrote see it: slack_sdk's own, and a plain WebSocket of aiohttp."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.simulator import Reason, SimulatedSlack
from tests.slack.simulator.transport.socket_mode import MOST_CONNECTIONS

Json = dict[str, Any]


class Client:
    """slack_sdk's client, and what it heard: every message as it came, and every request."""

    def __init__(self, sim: SimulatedSlack) -> None:
        self.sim = sim
        self.messages: list[Json] = []
        self.requests: list[SocketModeRequest] = []
        web = AsyncWebClient(token=sim.bot_token, base_url=sim.api_url)
        self.sdk = SocketModeClient(app_token=sim.app_token, web_client=web, ping_interval=1)
        self.sdk.on_message_listeners.append(self._on_message)  # the others are not told of “disconnect”
        self.sdk.socket_mode_request_listeners.append(self._on_request)

    async def _on_message(self, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.TEXT:
            self.messages.append(json.loads(message.data))
            self.sim.changes.notify()

    async def _on_request(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async def hears(self, kind: str, times: int = 1) -> list[Json]:
        """Wait for so many messages of a type."""

        def found() -> list[Json]:
            return [each for each in self.messages if each.get("type") == kind]

        await self.sim.until(lambda: len(found()) >= times, f"{times} of {kind}")
        return found()


@pytest.fixture
async def client(sim: SimulatedSlack) -> AsyncIterator[Client]:
    one = Client(sim)
    await one.sdk.connect()  # type: ignore[no-untyped-call]
    yield one
    await one.sdk.close()  # type: ignore[no-untyped-call]


async def _socket(sim: SimulatedSlack, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    web = AsyncWebClient(token=sim.bot_token, base_url=sim.api_url)
    answer = await web.apps_connections_open(app_token=sim.app_token)
    return await session.ws_connect(str(answer["url"]), autoclose=False)


async def test_a_greeting_tells_how_many_connections_there_are_for_how_long_and_where(client: Client) -> None:
    (hello,) = await client.hears("hello")
    assert hello["num_connections"] == 1
    assert hello["connection_info"] == {"app_id": client.sim.world.app.id}
    assert hello["debug_info"]["host"].startswith("applink-")
    assert hello["debug_info"]["approximate_connection_time"] == 18060  # seconds: some five hours
    assert isinstance(hello["debug_info"]["build_number"], int)
    async with aiohttp.ClientSession() as session:
        second = await _socket(client.sim, session)
        assert (await second.receive_json())["num_connections"] == 2
        await second.close()


async def test_one_connection_too_many_is_told_how_many_there_are_and_closed(sim: SimulatedSlack) -> None:
    async with aiohttp.ClientSession() as session:
        held = [await _socket(sim, session) for _ in range(MOST_CONNECTIONS)]
        for number, each in enumerate(held, 1):
            assert (await each.receive_json())["num_connections"] == number
        extra = await _socket(sim, session)
        told = await extra.receive_json()
        assert (told["type"], told["reason"]) == ("disconnect", "too_many_websockets")
        assert told["num_connections"] == MOST_CONNECTIONS
        assert told["connection_info"] == {"app_id": sim.world.app.id}
        assert told["debug_info"]["host"]
        assert (await extra.receive()).type is aiohttp.WSMsgType.CLOSE
        await asyncio.gather(*(each.close() for each in (extra, *held)))


async def test_a_client_that_leaves_is_answered_by_a_close_of_the_same_code(sim: SimulatedSlack) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await _socket(sim, session)
        await socket.receive_json()
        assert await socket.close(code=1000)
        assert socket.close_code == 1000
        await sim.until(lambda: not sim.sockets.live, "the connection to be gone")


@pytest.mark.parametrize("reason", [Reason.REFRESH_REQUESTED, Reason.WARNING])
async def test_the_sdk_comes_back_after_it_was_asked_to_leave_and_hears_what_was_said_since(
    client: Client, reason: Reason
) -> None:
    before = await client.sim.disconnect(reason)
    (told,) = await client.hears("disconnect")
    assert (told["reason"], bool(told["debug_info"]["host"])) == (reason.value, True)
    await client.sim.connected(after=before)
    await client.hears("hello", times=2)
    said = await client.sim.person("alice").post("images", "still there?")
    await said.deliveries[0].acked()
    payloads = [json.dumps(each.payload) for each in client.requests]
    assert ["still there?" in each for each in payloads] == [True]
