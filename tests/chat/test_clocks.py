"""The bot's clock beside a platform's, as far as an answer's date can tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.clocks import clock_problem
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.server_clock import clock_ahead
from slipway.bot.core.platform_clock import WRONG_BY, PlatformClock
from slipway.bot.core.times import system_clock

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPANS = st.timedeltas(timedelta(), timedelta(seconds=40))


@given(st.timedeltas(-timedelta(days=9), timedelta(days=9)), SPANS, SPANS)
def test_a_difference_is_told_as_far_as_it_is_certain(
    ahead: timedelta, before: timedelta, after: timedelta
) -> None:
    """The platform writes its date somewhere between the question and the answer, in whole seconds."""
    written = (NOW - ahead - after).replace(microsecond=0)
    clock = PlatformClock(lambda: NOW)
    clock.note(format_datetime(written, usegmt=True), before + after)
    assert clock.ahead is not None
    assert abs(clock.ahead) <= abs(ahead)
    assert abs(clock.ahead - ahead) <= before + after + timedelta(seconds=1)


@pytest.mark.parametrize(
    "date",
    [
        *(None, "", "soon", "Fri, 99 Nov 2026 12:00:00 GMT"),
        *("Fri, 20 Nov 99999999999999999999 12:00:00 GMT", "Fri, 20 Nov 2026 12:00:00 +99999999999999"),
    ],
)
def test_a_date_that_is_none_says_nothing(date: str | None) -> None:
    clock = PlatformClock(lambda: NOW)
    clock.note(date)
    assert clock.ahead is None
    assert clock_problem("slack", clock.ahead) == ""


def test_small_differences_are_nobodys_worry_and_large_ones_name_the_way() -> None:
    assert clock_problem("slack", WRONG_BY - timedelta(seconds=1)) == ""
    assert clock_problem("slack", timedelta(hours=2)).startswith(
        "This machine's clock is 2h ahead of that of Slack, so new messages there look old."
    )
    assert "behind that of Matrix, so old messages there look new" in clock_problem("matrix", -WRONG_BY)


async def test_a_homeserver_is_asked_for_the_time_without_a_login() -> None:
    app = web.Application()

    async def versions(_: web.Request) -> web.Response:
        return web.json_response({"versions": ["v1.11"]})

    app.router.add_get("/_matrix/client/versions", versions)
    async with TestServer(app) as server:
        settings = MatrixSettings(homeserver=str(server.make_url("/")), user_id="@slipway:example.org")
        off = timedelta(hours=3)
        ahead = await clock_ahead(settings, lambda: system_clock() + off)
        assert ahead is not None
        assert abs(ahead - off) < timedelta(seconds=10)
    assert await clock_ahead(settings) is None, "it is not there any more"
