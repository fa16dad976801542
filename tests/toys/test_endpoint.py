"""What the world may ask a newcomer's subject by HTTP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Method
from slipway.bot.core.http.routes import PublicRoute
from slipway.bot.operations.endpoints import PublicEndpoint
from slipway.bot.operations.services import Services
from tests.slack.bot_process import free_port
from tests.support.configuration import declared_with
from tests.support.harness import running_bot
from tests.toys.subject import TOYS, TOYS_TABLE, ToyServices
from tests.web.raw import get, say, statuses


async def _shelf(services: Services, _request: HttpRequest) -> HttpResponse:
    assert services.get(ToyServices) is not None
    return HttpResponse.text(f"room for {services.settings.table(TOYS_TABLE).shelf}")


SHELF = PublicEndpoint(
    PublicRoute(Method.GET, "/toys/shelf"),
    _shelf,
    wanted=lambda settings: not settings.table(TOYS_TABLE).locked,
)


async def test_it_answers_at_the_public_listener_and_not_at_that_of_operators(tmp_path: Path) -> None:
    declarations = declared_with(subjects=(replace(TOYS, endpoints=(SHELF,)),))
    public, ops = free_port(), free_port()
    http = {"public": {"listen": f"127.0.0.1:{public}"}, "ops": {"listen": f"127.0.0.1:{ops}"}}
    async with running_bot(tmp_path, changes={"http": http}, declarations=declarations):
        assert b"room for 3" in await say(public, get("/toys/shelf"))
        assert statuses(await say(ops, get("/toys/shelf"))) == [404]
        assert statuses(await say(public, get("/metrics"))) == [404]


async def test_where_its_settings_do_not_want_it_no_port_is_open(tmp_path: Path) -> None:
    declarations = declared_with(subjects=(replace(TOYS, endpoints=(SHELF,)),))
    port = free_port()
    changes = {"http": {"public": {"listen": f"127.0.0.1:{port}"}}, "toys": {"locked": True}}
    async with running_bot(tmp_path, changes=changes, declarations=declarations):
        with pytest.raises(ConnectionRefusedError):
            await say(port, get("/toys/shelf"))


def test_two_subjects_cannot_claim_one_path() -> None:
    with pytest.raises(
        DeclarationError, match=r"The public route GET /toys/shelf is claimed twice, by toys\."
    ):
        declared_with(subjects=(replace(TOYS, endpoints=(SHELF, SHELF)),))
