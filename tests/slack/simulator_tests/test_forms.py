"""Modals as forms, the stack of views, and answers over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.simulator import SimulatedSlack, SimulatorError
from tests.slack.simulator.people.forms import fill_in
from tests.slack.simulator.seed import ALICE, EVE
from tests.slack.simulator_tests.bolt_app import client_of, over_http

Json = dict[str, Any]


def option(word: str) -> Json:
    return {"text": {"type": "plain_text", "text": word}, "value": word.lower()}


def asked(label: str, element: Json, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": label.lower(),
        "label": {"type": "plain_text", "text": label},
        "element": {"action_id": "x", **element},
        **more,
    }


FORM = [
    {"type": "divider"},
    asked("Image", {"type": "static_select", "options": [option("Cloud"), option("Container")]}),
    asked(
        "Profile", {"type": "radio_buttons", "options": [option("Small")], "initial_option": option("Small")}
    ),
    asked("Until", {"type": "datepicker", "initial_date": "2026-11-21"}),
    asked("Count", {"type": "number_input", "is_decimal_allowed": False, "initial_value": "1"}),
    asked("Extras", {"type": "checkboxes", "options": [option("IPv6"), option("Swap")]}, optional=True),
    asked("Owner", {"type": "users_select"}, optional=True),
]


def test_a_form_takes_what_was_entered_and_keeps_what_was_there() -> None:
    state = fill_in(FORM, {"Image": "Cloud", "count": 3, "Extras": ["ipv6"], "Owner": ALICE})
    assert {block: next(iter(fields.values())) for block, fields in state.items()} == {
        "image": {"type": "static_select", "selected_option": option("Cloud")},
        "profile": {"type": "radio_buttons", "selected_option": option("Small")},
        "until": {"type": "datepicker", "selected_date": "2026-11-21"},
        "count": {"type": "number_input", "value": "3"},
        "extras": {"type": "checkboxes", "selected_options": [option("IPv6")]},
        "owner": {"type": "users_select", "selected_user": ALICE},
    }


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ({}, "“Image” is required"),
        ({"Image": "Disk"}, "offered are Cloud, Container"),
        ({"Colour": 1}, "Image"),
    ],
)
def test_what_a_client_would_not_let_through(entered: Json, words: str) -> None:
    with pytest.raises(SimulatorError, match=words):
        fill_in(FORM, entered)


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as running:
        yield running


def modal(name: str) -> Json:
    return {
        "type": "modal",
        "callback_id": name,
        "external_id": name,
        "title": {"type": "plain_text", "text": name},
        "blocks": [{"type": "divider"}],
    }


async def error_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def trigger(sim: SimulatedSlack) -> str:
    """A fresh trigger of Alice's; nobody listens for what she did."""
    delivery = await sim.person("alice").shortcut("any")
    return str(delivery.payload["trigger_id"])


async def test_views_are_pushed_up_to_three_and_named_once(sim: SimulatedSlack) -> None:
    client, alice = client_of(sim), sim.person("alice")
    assert await error_of(client.views_push(trigger_id=await trigger(sim), view=modal("none"))) == "not_found"
    first = (await client.views_open(trigger_id=await trigger(sim), view=modal("one")))["view"]
    assert await error_of(client.views_open(trigger_id=await trigger(sim), view=modal("one"))) == (
        "duplicate_external_id"
    )
    second = (await client.views_push(trigger_id=await trigger(sim), view=modal("two")))["view"]
    assert (second["root_view_id"], second["previous_view_id"]) == (first["id"], first["id"])
    await client.views_push(trigger_id=await trigger(sim), view=modal("three"))
    assert [view.title for view in alice.modals] == ["one", "two", "three"]
    assert await error_of(client.views_push(trigger_id=await trigger(sim), view=modal("four"))) == (
        "push_limit_reached"
    )
    await client.views_update(external_id="two", view={**modal("two"), "private_metadata": "seen"})
    assert alice.modals[1].private_metadata == "seen"
    await alice.close(alice.modals[-1], whole_stack=True)
    assert alice.modals == []


async def test_a_home_tab_is_guarded_by_its_hash_and_for_people_one_meets(sim: SimulatedSlack) -> None:
    client = client_of(sim)
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    shown = (await client.views_publish(user_id=ALICE, view=home))["view"]
    again = (await client.views_publish(user_id=ALICE, view=home, hash=shown["hash"]))["view"]
    assert again["id"] == shown["id"]
    assert (
        await error_of(client.views_publish(user_id=ALICE, view=home, hash=shown["hash"])) == "hash_conflict"
    )
    await sim.remove_bot("shared")
    assert await error_of(client.views_publish(user_id=EVE, view=home)) == "user_not_found"
    assert await error_of(client.views_publish(user_id=ALICE, view=modal("home"))) == "invalid_arguments"


async def test_answers_over_http_come_in_the_response(sim: SimulatedSlack) -> None:
    def set_up(app: AsyncApp) -> None:
        async def command(ack: AsyncAck, body: Json) -> None:
            await (ack(text="as JSON", response_type="in_channel") if body["text"] else ack("as text"))

        async def open_it(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
            await ack()
            view = {**modal("form"), "submit": {"type": "plain_text", "text": "Go"}, "blocks": FORM}
            await client.views_open(trigger_id=body["trigger_id"], view=view)

        async def submitted(ack: AsyncAck) -> None:
            await ack(response_action="errors", errors={"image": "gone"})

        async def said() -> None:
            pass

        app.command("/slipway")(command)
        app.shortcut("launch")(open_it)
        app.view("form")(submitted)
        app.event("message")(said)

    alice = sim.person("alice")
    async with over_http(sim, set_up):
        await (await alice.command("/slipway")).acked()
        assert (await alice.ephemeral()).text == "as text"
        await (await alice.command("/slipway", "loud")).acked()
        assert (await sim.message("images")).text == "as JSON"
        await alice.shortcut("launch")
        answer = await alice.submit(await alice.modal("form"), {"Image": "Cloud"})
        assert answer.errors == {"image": "gone"}
        await sim.settled()
