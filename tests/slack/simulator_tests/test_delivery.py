"""How events and interactions reach an unmodified Bolt app, and what can happen to them on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp

from tests.slack.simulator import (
    Outcome,
    Reason,
    Signature,
    SimulatedSlack,
    SimulatorError,
    State,
)
from tests.slack.simulator_tests.bolt_app import client_of, over_http, over_socket
from tests.support.clock import FakeClock

Json = dict[str, Any]


class HoldingApp:
    """A Bolt app that keeps what it hears; messages of ``!hold`` and presses wait until they are let go."""

    def __init__(self) -> None:
        self.bodies: list[Json] = []
        self.retries: list[tuple[str | None, str | None]] = []
        self.go = asyncio.Event()
        self.fail_first = 0

    def set_up(self, app: AsyncApp) -> None:
        """Register a middleware that hears before the acknowledgement, as the bot has one."""
        app.use(self.hear)
        app.event("message")(self.nothing)
        app.command("/slipway")(self.slow)
        app.action("go")(self.slow)

    async def hear(self, body: Json, req: Any, next: Any) -> None:  # noqa: A002
        """Keep it, or fail."""
        if self.fail_first > 0:
            self.fail_first -= 1
            raise RuntimeError("the store is away")
        self.bodies.append(body)
        self.retries.append(
            (
                req.headers.get("x-slack-retry-num", [None])[0],
                req.headers.get("x-slack-retry-reason", [None])[0],
            )
        )
        await next()

    async def nothing(self) -> None:
        """Acknowledged by Bolt."""

    async def slow(self, ack: AsyncAck) -> None:
        """Acknowledge when let go."""
        await self.go.wait()
        await ack()

    @property
    def texts(self) -> list[str]:
        """What was said."""
        return [body["event"]["text"] for body in self.bodies if "event" in body]


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as running:
        yield running


@pytest.fixture
async def holding_app(sim: SimulatedSlack) -> AsyncIterator[HoldingApp]:
    app = HoldingApp()
    async with over_socket(sim, app.set_up):
        yield app
        app.go.set()


# --- sockets


async def test_a_socket_says_hello_and_works_once(sim: SimulatedSlack) -> None:
    url = (await client_of(sim).apps_connections_open(app_token=sim.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"], hello["connection_info"]) == (
                "hello",
                1,
                {"app_id": "A0SLIPWAY"},
            )
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_envelope_has_all_that_slack_puts_on_it(sim: SimulatedSlack) -> None:
    url = (await client_of(sim).apps_connections_open(app_token=sim.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.receive_json()
        message = await sim.person("alice").post("images", "hello")
        first = await socket.receive_json()
        assert (first["type"], first["retry_attempt"], first["retry_reason"]) == ("events_api", 0, "")
        assert first["accepts_response_payload"] is False
        await sim.redeliver()
        second = await socket.receive_json()
        assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
        assert second["payload"] == first["payload"]
        assert second["envelope_id"] != first["envelope_id"]
        await socket.send_str(json.dumps({"envelope_id": "none"}))
        await socket.send_str(json.dumps({"envelope_id": first["envelope_id"]}))
        await message.deliveries[0].acked()
        assert await sim.redeliver() == []
        await sim.person("alice").command("/slipway", "x")
        command = await socket.receive_json()
        assert (command["type"], command["accepts_response_payload"]) == ("slash_commands", True)
        assert "retry_attempt" not in command


async def test_a_lost_acknowledgement_means_delivery_again(
    sim: SimulatedSlack, holding_app: HoldingApp
) -> None:
    sim.sockets.drop_acks = 1
    message = await sim.person("alice").post("images", "once")
    await sim.until(lambda: len(sim.sockets.lost_acks) == 1)
    assert message.deliveries[0].state is State.SENT
    await sim.redeliver()
    await message.deliveries[0].acked()
    assert holding_app.texts == ["once", "once"]
    assert len({body["event_id"] for body in holding_app.bodies}) == 1
    assert holding_app.retries[1] == ("1", "timeout")


async def test_what_the_app_could_not_take_is_not_acknowledged(
    sim: SimulatedSlack, holding_app: HoldingApp
) -> None:
    holding_app.fail_first = 1
    message = await sim.person("alice").post("images", "once")
    other = await sim.person("alice").post("images", "twice")
    await other.deliveries[0].acked()
    assert not message.deliveries[0].acknowledged
    await sim.redeliver()
    await message.deliveries[0].acked()
    assert holding_app.texts == ["twice", "once"]


async def test_only_events_that_were_not_acknowledged_are_delivered_again() -> None:
    holding_app = HoldingApp()
    async with SimulatedSlack(patience=0.2) as sim, over_socket(sim, holding_app.set_up):
        alice = sim.person("alice")
        await (await alice.post("images", "taken")).deliveries[0].acked()
        holding_app.fail_first = 1
        refused = await alice.command("/slipway", "refused")
        assert await refused.done() is State.FAILED
        assert await sim.redeliver() == []
        assert refused.attempts == 1


async def test_redelivery_comes_by_itself_where_asked_for() -> None:
    app = HoldingApp()
    async with SimulatedSlack(retry_after=(0.01, 0.01)) as sim, over_socket(sim, app.set_up):
        sim.sockets.drop_acks = 2
        message = await sim.person("alice").post("images", "thrice")
        await message.deliveries[0].acked()
        assert message.deliveries[0].attempts == 3


async def test_a_duplicate_of_what_was_acknowledged(sim: SimulatedSlack, holding_app: HoldingApp) -> None:
    message = await sim.person("alice").post("images", "once")
    await message.deliveries[0].acked()
    await sim.again(message.deliveries[0])
    await sim.settled()
    assert message.deliveries[0].acks == 2
    assert holding_app.texts == ["once", "once"]


async def test_an_interaction_is_not_sent_again_but_its_person_is_told(
    holding_app: HoldingApp, sim: SimulatedSlack
) -> None:
    sim.outbox.patience = 0.05
    delivery = await sim.person("alice").command("/slipway", "x")
    assert await delivery.done() is State.FAILED
    assert delivery.error == "operation_timeout"
    assert await sim.redeliver() == []
    with pytest.raises(SimulatorError, match="operation_timeout"):
        await delivery.acked()


async def test_without_a_socket_a_command_fails_and_an_event_waits(sim: SimulatedSlack) -> None:
    delivery = await sim.person("alice").command("/slipway", "x")
    assert (delivery.state, delivery.error) == (State.FAILED, "dispatch_failed")
    message = await sim.person("alice").post("images", "early")
    assert message.deliveries[0].state is State.WAITING
    app = HoldingApp()
    async with over_socket(sim, app.set_up):
        await message.deliveries[0].acked()
    assert app.texts == ["early"]


@pytest.mark.parametrize("reason", [Reason.WARNING, Reason.REFRESH_REQUESTED, Reason.TOO_MANY_WEBSOCKETS])
async def test_a_client_that_is_asked_to_leave_comes_back(
    sim: SimulatedSlack, holding_app: HoldingApp, reason: Reason
) -> None:
    before = await sim.disconnect(reason)
    message = await sim.person("alice").post("images", "meanwhile")
    await sim.connected(after=before)
    await message.deliveries[0].acked()
    assert holding_app.texts == ["meanwhile"]


async def test_a_disabled_link_lets_nobody_in(sim: SimulatedSlack, holding_app: HoldingApp) -> None:
    await sim.disconnect(Reason.LINK_DISABLED)
    await sim.until(lambda: any(c.error == "forbidden_team" for c in sim.calls("apps.connections.open")))
    assert sim.sockets.live == []
    sim.sockets.enabled = True  # so that the client finds its end


async def test_a_broken_network_loses_nothing(sim: SimulatedSlack, holding_app: HoldingApp) -> None:
    before = sim.cut()
    message = await sim.person("alice").post("images", "meanwhile")
    await sim.connected(after=before)
    await message.deliveries[0].acked()
    assert holding_app.texts == ["meanwhile"]


async def test_a_network_that_breaks_before_the_acknowledgement(
    sim: SimulatedSlack, holding_app: HoldingApp
) -> None:
    sim.sockets.cut_on_send = 1
    before = sim.sockets.opened
    message = await sim.person("alice").post("images", "cut")
    await sim.connected(after=before)
    assert message.deliveries[0].state is State.SENT
    await sim.redeliver()
    await message.deliveries[0].acked()
    assert holding_app.texts[-1] == "cut"


async def test_a_silent_socket_is_noticed_and_replaced(sim: SimulatedSlack, holding_app: HoldingApp) -> None:
    before = sim.sockets.freeze()
    message = await sim.person("alice").post("images", "into the void")
    await sim.connected(after=before)
    await sim.redeliver()
    await message.deliveries[0].acked()
    assert holding_app.texts == ["into the void"]


async def test_several_sockets_share_the_events(sim: SimulatedSlack) -> None:
    one, two = HoldingApp(), HoldingApp()
    async with over_socket(sim, one.set_up), over_socket(sim, two.set_up):
        for number in range(20):
            await sim.person("alice").post("images", f"{number}")
        await sim.settled()
        assert len(one.texts) + len(two.texts) == 20
        assert set(one.texts).isdisjoint(two.texts)
        assert one.texts
        assert two.texts
        assert [connection.envelopes > 0 for connection in sim.sockets.live] == [True, True]


async def test_an_eleventh_socket_is_one_too_many(sim: SimulatedSlack) -> None:
    client = client_of(sim)
    async with aiohttp.ClientSession() as session:
        sockets = []
        for _ in range(11):
            url = (await client.apps_connections_open(app_token=sim.app_token))["url"]
            sockets.append(await session.ws_connect(url))
        assert [(await socket.receive_json())["type"] for socket in sockets] == [
            *["hello"] * 10,
            "disconnect",
        ]
        assert len(sim.sockets.live) == 10
        for socket in sockets:
            await socket.close()


# --- HTTP


@pytest.fixture
async def listening(sim: SimulatedSlack) -> AsyncIterator[HoldingApp]:
    app = HoldingApp()
    async with over_http(sim, app.set_up):
        yield app
        app.go.set()


async def test_events_commands_and_presses_come_signed(sim: SimulatedSlack, listening: HoldingApp) -> None:
    listening.go.set()
    alice = sim.person("alice")
    message = await alice.post("images", "hello & so on")
    await message.deliveries[0].acked()
    await (await alice.command("/slipway", "a=b & c")).acked()
    blocks = [
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}],
        }
    ]
    await client_of(sim).chat_postMessage(channel="images", text="card", blocks=blocks)
    card = await sim.message("images")
    await (await alice.press(card, "Go")).acked()
    assert listening.texts[0] == "hello &amp; so on"
    assert {body.get("text", "") for body in listening.bodies} >= {"a=b &amp; c"}
    assert listening.bodies[-1]["type"] == "block_actions"


@pytest.mark.parametrize("signature", [Signature.WRONG, Signature.OLD, Signature.MISSING])
async def test_a_bad_signature_is_turned_away(
    sim: SimulatedSlack, listening: HoldingApp, signature: Signature
) -> None:
    sim.forge(signature)
    message = await sim.person("alice").post("images", "forged")
    assert await message.deliveries[0].responded() == 401
    assert listening.bodies == []
    await sim.redeliver()
    await message.deliveries[0].acked()


async def test_a_request_url_that_fails_gets_it_again_with_the_reason(
    sim: SimulatedSlack, listening: HoldingApp
) -> None:
    listening.fail_first = 1
    message = await sim.person("alice").post("images", "again")
    assert await message.deliveries[0].responded() == 500
    await sim.redeliver()
    await message.deliveries[0].acked()
    assert listening.retries == [("1", "http_error")]


async def test_a_request_url_that_is_slow_or_gone(sim: SimulatedSlack, listening: HoldingApp) -> None:
    sim.outbox.patience = 0.1
    assert sim.http is not None
    delivery = await sim.person("alice").command("/slipway", "x")
    assert (await delivery.done(), delivery.error) == (State.FAILED, "operation_timeout")
    sim.http.url = "http://127.0.0.1:1/"
    gone = await sim.person("alice").command("/slipway", "x")
    assert (await gone.done(), gone.error) == (State.FAILED, "dispatch_failed")


async def test_signatures_follow_the_real_time_whatever_the_clock_says() -> None:
    app = HoldingApp()
    async with SimulatedSlack(clock=FakeClock()) as sim, over_http(sim, app.set_up):
        message = await sim.person("alice").post("images", "from another time")
        await message.deliveries[0].acked()
        assert message.ts == "1795176000.000000"


async def test_a_url_that_does_not_know_the_challenge(sim: SimulatedSlack) -> None:
    with pytest.raises(SimulatorError, match="challenge"):
        await sim.deliver_over_http(f"{sim.url}/api/auth.test")


async def test_a_modal_that_nobody_answers_stays(sim: SimulatedSlack, holding_app: HoldingApp) -> None:
    sim.outbox.patience = 0.05
    alice = sim.person("alice")
    await alice.shortcut("launch")
    trigger = sim.deliveries[-1].payload["trigger_id"]
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Hi"}, "blocks": [{"type": "divider"}]}
    await client_of(sim).views_open(trigger_id=trigger, view=view)
    modal = await alice.modal()
    assert (await alice.submit(modal)).outcome is Outcome.NO_ANSWER
    assert alice.modals == [modal]
