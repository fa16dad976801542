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

    async def do(self, name: str, /, **asked: Any) -> Json:
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


async def test_whatever_people_do_and_see_needs_no_python(process: Process) -> None:
    images = process.facts["channels"]["images"]
    url = (await process.client.apps_connections_open(app_token=process.facts["app_token"]))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.receive_json()

        async def next_payload(answer: Json | None = None) -> Json:
            envelope = await socket.receive_json()
            await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": answer})
            payload: Json = envelope["payload"]
            return payload

        said = await process.do("post", user="alice", channel="images", text="hello")
        await next_payload()
        await process.do("edit", user="alice", channel="images", ts=said["ts"], text="!status")
        assert (await next_payload())["event"]["message"]["text"] == "!status"
        await process.do("message_shortcut", user="bob", channel="images", ts=said["ts"], callback_id="about")
        pressed = await next_payload()
        assert "team_id" not in pressed["user"]

        title, label = {"type": "plain_text", "text": "Why?"}, {"type": "plain_text", "text": "Reason"}
        asks = {"type": "input", "block_id": "why", "label": label}
        asks["element"] = {"type": "plain_text_input", "action_id": "why"}
        view = {"type": "modal", "callback_id": "why", "title": title, "submit": title, "blocks": [asks]}
        await process.client.views_open(trigger_id=pressed["trigger_id"], view=view)
        (modal,) = (await process.get("modals", user="bob"))["views"]
        wrong = {"response_action": "errors", "errors": {"why": "say more"}}
        submitting = asyncio.create_task(
            process.do("submit", user="bob", view=modal["id"], values={"why": "bad"})
        )
        submitted = await next_payload(wrong)
        assert submitted["view"]["state"]["values"]["why"]["why"]["value"] == "bad"
        assert await submitting == {"outcome": "errors", "errors": {"why": "say more"}}

        await process.do("open_home", user="carol")
        assert (await next_payload())["event"]["tab"] == "home"
        go = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        home = {"type": "home", "blocks": [{"type": "actions", "elements": [go]}]}
        await process.client.views_publish(user_id=process.facts["users"]["carol"], view=home)
        tab = (await process.get("home", user="carol"))["view"]
        await process.do("press", user="carol", view=tab["id"], button="Go")
        assert (await next_payload())["container"]["view_id"] == tab["id"]

        await process.do("shortcut", user="alice", callback_id="launch")
        assert (await next_payload())["callback_id"] == "launch"
        dave = process.facts["users"]["dave"]
        await process.client.chat_postEphemeral(channel=images, user=dave, text="for you")
        assert [m["text"] for m in (await process.get("ephemerals", user="dave"))["messages"]] == ["for you"]
        assert (await process.get("sees", user="bob", channel="images"))["messages"][-1]["text"] == "!status"
        assert (await process.do("close", user="bob", view="V0NONE"))["status"] == 400


async def test_a_client_that_is_asked_to_leave_sees_the_handshake_to_its_end(process: Process) -> None:
    for reason in ("refresh_requested", "warning"):
        url = (await process.client.apps_connections_open(app_token=process.facts["app_token"]))["url"]
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, autoclose=False) as socket,
        ):
            await socket.receive_json()
            asked = asyncio.create_task(process.do("disconnect", reason=reason))
            assert (await socket.receive_json())["reason"] == reason
            if reason == "warning":  # Slack leaves it to the client to go
                await asked
                assert await socket.close()
                assert socket.close_code == 1000
                continue
            ended = await socket.receive()
            assert (ended.type, ended.data) == (aiohttp.WSMsgType.CLOSE, 1000)
            for _ in range(3):  # the line stays open until the client has answered, however slow it is
                assert "connections" in await process.get("state")
            assert not asked.done()
            await socket.close()
            await asked


async def test_what_becomes_of_channels_needs_no_python(process: Process) -> None:
    images, release = (process.facts["channels"][name] for name in ("images", "release"))
    url = (await process.client.apps_connections_open(app_token=process.facts["app_token"]))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.receive_json()

        async def told(*kinds: str) -> list[Json]:
            found = []
            for _ in kinds:
                envelope = await socket.receive_json()
                await socket.send_json({"envelope_id": envelope["envelope_id"]})
                found.append(envelope["payload"]["event"])
            assert [each["type"] for each in found] == list(kinds)
            return found

        await process.do("archive", channel="images")
        said, event = await told("message", "channel_archive")
        assert (said["subtype"], event["channel"]) == ("channel_archive", images)
        with pytest.raises(SlackApiError, match="is_archived"):
            await process.client.chat_postMessage(channel=images, text="x")
        assert await process.do("unarchive", channel="images") == {"told": ["channel_unarchive"]}
        await told("channel_unarchive")
        assert await process.do("rename", channel="images", name="pictures") == {"told": ["channel_rename"]}
        (renamed,) = await told("channel_rename")
        assert renamed["channel"] == {"id": images, "name": "pictures", "created": 1}
        assert (await process.client.conversations_info(channel=images))["channel"]["name"] == "pictures"

        await process.do("leave", user="carol", channel="pictures")
        (left,) = await told("member_left_channel")
        assert (left["user"], left["channel"]) == (process.facts["users"]["carol"], images)
        assert (await process.do("post", user="carol", channel="pictures", text="x"))["status"] == 400
        await process.do("join", user="carol", channel="pictures")
        (joined,) = await told("member_joined_channel")
        assert joined["user"] == left["user"]

        await process.do("kick", channel="release")
        gone, member = await told("group_left", "member_left_channel")
        assert gone["channel"] == member["channel"] == release
        assert member["user"] == process.facts["bot_user"]
        with pytest.raises(SlackApiError, match=r"not_in_channel|channel_not_found"):
            await process.client.chat_postMessage(channel=release, text="x")
        assert await process.do("invite", channel="release") == {"told": ["member_joined_channel"]}
        await told("member_joined_channel")
        await process.do("delete_channel", channel="release")
        await told("group_deleted")
        assert (await process.do("kick", channel="release"))["status"] == 400
