"""The simulator as a process of its own, steered over HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

Json = dict[str, Any]


class Process:
    """A running simulator, and a session to steer it."""

    def __init__(self, facts: Json, session: aiohttp.ClientSession) -> None:
        self.facts = facts
        self.client = AsyncWebClient(token=facts["bot_token"], base_url=facts["api_url"], retry_handlers=[])
        self._session = session

    async def get(self, name: str, **asked: str) -> Json:
        async with self._session.get(f"{self.facts['url']}/control/{name}", params=asked) as answer:
            body: Json = await answer.json()
            return body | ({} if answer.status == 200 else {"status": answer.status})

    async def do(self, name: str, **asked: Any) -> Json:
        async with self._session.post(f"{self.facts['url']}/control/{name}", json=asked) as answer:
            body: Json = await answer.json()
            return body | ({} if answer.status == 200 else {"status": answer.status})


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.slack.simulator", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    facts = json.loads(await asyncio.wait_for(running.stdout.readline(), 30))
    async with aiohttp.ClientSession() as session:
        yield Process(facts, session)
    running.terminate()
    assert await asyncio.wait_for(running.wait(), 10) == 0


async def test_a_process_is_spoken_to_listened_to_and_troubled(process: Process) -> None:
    images = process.facts["channels"]["images"]
    url = (await process.client.apps_connections_open(app_token=process.facts["app_token"]))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.receive_json()
        asked = await process.do("post", user="alice", channel="images", text="!status")
        envelope = await socket.receive_json()
        assert envelope["payload"]["event"]["ts"] == asked["ts"]
        assert (await process.do("redeliver"))["sent"] == 1
        again = await socket.receive_json()
        await socket.send_str(json.dumps({"envelope_id": again["envelope_id"]}))

        go = {"type": "button", "action_id": "go", "value": "v", "text": {"type": "plain_text", "text": "Go"}}
        blocks = [{"type": "actions", "elements": [go]}]
        said = await process.client.chat_postMessage(channel=images, text="card", blocks=blocks)
        await socket.receive_json()
        await process.do("press", user="bob", channel="images", ts=said["ts"], button="Go")
        assert (await socket.receive_json())["payload"]["actions"][0]["value"] == "v"
        await process.do("command", user="bob", command="/slipway", text="help")
        assert (await socket.receive_json())["payload"]["text"] == "help"

        state = await process.get("state")
        assert (state["connections"], state["opened"], state["calls"]["chat.postMessage"]) == (1, 1, 1)
        assert state["deliveries"]["acked"] == 1
        assert state["ack_ms"]["message"]["p99"] >= state["ack_ms"]["message"]["p50"] > 0
        listed = await process.get("messages", channel="images", after=asked["ts"])
        assert [message["text"] for message in listed["messages"]] == ["card"]
        calls = await process.get("calls", method="chat.postMessage")
        assert calls["calls"][0]["args"]["channel"] == images
        assert process.facts["bot_token"] not in json.dumps(calls)

        await process.do("fault", kind="rate_limit", method="chat.postMessage", retry_after=3)
        with pytest.raises(SlackApiError) as caught:
            await process.client.chat_postMessage(channel=images, text="x")
        assert caught.value.response.headers["Retry-After"] == "3"
        await process.do("disconnect", reason="refresh_requested")
        assert (await socket.receive_json())["reason"] == "refresh_requested"


async def test_an_order_that_makes_no_sense_is_refused(process: Process) -> None:
    assert (await process.do("post", user="nobody", channel="images", text="x"))["status"] == 400
    assert "user" in (await process.do("post"))["error"]
    assert (await process.do("fault", kind="earthquake", method="x"))["status"] == 400
    assert (await process.do("press", user="bob", channel="images", ts="1.2", button="Go"))["status"] == 400
    assert (await process.do("limits", enforced=True)) == {}
    assert (await process.do("cut"))["opened"] == 0


async def test_the_simulator_knows_neither_the_bot_nor_bolt() -> None:
    look = "import sys, tests.slack.simulator.__main__; print(sorted({name.split('.')[0] for name in sys.modules}))"
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", look, stdout=asyncio.subprocess.PIPE)
    known, _ = await running.communicate()
    assert b"'aiohttp'" in known
    assert b"'bot'" not in known
    assert b"'slack_" not in known
