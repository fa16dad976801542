"""Who may read what at the listener of operators."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from pydantic import SecretStr

from slipway.bot.config.http_settings import OpsSettings
from slipway.bot.core.http.messages import HttpRequest, Method
from slipway.bot.web.access import OpsAccess

TOKEN = "0123456789abcdef0123456789"


def asked(peer: str | None = "127.0.0.1", **headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    address = None if peer is None else ip_address(peer)
    return HttpRequest(Method.GET, "/metrics", headers={"host": "localhost:9464", **named}, peer=address)


def status(access: OpsAccess, request: HttpRequest, *, pages: bool = False) -> int:
    refused = access.refusal_of_pages(request) if pages else access.refusal(request)
    return 200 if refused is None else refused.status


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("127.0.0.1", 200),
        ("127.9.9.9", 200),
        ("::1", 200),
        ("10.0.0.1", 403),
        ("2001:db8::1", 403),
        (None, 403),
    ],
)
def test_strangers_read_no_metrics_unless_they_are_named(peer: str | None, expected: int) -> None:
    assert status(OpsAccess(OpsSettings()), asked(peer)) == expected


def test_whom_the_configuration_names_reads_and_nobody_else() -> None:
    access = OpsAccess(OpsSettings.model_validate({"networks": ("10.1.0.0/16",)}))
    assert status(access, asked("10.1.2.3")) == 200
    assert status(access, asked("10.2.0.1")) == 403
    assert status(access, asked()) == 403


def test_what_a_proxy_forwards_does_not_come_from_the_proxy_s_own_address() -> None:
    access = OpsAccess(OpsSettings())
    for header in ("forwarded", "x_forwarded_for", "x_forwarded_proto", "x_real_ip", "via"):
        assert status(access, asked(**{header: "127.0.0.1"})) == 403


def test_no_page_of_somebody_else_s_reads_metrics_by_a_name_of_its_own() -> None:
    rebound = asked(host="evil.example:9464")
    assert status(OpsAccess(OpsSettings()), rebound) == 403
    assert status(OpsAccess(OpsSettings()), asked("::1", host="[::1]:9464")) == 200
    collected = OpsAccess(OpsSettings.model_validate({"networks": ("10.1.0.0/16",)}))
    assert status(collected, asked("10.1.2.3", host="slipway-0.slipway:9464")) == 200
    with_token = OpsAccess(OpsSettings(token=SecretStr(TOKEN)))
    assert status(with_token, asked(host="build.example", authorization=f"Bearer {TOKEN}")) == 200


def test_a_token_is_asked_for_where_there_is_one_of_everybody() -> None:
    access = OpsAccess(OpsSettings(token=SecretStr(TOKEN)))
    assert status(access, asked(authorization=f"Bearer {TOKEN}")) == 200
    assert status(access, asked(authorization=f"bearer  {TOKEN} ")) == 200
    for wrong in (
        "",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer é",
    ):
        assert status(access, asked(authorization=wrong)) == 401, wrong
    assert status(access, asked("10.0.0.1", authorization=f"Bearer {TOKEN}")) == 403
    refused = access.refusal(asked())
    assert refused is not None
    assert TOKEN not in f"{refused}"


def test_without_the_word_there_are_no_pages() -> None:
    assert status(OpsAccess(OpsSettings()), asked(), pages=True) == 404


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asked(), 200),
        (asked("::1", host="[::1]:9464"), 200),
        (asked("10.0.0.1"), 403),
        (asked(host="evil.example:9464"), 403),  # a page of somebody else's, by a name of its own
        (asked(x_forwarded_for="10.0.0.1"), 403),  # a proxy that was set up without the configuration's leave
    ],
)
def test_pages_are_read_on_the_bot_s_machine(request_: HttpRequest, expected: int) -> None:
    access = OpsAccess(OpsSettings.model_validate({"pages": "loopback", "token": TOKEN}))
    assert status(access, request_, pages=True) == expected


def test_behind_a_proxy_pages_are_read_by_whom_it_names() -> None:
    settings = {"pages": "proxy", "proxies": ("10.0.0.2",), "user_header": "X-Forwarded-User"}
    access = OpsAccess(OpsSettings.model_validate(settings))
    named = asked("10.0.0.2", x_forwarded_user="alice", x_forwarded_for="192.0.2.7")
    assert status(access, named, pages=True) == 200
    assert access.user(named) == "alice"
    twice = replace(named, repeated=frozenset({"x-forwarded-user"}))
    for other in (
        twice,  # the proxy's, beside one that was sent to it
        asked("10.0.0.2"),
        asked("10.0.0.2", x_forwarded_user=" "),
        asked("10.0.0.2", x_forwarded_user="a\x1b[2J"),
        asked("10.0.0.2", x_forwarded_user="a" * 300),
        asked("10.0.0.3", x_forwarded_user="alice"),  # whoever reaches the port past the proxy
        asked(x_forwarded_user="alice"),
    ):
        assert status(access, other, pages=True) == 403
