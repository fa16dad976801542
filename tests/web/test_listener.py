"""What one peer may take of a listener, and what clients get that were not made for it."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from slipway.bot.config.http_settings import OpsSettings
from slipway.bot.core.errors import DeclarationError, ListenError
from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Method
from slipway.bot.core.http.routes import OpsRoute, OtherMethods, PublicRoute, RouteTable
from slipway.bot.web.connections import Connections
from slipway.bot.web.limits import USUAL_LIMITS
from slipway.bot.web.public import PublicListener
from slipway.bot.web.server import HttpServer
from tests.web.raw import PATIENCE, get, listening, say, statuses

SOON = 0.2
"""Seconds after which an impatient listener gives up."""


async def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse.text(f"hello {request.parameters.get('name', request.body.decode())}")


async def fail(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the password is hunter2")


HELLO = OpsRoute(Method.GET, "/hello/{name}", hello)
BODY = OpsRoute(Method.POST, "/hello", hello, body_limit=10)


def post(body: bytes, *headers: str) -> bytes:
    lines = ["POST /hello HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_unmodified_clients_get_their_answers_over_one_connection() -> None:
    def by_library(port: int) -> list[tuple[int, bytes, str | None]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        found = []
        for method, path, body in [
            ("GET", "/hello/a", None),
            ("POST", "/hello", b"b"),
            ("HEAD", "/hello/c", None),
        ]:
            connection.request(method, path, body)
            answer = connection.getresponse()
            found.append((answer.status, answer.read(), answer.getheader("Server")))
        connection.close()
        return found

    def not_found(port: int) -> int:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/hello/a/b", timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        return 200

    async with listening(HELLO, BODY) as port:
        found = await asyncio.to_thread(by_library, port)
        assert found == [
            (200, b"hello a\n", "slipway"),
            (200, b"hello b\n", "slipway"),
            (200, b"", "slipway"),
        ]
        assert await asyncio.to_thread(not_found, port) == 404
        async with aiohttp.ClientSession() as session:
            async with session.post(f"http://127.0.0.1:{port}/hello", data=_pieces()) as answer:
                assert await answer.text() == "hello abc\n"  # chunked, without a length
            async with session.post(f"http://127.0.0.1:{port}/hello/a") as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "GET")
        curl = await asyncio.create_subprocess_exec(
            "curl", "-sS", "-H", "Expect: 100-continue", "-d", "e", f"http://127.0.0.1:{port}/hello",
            stdout=asyncio.subprocess.PIPE,
        ) if _has_curl() else None  # fmt: skip
        if curl is not None:
            assert (await curl.communicate())[0] == b"hello e\n"


async def _pieces() -> AsyncIterator[bytes]:
    for piece in (b"a", b"b", b"c"):
        yield piece


def _has_curl() -> bool:
    import shutil

    return shutil.which("curl") is not None


ODD = {
    "a long header": (get("/hello/a", f"X-Long: {'x' * 9000}"), 400),
    "a long path": (get(f"/hello/{'x' * 9000}"), 400),
    "many headers": (get("/hello/a", *(f"X-{number}: y" for number in range(100))), 400),
    "a long body": (post(b"x" * 11, "Content-Length: 11"), 413),
    "a long body in pieces": (
        post(b"b\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
        413,
    ),
    "a huge length": (post(b"x", "Content-Length: 1000000000000"), 413),
    "a negative length": (post(b"x", "Content-Length: -1"), 400),
    "two lengths": (post(b"1\r\nx\r\n0\r\n\r\n", "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100, 400),
    "as to a proxy": (get("http://elsewhere.example/hello/a"), 200),
    "an encoded path": (get("/hello/%2e%2e%2fb"), 200),  # nothing is decoded
    "a path upwards": (get("/hello/../hello/a"), 404),
    "two slashes": (get("//hello/a"), 404),
}


@pytest.mark.parametrize(("sent", "status"), ODD.values(), ids=ODD)
async def test_what_is_too_much_or_no_http_is_refused(sent: bytes, status: int) -> None:
    with capture_logs() as logs:
        async with listening(HELLO, BODY) as port:
            answer = await say(port, sent)
            assert statuses(answer) == [status], answer
            assert statuses(await say(port, get("/hello/b"))) == [200]
    assert b"aiohttp" not in answer
    assert not [log for log in logs if log["log_level"] in ("warning", "error")], "anybody could fill the log"


async def test_whoever_sends_slowly_or_nothing_keeps_no_connection() -> None:
    limits = replace(USUAL_LIMITS, head_seconds=SOON, body_seconds=SOON, idle_seconds=SOON)
    async with listening(HELLO, BODY, limits=limits) as port:
        begun = [
            say(port, b"GET /hello/a HTTP/1.1\r\nHost: x\r\nX-Slow: "),  # slowloris
            say(port),
            say(port, b"G"),
        ]
        assert await asyncio.gather(*begun) == [b"", b"", b""]
        assert statuses(await say(port, post(b"x", "Content-Length: 5"))) == [408]
        answer = await say(port, b"GET /hello/a HTTP/1.1\r\nHost: x\r\n\r\nGET /hello/b HTTP/1.1\r\nHost:")
        assert statuses(answer) == [200]  # what it sent behind that has no more time than the first


async def test_whoever_reads_nothing_keeps_no_connection() -> None:
    async def much(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=b"x" * 64_000_000)  # more than the sockets on the way hold

    limits = replace(USUAL_LIMITS, answer_seconds=SOON)
    async with listening(OpsRoute(Method.GET, "/much", much), HELLO, limits=limits) as port:
        lost, taken = asyncio.Event(), bytearray()

        class Deaf(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                transport.write(get("/much"))
                transport.pause_reading()
                asyncio.get_running_loop().call_later(SOON * 2, transport.resume_reading)

            def data_received(self, data: bytes) -> None:
                taken.extend(data)

            def connection_lost(self, exc: Exception | None) -> None:
                lost.set()

        await asyncio.get_running_loop().create_connection(Deaf, "127.0.0.1", port)
        async with asyncio.timeout(PATIENCE):
            await lost.wait()
        assert len(taken) < 64_000_000
        assert statuses(await say(port, get("/hello/a"))) == [200]


async def test_requests_that_do_not_wait_for_answers_are_answered_in_order() -> None:
    many = b"".join(f"GET /hello/{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for number in range(200))
    async with listening(HELLO) as port:
        answers = await say(port, many, get("/hello/last"))
    assert statuses(answers) == [200] * 201
    said = [line for line in answers.split(b"\n") if line.startswith(b"hello")]
    assert said == [*(f"hello {number}".encode() for number in range(200)), b"hello last"]


async def test_of_too_many_connections_the_newest_are_closed() -> None:
    limits = replace(USUAL_LIMITS, connections=5, connections_of_peer=3)
    async with listening(HELLO, limits=limits) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        held[0][1].write(b"GET /hello/a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await held[0][0].readline() == b"HTTP/1.1 200 OK\r\n"
        assert await say(port, get("/hello/a")) == b""
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(PATIENCE):
            while not await say(port, get("/hello/a")):  # until the server has seen that they are gone
                pass


def test_addresses_that_one_machine_has_by_the_million_count_as_one_peer() -> None:
    connections = Connections(replace(USUAL_LIMITS, connections_of_peer=2))
    assert [connections.admit(ip_address(f"2001:db8::{number:x}")) for number in range(3)] == [
        True,
        True,
        False,
    ]
    assert connections.admit(ip_address("2001:db8:0:1::1"))
    assert connections.admit(ip_address("192.0.2.1"))
    assert connections.admit(ip_address("192.0.2.2"))
    connections.left(ip_address("2001:db8::1"))
    assert connections.admit(ip_address("2001:db8::ffff"))


async def test_a_header_that_stands_there_twice_is_known_as_that() -> None:
    async def tell(request: HttpRequest) -> HttpResponse:
        return HttpResponse.text(f"{request.header('x-user')} {sorted(request.repeated)}")

    async with listening(OpsRoute(Method.GET, "/tell", tell)) as port:
        assert b"a, b ['x-user']" in await say(port, get("/tell", "X-User: a", "x-user: b"))


async def test_a_fault_is_logged_and_not_shown_and_an_answer_has_its_time() -> None:
    async def hang(_request: HttpRequest) -> HttpResponse:
        await asyncio.Event().wait()
        raise AssertionError

    heard: list[tuple[str, int]] = []
    failing = OpsRoute(Method.GET, "/fail", fail)
    hanging = OpsRoute(Method.GET, "/hang", hang, answered_within=SOON)
    with capture_logs() as logs:
        async with listening(
            failing, hanging, answered=lambda route, status, _seconds: heard.append((route, status))
        ) as port:
            answer = await say(port, get("/fail"))
            assert statuses(answer) == [500]
            assert b"hunter2" not in answer
            assert statuses(await say(port, get("/hang"))) == [503]
            assert statuses(await say(port, get("/elsewhere"))) == [404]
    assert heard == [("/fail", 500), ("/hang", 503), ("", 404)]
    assert [log["event"] for log in logs if log["log_level"] in ("error", "warning")] == [
        "a request failed inside Slipway",
        "a request was not answered in time",
    ]


async def test_whoever_hangs_up_before_the_answer_leaves_no_trace() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def late(_request: HttpRequest) -> HttpResponse:
        asked.set()
        await go_on.wait()
        return HttpResponse(body=b"x" * 10_000_000)

    with capture_logs() as logs:
        async with listening(OpsRoute(Method.GET, "/late", late), HELLO) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get("/late"))
            async with asyncio.timeout(PATIENCE):
                await asked.wait()
            writer.transport.abort()
            assert statuses(await say(port, get("/hello/a"))) == [200]
            go_on.set()
            assert statuses(await say(port, get("/hello/b"))) == [200]
    assert [log["event"] for log in logs] == ["listening"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=3))
def test_no_bytes_end_a_listener(parts: list[bytes]) -> None:
    async def try_them() -> None:
        async with listening(HELLO, BODY, limits=replace(USUAL_LIMITS, head_seconds=SOON)) as port:
            await say(port, *parts, end=True)
            assert statuses(await say(port, get("/hello/a"))) == [200]

    asyncio.run(try_them())


async def test_an_address_that_is_taken_is_named() -> None:
    async with listening(HELLO) as port:
        taken = PublicListener(f"127.0.0.1:{port}", (PublicRoute(Method.POST, "/events"),))
        with pytest.raises(
            ListenError,
            match=rf"Could not listen on 127\.0\.0\.1:{port} for the public: Address already in use\.",
        ):
            await taken.open()


async def test_a_public_route_is_answered_while_somebody_answers_it() -> None:
    route = PublicRoute(Method.POST, "/events", body_limit=10)
    public = PublicListener("127.0.0.1:0", (route,))
    await public.open()
    assert public.port is not None
    asked = b"POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    try:
        assert statuses(await say(public.port, asked)) == [503]
        with public.answering(route, hello):
            assert b"hello hi" in await say(public.port, asked)
            with pytest.raises(DeclarationError, match="is answered already"), public.answering(route, hello):
                pass
        assert statuses(await say(public.port, asked)) == [503]
        other = PublicRoute(Method.POST, "/other")
        with (
            pytest.raises(DeclarationError, match="Nobody declared the route POST /other"),
            public.answering(other, hello),
        ):
            pass
    finally:
        await public.close()


async def test_where_nothing_is_to_be_heard_no_port_is_open() -> None:
    public = PublicListener("127.0.0.1:0", ())
    await public.open()
    assert public.port is None


def test_routes_of_operators_cannot_be_public() -> None:
    event = PublicRoute(Method.POST, "/events")
    with pytest.raises(DeclarationError, match="/hello belongs to the other listener"):
        PublicListener("127.0.0.1:0", (BODY,))  # type: ignore[arg-type]
    public = PublicListener("127.0.0.1:0", (event,))
    with pytest.raises(DeclarationError, match="/events belongs to the other listener"):
        HttpServer(public, OpsSettings(), (event,))  # type: ignore[arg-type]


def test_routes_are_found_by_their_paths() -> None:
    one = OpsRoute(Method.GET, "/a/{id}", hello)
    word = OpsRoute(Method.GET, "/a/b", hello)
    table = RouteTable(OpsRoute, (one, word))
    found = table.find("HEAD", "/a/b")
    assert found is not None
    assert not isinstance(found, OtherMethods)
    assert found.route is word
    assert table.find("DELETE", "/a/c") == OtherMethods((Method.GET,))
    assert table.find("GET", "/a/") is None
    with pytest.raises(DeclarationError, match=r"GET /a/\{name\} is claimed twice"):
        RouteTable(OpsRoute, (one, OpsRoute(Method.GET, "/a/{name}", hello)))
    with pytest.raises(DeclarationError, match="cannot have the path 'a'"):
        OpsRoute(Method.GET, "a", hello)
