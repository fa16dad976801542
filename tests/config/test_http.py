"""What is said about [http], and about slack.listen beside it."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.bot.config.describe import describe
from slipway.bot.config.http_settings import Pages
from slipway.bot.config.lint import warnings
from tests.support.configuration import DECLARED, SECRETS, problems_of, settings_of, valid_document

TOKENS = {**SECRETS, "SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1", "SLIPWAY_SLACK_SIGNING_SECRET": "secret"}
PROXY = {"pages": "proxy", "proxies": ["10.0.0.2"], "user_header": "X-Forwarded-User"}
SLACK = {"transport": "http", "channels": ["C0123456789"]}


def _http(http: dict[str, Any], slack: dict[str, Any] | None = None) -> dict[str, Any]:
    return valid_document() | {"http": http} | ({"slack": SLACK | slack} if slack is not None else {})


def test_without_a_table_nothing_is_open_and_slack_is_heard_where_it_always_was() -> None:
    settings = settings_of(valid_document() | {"slack": SLACK}, TOKENS)
    assert settings.http.ops is None
    assert DECLARED.public_listen(settings) == "127.0.0.1:3000"
    assert [route.path for route in DECLARED.public_routes(settings)] == ["/slack/events"]
    assert DECLARED.public_routes(settings_of(valid_document())) == ()


def test_an_empty_table_of_operators_is_for_this_machine_alone() -> None:
    settings = settings_of(_http({"ops": {}}))
    ops = settings.http.ops
    assert ops is not None
    assert (ops.listen, ops.pages, ops.token) == ("127.0.0.1:9464", Pages.OFF, None)
    assert [str(each) for each in ops.networks] == ["127.0.0.0/8", "::1/128"]
    told = "http: for operators at 127.0.0.1:9464; metrics for 127.0.0.0/8, ::1/128; pages none"
    assert told in describe(settings, DECLARED.spec)


def test_files_of_before_mean_the_same_and_are_told_what_to_write() -> None:
    document = _http({}, {"listen": "[::1]:8080"})
    settings = settings_of(document, TOKENS)
    assert DECLARED.public_listen(settings) == "[::1]:8080"
    (warning,) = [str(each) for each in warnings(settings, document, DECLARED.spec) if "listen" in each.key]
    assert warning == (
        'slack.listen: is written as listen = "[::1]:8080" of [http.public] by now; it counts here, too, for now'
    )
    now = settings_of(_http({"public": {"listen": "[::1]:8080"}}, {}), TOKENS)
    assert DECLARED.public_listen(now) == "[::1]:8080"


@pytest.mark.parametrize(
    ("http", "told"),
    [
        ({"ops": {"listen": "9464"}}, 'http.ops.listen: it is "9464"; write a host and a port, like 127.0.0.1:9464'),
        ({"ops": {"listen": "127.0.0.1:99999"}}, 'http.ops.listen: "127.0.0.1:99999" has a port beyond 65535'),
        ({"ops": {"networks": ["10.0.0.1/8"]}}, 'http.ops.networks #1: "10.0.0.1/8" is not a network; write it like'),
        ({"ops": {"token": "x" * 40}}, "http.ops.token: a secret does not belong into this file"),
        ({"ops": {"pages": "everybody"}}, "http.ops.pages: it is \"everybody\"; must be 'off', 'loopback'"),
        ({"ops": PROXY | {"proxies": []}}, "http.ops.proxies: is empty, so nobody could read the pages"),
        ({"ops": {**PROXY, "user_header": ""}}, "http.ops.user_header: is missing; write the header in which"),
        ({"ops": PROXY | {"user_header": "X Y"}}, 'http.ops.user_header: it is "X Y"; write the name of a header'),
        ({"ops": {"proxies": ["10.0.0.2"]}}, 'http.ops.proxies: is for pages = "proxy" alone'),
        ({"ops": {"pages": "loopback", "listen": "10.0.0.1:80"}}, 'http.ops.pages: "loopback" lets only this'),
        ({"ops": {"listen": "0.0.0.0:80"}, "public": {"listen": "127.0.0.1:80"}}, "http.public.listen: is where"),
        ({"public": {"listen": "127.0.0.1:80", "pages": "off"}}, "http.public.pages: there is no such key"),
        ({"inner": {}}, "http.inner: there is no such key. Keys here: ops, public"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(http: dict[str, Any], told: str) -> None:
    (problem,) = problems_of(_http(http))
    assert problem.startswith(told), problem


def test_a_token_that_can_be_guessed_is_refused_and_not_repeated() -> None:
    (problem,) = problems_of(_http({"ops": {}}), {**SECRETS, "SLIPWAY_HTTP_OPS_TOKEN": "hunter2"})
    assert problem.startswith("http.ops.token: has fewer than 20 characters")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("http", "listen", "told"),
    [
        (
            {"public": {"listen": "127.0.0.1:80"}},
            "127.0.0.1:81",
            'slack.listen: [http.public] says "127.0.0.1:80"',
        ),
        ({"ops": {"listen": "127.0.0.1:80"}}, "127.0.0.1:80", "slack.listen: is where [http.ops] listens"),
        ({}, "127.0.0.1:99999", 'slack.listen: "127.0.0.1:99999" has a port beyond 65535'),
    ],
)
def test_two_tables_do_not_contradict_each_other(http: dict[str, Any], listen: str, told: str) -> None:
    (problem,) = problems_of(_http(http, {"listen": listen}), TOKENS)
    assert problem.startswith(told), problem


@pytest.mark.parametrize(
    ("http", "told"),
    [
        ({"public": {}}, "http.public: nothing is heard there"),
        ({"ops": {"listen": "0.0.0.0:80"}}, "http.ops.networks: only this machine may read metrics"),
        ({"ops": {"networks": ["0.0.0.0/0"]}}, "http.ops.networks: 0.0.0.0/0 is everybody"),
    ],
)
def test_what_is_hardly_meant_is_told(http: dict[str, Any], told: str) -> None:
    document = _http(http)
    found = [str(each) for each in warnings(settings_of(document), document, DECLARED.spec)]
    assert [each for each in found if each.startswith(told)], found
