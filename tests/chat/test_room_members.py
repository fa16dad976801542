"""Who is in the bot's rooms, as its platforms tell, and what `slipway doctor` makes of that for approvals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.account.room_members import members_of_rooms
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.slack.members import members_of_channels
from slipway.bot.cli.policies.reach import look_at_approvals
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from tests.slack.harness import slack_settings
from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import ALICE, IMAGES
from tests.support.configuration import DECLARED, put, settings_of, valid_document

TOKEN = "syt_not_to_be_shown"
ROOM = "!releng:example.org"


@asynccontextmanager
async def homeserver(*accounts: str) -> AsyncIterator[str]:
    """A homeserver on which these accounts are in the room; its address."""

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"errcode": "M_UNKNOWN_TOKEN"}, status=401)
        if request.match_info.get("alias") == "#releng:example.org":
            return web.json_response({"room_id": ROOM})
        if request.match_info.get("room") == ROOM:
            return web.json_response({"joined": {each: {} for each in accounts}})
        return web.json_response({"errcode": "M_FORBIDDEN"}, status=403)

    app = web.Application()
    app.router.add_get("/_matrix/client/v3/rooms/{room}/joined_members", answer)
    app.router.add_get("/_matrix/client/v3/directory/room/{alias}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def matrix_settings(address: str, *rooms: str) -> MatrixSettings:
    return MatrixSettings(
        homeserver=address,
        user_id="@slipway:example.org",
        rooms=rooms,
        access_token=SecretStr(TOKEN),
        request_timeout=timedelta(seconds=30),
    )


async def test_a_homeserver_tells_who_is_in_a_room_also_by_its_alias(tmp_path: Path) -> None:
    store = AccountStore.in_state_dir(tmp_path)
    async with homeserver("@alice:example.org", "@slipway:example.org") as address:
        for room in (ROOM, "#releng:example.org"):
            found = await members_of_rooms(matrix_settings(address, room), store)
            assert found == frozenset({"@alice:example.org", "@slipway:example.org"})
        with pytest.raises(ChatError) as caught:
            await members_of_rooms(matrix_settings(address, "!other:example.org"), store)
    assert TOKEN not in str(caught.value)


async def test_slack_tells_who_is_in_the_channels_that_are_named() -> None:
    async with SimulatedSlack(clock=system_clock) as sim:
        settings = slack_settings(sim)
        assert ALICE in (await members_of_channels(settings.model_copy(update={"channels": (IMAGES,)})) or ())
        assert await members_of_channels(settings.model_copy(update={"channels": ()})) is None


def document(address: str) -> dict[str, Any]:
    found = put(valid_document(), "matrix.homeserver", address)
    found["matrix"]["rooms"] = [ROOM]
    return found


async def test_doctor_warns_where_those_who_could_agree_are_in_no_room_of_the_bot(tmp_path: Path) -> None:
    environ = {"SLIPWAY_MATRIX_ACCESS_TOKEN": TOKEN}
    both = ("@alice:example.org", "@bob:example.org")
    for accounts, warned in ((both, False), (both[:1], True)):
        async with homeserver(*accounts) as address:
            settings = settings_of(document(address), environ).model_copy(update={"state_dir": tmp_path})
            finding = await look_at_approvals(settings, DECLARED)
        assert finding.well
        assert bool(finding.warnings) is warned
    assert finding.detail == "some wait in vain, by who is in rooms on matrix"
    assert finding.warnings[0] == (
        "[policy.promote] asks for 1 of releng, and alice waits in vain: it takes 1 more person who can agree. "
        "bob has no account where the bot is."
    )
    unreachable = settings_of(document("http://127.0.0.1:9"), environ).model_copy(
        update={"state_dir": tmp_path}
    )
    finding = await look_at_approvals(unreachable, DECLARED)
    (warning,) = finding.warnings
    assert warning.startswith("Who is in the bot's rooms on matrix is not known: Could not look up who is in")
