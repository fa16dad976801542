"""What the simulator answers where messages are gone, administrators forbid something, or a call is made oddly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import BOB, IMAGES
from tests.slack.simulator_tests.bolt_app import client_of
from tests.slack.simulator_tests.test_api import refused


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as running:
        yield running


async def test_a_deleted_root_stands_as_a_tombstone_as_long_as_there_are_replies(sim: SimulatedSlack) -> None:
    client, alice = client_of(sim), sim.person("alice")
    alone = await alice.post("images", "nobody answers")
    root = await alice.post("images", "!status")
    replies = [await alice.post("images", text, thread=root) for text in ("one", "two")]
    for message in (alone, root, replies[0]):
        await alice.delete(message)
    (stone,) = (await client.conversations_history(channel=IMAGES))["messages"]
    assert (stone["subtype"], stone["user"], stone["ts"]) == ("tombstone", "USLACKBOT", root.ts)
    assert (stone["reply_count"], stone["hidden"], stone["text"]) == (1, True, "This message was deleted.")
    first, second = (await client.conversations_replies(channel=IMAGES, ts=root.ts))["messages"]
    assert (first, second["text"]) == (stone, "two")
    assert (await refused(client.chat_update(channel=IMAGES, ts=root.ts, text="x")))[
        "error"
    ] == "message_not_found"
    await alice.delete(replies[1])
    assert (await client.conversations_history(channel=IMAGES))["messages"] == []
    gone = await refused(client.conversations_replies(channel=IMAGES, ts=root.ts))
    assert gone["error"] == "thread_not_found"


@pytest.mark.parametrize(
    ("policy", "forbidden"),
    [
        ("compliance_exports_prevent_deletion", lambda c, ts: c.chat_delete(channel=IMAGES, ts=ts)),
        ("file_uploads_disabled", lambda c, _: c.files_getUploadURLExternal(filename="x", length=1)),
        ("storage_limit_reached", lambda c, _: c.files_getUploadURLExternal(filename="x", length=1)),
        ("message_limit_exceeded", lambda c, _: c.chat_postMessage(channel=IMAGES, text="x")),
        ("posting_to_channel_denied", lambda c, ts: c.chat_update(channel=IMAGES, ts=ts, text="x")),
    ],
)
async def test_what_administrators_forbid_is_refused_by_its_name(
    sim: SimulatedSlack, policy: str, forbidden: Callable[[AsyncWebClient, str], Awaitable[Any]]
) -> None:
    client = client_of(sim)
    ts = str((await client.chat_postMessage(channel=IMAGES, text="x"))["ts"])
    sim.world.policies = {policy}
    assert (await refused(forbidden(client, ts)))["error"] == policy
    sim.world.policies = set()
    await forbidden(client, ts)


async def test_who_and_what_cannot_be_answered(sim: SimulatedSlack) -> None:
    client = client_of(sim)
    sim.world.users[BOB].deleted = True
    assert (await refused(client.conversations_open(users=BOB)))["error"] == "user_disabled"
    await sim.archive("images")
    sim.channel("images").archived = False
    notice = sim.channel("images").messages[-1]
    assert notice.subtype == "channel_archive"
    answer = client.chat_postMessage(channel=IMAGES, thread_ts=notice.ts, text="why?")
    assert (await refused(answer))["error"] == "cannot_reply_to_message"


@pytest.mark.parametrize(
    ("kind", "body", "warning"),
    [
        ("application/json", '{"channel": "C0IMAGES0", "text": "x"}', "missing_charset"),
        ("application/json; charset=utf-8", '{"channel": "C0IMAGES0", "text": "x"}', None),
        ("application/x-www-form-urlencoded", "channel=C0IMAGES0&text=x", None),
        (
            "application/x-www-form-urlencoded; charset=utf-8",
            "channel=C0IMAGES0&text=x",
            "superfluous_charset",
        ),
    ],
)
async def test_answers_remark_on_the_charset(
    sim: SimulatedSlack, kind: str, body: str, warning: str | None
) -> None:
    headers = {"Authorization": f"Bearer {sim.bot_token}", "Content-Type": kind}
    async with aiohttp.ClientSession(headers=headers) as session:
        for method, ok in (("chat.postMessage", True), ("chat.update", False)):
            async with session.post(f"{sim.api_url}{method}", data=body) as response:
                answer = await response.json()
            assert (answer["ok"], answer.get("warning")) == (ok, warning)
            told = answer.get("response_metadata", {}).get("warnings", [])
            assert told == ([warning] if warning else [])
