"""The bot's own tokens on its chats: whose they are by what the platforms tell, and that they are not accepted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from slipway.bot.chat.declaration import TokenFacts
from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.account.token import token_facts as matrix_facts
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.slack.token import token_facts as slack_facts
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from slipway.bot.subjects.credentials.model import UnreadableError
from slipway.bot.subjects.credentials.settings import CredentialSettings
from slipway.bot.subjects.credentials.sources import of_single
from tests.slack.harness import slack_settings
from tests.slack.simulator import SimulatedSlack

TOKEN = "syt_not_to_be_shown"


async def test_slack_tells_whose_the_token_is_and_that_it_was_revoked() -> None:
    async with SimulatedSlack(clock=system_clock) as sim:
        settings = slack_settings(sim)
        facts = await slack_facts(settings)
        assert facts.account.startswith("@")
        assert facts.ends_at is None
        sim.revoke()
        with pytest.raises(ChatError) as caught:
            await slack_facts(settings)
    assert "token_revoked" in str(caught.value)
    assert settings.bot_token is not None
    assert settings.bot_token.get_secret_value() not in str(caught.value)


@asynccontextmanager
async def homeserver(status: int, answer: Any) -> AsyncIterator[MatrixSettings]:
    """A homeserver that says this to whoever asks who they are with the right token."""

    async def whoami(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"errcode": "M_UNKNOWN_TOKEN"}, status=401)
        if isinstance(answer, str):
            return web.Response(text=answer, status=status)
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_get("/_matrix/client/v3/account/whoami", whoami)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield MatrixSettings(
            homeserver=f"http://127.0.0.1:{runner.addresses[0][1]}",
            user_id="@slipway:example.org",
            rooms=("!r:example.org",),
            access_token=SecretStr(TOKEN),
            request_timeout=timedelta(seconds=5),
        )
    finally:
        await runner.cleanup()


async def test_a_homeserver_tells_whose_the_token_is(tmp_path: Path) -> None:
    answer = {"user_id": "@slipway:example.org", "device_id": "SLIPWAY"}
    async with homeserver(200, answer) as settings:
        facts = await matrix_facts(settings, AccountStore.in_state_dir(tmp_path))
    assert facts == TokenFacts("@slipway:example.org on SLIPWAY")


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (401, {"errcode": "M_UNKNOWN_TOKEN", "soft_logout": True}, "no longer knows the bot's access token"),
        (429, {"errcode": "M_LIMIT_EXCEEDED"}, "M_LIMIT_EXCEEDED"),
        (502, "<html>", "no sound answer"),
        (200, [], "said no"),
    ],
)
async def test_what_it_does_not_accept_or_say_is_told(
    status: int, answer: Any, said: str, tmp_path: Path
) -> None:
    async with homeserver(status, answer) as settings:
        with pytest.raises(ChatError) as caught:
            await matrix_facts(settings, AccountStore.in_state_dir(tmp_path))
    assert said in str(caught.value)
    assert TOKEN not in str(caught.value)


async def test_without_a_login_there_is_no_token_to_ask_about(tmp_path: Path) -> None:
    async with homeserver(200, {}) as settings:
        nobody = settings.model_copy(update={"access_token": None})
        with pytest.raises(ChatError, match="has not logged in yet"):
            await matrix_facts(nobody, AccountStore.in_state_dir(tmp_path))


async def test_a_token_that_is_not_accepted_is_not_a_token_that_is_gone() -> None:
    entry = CredentialSettings(owner="alice", chat="slack")

    async def refused() -> TokenFacts:
        raise ChatError("Slack does not accept the token.", passing=False)

    with pytest.raises(UnreadableError, match="does not accept"):
        await of_single("chat", entry, {"slack": refused})

    async def accepted() -> TokenFacts:
        return TokenFacts("@slipway in T1")

    found = await of_single("chat", entry, {"slack": accepted})
    assert (found.title, found.ends_at) == ("token of @slipway in T1", None)
