"""The simulated Web API as the unmodified slack_sdk meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import (
    ALICE,
    BOT,
    CAROL,
    EVE,
    IMAGES,
    LOUNGE,
    OLD,
    PARTNER_TEAM,
    RELEASE,
    RELEASE_TEAM,
    SECRET,
    SHARED,
    TEAM,
)
from tests.slack.simulator_tests.bolt_app import client_of
from tests.support.clock import FakeClock


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


async def refused(call: Any) -> Any:
    """The answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def test_the_token_says_who_it_is_and_what_it_may(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == (BOT, "B0SLIPWAY", TEAM)
    scopes = answer.headers["x-oauth-scopes"].split(",")
    assert "chat:write" in scopes
    assert "channels:history" in scopes


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-wrong", "invalid_auth"), ("xapp-1-sim-app-token", "not_allowed_token_type")]
)
async def test_other_tokens_are_refused(sim: SimulatedSlack, token: str, error: str) -> None:
    answer = await refused(client_of(sim, token=token).chat_postMessage(channel=IMAGES, text="hello"))
    assert answer["error"] == error


async def test_a_socket_needs_the_app_token(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    assert (await client.apps_connections_open(app_token=sim.app_token))["url"].startswith("ws://127.0.0.1:")
    assert (await refused(client.apps_connections_open(app_token=sim.bot_token)))[
        "error"
    ] == "not_allowed_token_type"


async def test_no_token_and_a_revoked_one(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{sim.api_url}auth.test") as answer:
        assert await answer.json() == {"ok": False, "error": "not_authed"}
    sim.revoke()
    assert (await refused(client.auth_test()))["error"] == "token_revoked"


async def test_a_token_in_the_form_works_and_is_never_logged(sim: SimulatedSlack) -> None:
    form = {"token": sim.bot_token, "channel": IMAGES, "text": "hello"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sim.api_url}chat.postMessage", data=form) as answer,
    ):
        assert (await answer.json())["ok"]
    assert sim.bot_token not in repr(sim.calls())


async def test_an_unknown_method_and_broken_json(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    assert (await refused(client.api_call("chat.shout")))["error"] == "unknown_method"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sim.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{sim.api_url}auth.test", data="{") as answer:
            assert (await answer.json())["error"] == "invalid_json"
        async with session.post(f"{sim.api_url}auth.test", data="[]") as answer:
            assert (await answer.json())["error"] == "json_not_object"


async def test_a_missing_scope_is_named(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    sim.lose_scope("chat:write", "channels:history", "usergroups:read", "files:write")
    answer = await refused(client.chat_postMessage(channel=IMAGES, text="hello"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
    assert "users:read" in answer["provided"]
    assert (await refused(client.conversations_history(channel=IMAGES)))["needed"] == "channels:history"
    assert (await refused(client.usergroups_list()))["needed"] == "usergroups:read"
    assert (await refused(client.files_getUploadURLExternal(filename="a", length=1)))[
        "needed"
    ] == "files:write"
    assert (await client.conversations_history(channel=RELEASE))[
        "ok"
    ]  # private channels have a scope of their own


async def test_a_message_stands_where_it_was_sent(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    metadata = {"event_type": "slipway_message", "event_payload": {"key": "op-7k3f:card"}}
    said = await client.chat_postMessage(channel=IMAGES, text="root", metadata=metadata)
    await client.chat_postMessage(channel=IMAGES, text="reply", thread_ts=said["ts"])
    await client.chat_postMessage(channel=IMAGES, text="loud", thread_ts=said["ts"], reply_broadcast=True)
    listed = await client.conversations_history(channel=IMAGES, include_all_metadata=True)
    assert [message["text"] for message in listed["messages"]] == ["loud", "root"]
    assert listed["messages"][1]["metadata"] == metadata
    assert listed["messages"][1]["reply_count"] == 2
    bare = await client.conversations_history(channel=IMAGES)
    assert bare["messages"][1]["metadata"] == {"event_type": "slipway_message"}
    thread = await client.conversations_replies(channel=IMAGES, ts=said["ts"])
    assert [message["text"] for message in thread["messages"]] == ["root", "reply", "loud"]
    assert [message.text for message in sim.from_bot("images")] == ["root", "reply", "loud"]


async def test_history_comes_in_pages_and_between_times(client: AsyncWebClient) -> None:
    stamps = [(await client.chat_postMessage(channel=IMAGES, text=f"number {n}"))["ts"] for n in range(5)]
    first = await client.conversations_history(channel=IMAGES, limit=2)
    assert first["has_more"]
    pages = [[message["text"] for message in page["messages"]] async for page in first]
    assert pages == [["number 4", "number 3"], ["number 2", "number 1"], ["number 0"]]
    between = await client.conversations_history(channel=IMAGES, oldest=stamps[1], latest=stamps[3])
    assert [message["text"] for message in between["messages"]] == ["number 2"]
    around = await client.conversations_history(
        channel=IMAGES, oldest=stamps[1], latest=stamps[3], inclusive=True
    )
    assert len(around["messages"]) == 3
    assert (await refused(client.conversations_history(channel=IMAGES, cursor="!")))[
        "error"
    ] == "invalid_cursor"
    assert (await refused(client.conversations_history(channel=IMAGES, limit=5000)))[
        "error"
    ] == "invalid_limit"
    assert (await refused(client.conversations_history(channel=IMAGES, oldest="x")))[
        "error"
    ] == "invalid_ts_oldest"
    assert (await refused(client.conversations_replies(channel=IMAGES, ts="1.2")))[
        "error"
    ] == "thread_not_found"


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        (LOUNGE, "not_in_channel"),
        (SECRET, "channel_not_found"),
        (OLD, "is_archived"),
        ("C0NOWHERE", "channel_not_found"),
        ("#nowhere", "channel_not_found"),
    ],
)
async def test_where_the_bot_cannot_speak(client: AsyncWebClient, channel: str, error: str) -> None:
    assert (await refused(client.chat_postMessage(channel=channel, text="hello")))["error"] == error


async def test_speaking_by_name_and_to_a_person(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    assert (await client.chat_postMessage(channel="#images", text="hello"))["channel"] == IMAGES
    direct = (await client.chat_postMessage(channel=ALICE, text="psst"))["channel"]
    assert direct.startswith("D")
    opened = await client.conversations_open(users=[ALICE])
    assert (opened["channel"]["id"], opened["already_open"]) == (direct, True)
    assert [message.text for message in sim.person("alice").sees(BOT)] == ["psst"]
    sim.world.app.scopes.add("chat:write.public")
    assert (await client.chat_postMessage(channel=LOUNGE, text="hello"))["ok"]


@pytest.mark.filterwarnings("ignore:The top-level `text`")
async def test_what_a_message_may_not_be(client: AsyncWebClient) -> None:
    assert (await refused(client.chat_postMessage(channel=IMAGES)))["error"] == "no_text"
    bad = client.chat_postMessage(channel=IMAGES, text="x", metadata={"event_type": "", "event_payload": {}})
    assert (await refused(bad))["error"] == "invalid_metadata_format"
    large = {"event_type": "x", "event_payload": {"text": "y" * 20_000}}
    assert (await refused(client.chat_postMessage(channel=IMAGES, text="x", metadata=large)))[
        "error"
    ] == "metadata_too_large"
    cut = await client.chat_postMessage(channel=IMAGES, text="z" * 40_001)
    assert len(cut["message"]["text"]) == 40_000
    assert cut["warning"] == "message_truncated"


@pytest.mark.filterwarnings("ignore:The top-level `text`")
async def test_blocks_beyond_the_limits_are_refused_with_the_place(client: AsyncWebClient) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
    answer = await refused(client.chat_postMessage(channel=IMAGES, text="x", blocks=[header]))
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]
    assert (await refused(client.chat_postMessage(channel=IMAGES, text="x", blocks="{")))[
        "error"
    ] == "invalid_blocks_format"
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5
    assert (await refused(client.chat_postMessage(channel=IMAGES, blocks=long)))[
        "error"
    ] == "msg_blocks_too_long"


@pytest.mark.filterwarnings("ignore:The top-level `text`")
async def test_editing_ones_own_message(
    sim: SimulatedSlack, client: AsyncWebClient, clock: FakeClock
) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "before"}}
    metadata = {"event_type": "x", "event_payload": {"key": "1"}}
    ts = (await client.chat_postMessage(channel=IMAGES, text="a", blocks=[section], metadata=metadata))["ts"]
    message = sim.from_bot("images")[0]
    await client.chat_update(channel=IMAGES, ts=ts, text="b")
    assert (message.text, message.blocks, message.metadata, message.edits) == ("b", [], metadata, 1)
    await client.chat_update(channel=IMAGES, ts=ts, blocks=[section])
    assert (message.text, len(message.blocks)) == ("b", 1)
    await client.chat_update(channel=IMAGES, ts=ts, text="c", metadata={})
    assert message.metadata is None
    assert (await refused(client.chat_update(channel=IMAGES, ts=ts, text="ä" * 2001)))[
        "error"
    ] == "msg_too_long"
    sim.core.edit_window = timedelta(minutes=5)
    clock.advance(timedelta(minutes=6))
    assert (await refused(client.chat_update(channel=IMAGES, ts=ts, text="e")))[
        "error"
    ] == "edit_window_closed"
    sim.core.edit_window = None
    await sim.archive("images")
    assert (await refused(client.chat_update(channel=IMAGES, ts=ts, text="e")))["error"] == "is_inactive"


async def test_messages_that_are_gone_or_anothers(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    theirs = await sim.person("alice").post("images", "mine")
    assert (await refused(client.chat_update(channel=IMAGES, ts=theirs.ts, text="no")))[
        "error"
    ] == "cant_update_message"
    assert (await refused(client.chat_delete(channel=IMAGES, ts=theirs.ts)))["error"] == "cant_delete_message"
    ts = (await client.chat_postMessage(channel=IMAGES, text="a"))["ts"]
    assert (await client.chat_getPermalink(channel=IMAGES, message_ts=ts))["permalink"].endswith(
        ts.replace(".", "")
    )
    await client.chat_delete(channel=IMAGES, ts=ts)
    assert (await refused(client.chat_update(channel=IMAGES, ts=ts, text="no")))[
        "error"
    ] == "message_not_found"
    assert sim.from_bot("images") == []


async def test_an_ephemeral_message_is_seen_by_one_and_listed_nowhere(
    sim: SimulatedSlack, client: AsyncWebClient
) -> None:
    await client.chat_postEphemeral(channel=IMAGES, user=ALICE, text="only you")
    assert [message.text for message in sim.person("alice").sees("images")] == ["only you"]
    assert sim.person("bob").sees("images") == []
    assert (await client.conversations_history(channel=IMAGES))["messages"] == []
    root = await sim.person("alice").post("images", "a root")
    for seen in (1, 2):  # in a thread, it is shown only where somebody has answered
        await client.chat_postEphemeral(channel=IMAGES, user=ALICE, text="there", thread_ts=root.ts)
        assert len(sim.person("alice").ephemerals) == seen
        await sim.person("bob").post("images", "an answer", thread=root)
    outside = client.chat_postEphemeral(channel=IMAGES, user=EVE, text="x")
    assert (await refused(outside))["error"] == "user_not_in_channel"


async def test_what_a_channel_is(client: AsyncWebClient) -> None:
    shared = (await client.conversations_info(channel=SHARED, include_num_members=True))["channel"]
    assert (shared["is_ext_shared"], shared["shared_team_ids"], shared["num_members"]) == (
        True,
        [TEAM, PARTNER_TEAM],
        5,
    )
    assert (await client.conversations_info(channel=LOUNGE))["channel"]["is_member"] is False
    assert (await client.conversations_info(channel=RELEASE))["channel"]["is_private"] is True
    assert (await refused(client.conversations_info(channel=SECRET)))["error"] == "channel_not_found"
    assert (await refused(client.conversations_info(channel="")))["error"] == "invalid_arguments"
    assert EVE in (await client.conversations_members(channel=SHARED))["members"]


async def test_which_channels_there_are(client: AsyncWebClient) -> None:
    async def names(call: Any) -> list[str]:
        return [channel["name"] async for page in await call for channel in page["channels"]]

    every = client.conversations_list(types="public_channel,private_channel", limit=2)
    assert await names(every) == ["images", "lounge", "release", "shared", "old"]
    assert "old" not in await names(client.conversations_list(exclude_archived=True))
    own = client.users_conversations(types="public_channel,private_channel", exclude_archived=True)
    assert await names(own) == ["images", "release", "shared"]


async def test_joining_a_public_channel(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    assert (await refused(client.conversations_join(channel=LOUNGE)))["needed"] == "channels:join"
    sim.world.app.scopes.add("channels:join")
    await client.conversations_join(channel=LOUNGE)
    assert (await client.chat_postMessage(channel=LOUNGE, text="hello"))["ok"]
    assert (await client.conversations_join(channel=LOUNGE))["warning"] == "already_in_channel"
    assert (await refused(client.conversations_join(channel=RELEASE)))["error"] == (
        "method_not_supported_for_channel_type"
    )


async def test_who_people_are(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    carol = (await client.users_info(user=CAROL))["user"]
    assert (carol["name"], carol["team_id"], carol.get("is_stranger", False)) == ("carol", TEAM, False)
    eve = (await client.users_info(user=EVE))["user"]
    assert (eve["team_id"], eve["is_stranger"]) == (PARTNER_TEAM, True)
    assert (await client.users_info(user="U0DAVE000"))["user"]["is_restricted"] is True
    await sim.remove_bot("shared")
    assert (await refused(client.users_info(user=EVE)))["error"] == "user_not_visible"
    assert (await refused(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"
    assert (await client.team_info())["team"]["domain"] == "fedora-cloud"
    assert (await client.bots_info(bot="B0SLIPWAY"))["bot"]["user_id"] == BOT


async def test_user_groups(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    (group,) = (await client.usergroups_list(include_users=True))["usergroups"]
    assert (group["handle"], group["users"]) == ("release-team", [ALICE, "U0BOB0000"])
    await sim.set_group(RELEASE_TEAM, [CAROL])
    assert (await client.usergroups_users_list(usergroup=RELEASE_TEAM))["users"] == [CAROL]
    assert (await refused(client.usergroups_users_list(usergroup="S0NONE")))["error"] == "no_such_subteam"
    await sim.disable_group(RELEASE_TEAM)
    assert (await client.usergroups_list())["usergroups"] == []
    (group,) = (await client.usergroups_list(include_disabled=True))["usergroups"]
    assert group["date_delete"] > 0
    assert (await refused(client.usergroups_users_list(usergroup=RELEASE_TEAM)))["error"] == "no_such_subteam"
    users = client.usergroups_users_list(usergroup=RELEASE_TEAM, include_disabled=True)
    assert (await users)["users"] == [CAROL]


async def test_a_reaction_of_the_bot(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    asked = await sim.person("alice").post("images", "!status")
    await client.reactions_add(channel=IMAGES, timestamp=asked.ts, name="eyes")
    assert asked.reactions == {"eyes": [BOT]}
    again = client.reactions_add(channel=IMAGES, timestamp=asked.ts, name="eyes")
    assert (await refused(again))["error"] == "already_reacted"


async def test_a_file_goes_up_in_three_steps_and_is_shared_in_the_thread(
    sim: SimulatedSlack, client: AsyncWebClient
) -> None:
    root = await sim.person("alice").post("images", "!images")
    done = await client.files_upload_v2(
        content="a,b\n1,2\n",
        filename="images.csv",
        title="All",
        channel=IMAGES,
        thread_ts=root.ts,
        initial_comment="all",
    )
    file = sim.world.files[done["file"]["id"]]
    assert (file.content, file.title, file.channels) == (b"a,b\n1,2\n", "All", [IMAGES])
    (shared,) = sim.from_bot("images")
    assert (shared.thread_ts, shared.files[0]["name"], shared.text) == (root.ts, "images.csv", "all")


async def test_a_file_that_is_not_there_cannot_be_shared(sim: SimulatedSlack, client: AsyncWebClient) -> None:
    long = client.files_getUploadURLExternal(filename="a.png", length=5, alt_txt="x" * 1001)
    assert (await refused(long))["error"] == "alt_txt_too_large"
    place = await client.files_getUploadURLExternal(filename="a.txt", length=5)
    early = client.files_completeUploadExternal(
        files=[{"id": place["file_id"], "title": "a"}], channel_id=IMAGES
    )
    assert (await refused(early))["error"] == "file_not_found"
    async with aiohttp.ClientSession() as session:
        async with session.post(place["upload_url"], data=b"four") as answer:
            assert answer.status == 400
        async with session.post(f"{sim.url}/upload/v1/nowhere", data=b"12345") as answer:
            assert answer.status == 404
    elsewhere = client.files_upload_v2(content="x", filename="x", channel=LOUNGE)
    assert (await refused(elsewhere))["error"] == "not_in_channel"


async def test_the_log_knows_methods_arguments_and_outcomes(
    sim: SimulatedSlack, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel=IMAGES, text="hello")
    await refused(client.chat_postMessage(channel=LOUNGE, text="hello"))
    assert [(call.args["channel"], call.status, call.error) for call in sim.calls("chat.postMessage")] == [
        (IMAGES, 200, None),
        (LOUNGE, 200, "not_in_channel"),
    ]
