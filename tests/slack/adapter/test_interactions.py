"""Commands, shortcuts, forms and the Home tab: what people do in Slack beside talking and pressing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from slipway.bot.chat.forms import CommandForm, FieldKind, Form, FormField, FormOption, Values
from slipway.bot.chat.model import Address, Assurance, MessageEvent
from slipway.bot.chat.slack.interactions.action_values import (
    APPROVE_ACTION,
    COMMAND_ACTION,
    DETAILS_ACTION,
    REJECT_ACTION,
    SHOW_OPERATION_SHORTCUT,
    form_callback,
    form_name,
    message_form_callback,
    message_form_name,
)
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.core.errors import ChatError, UserError
from slipway.bot.messages.service import MessageService
from slipway.bot.store.database import Database
from slipway.commands.dispatch.events import event_key
from tests.slack.builders import AMI, LAUNCH, LAUNCH_FROM_MESSAGE, PROPOSED, RUNNING, SLIP, X64
from tests.slack.harness import AdapterHarness, running_adapter
from tests.slack.simulator import Outcome, SimulatedSlack
from tests.slack.simulator.core import View
from tests.slack.simulator.seed import ALICE, IMAGES, LOUNGE
from tests.support.clock import FakeClock
from tests.support.configuration import DECLARED


async def _load(fields: tuple[FormField, ...], values: Values) -> Form:
    return Form(tuple(replace(each, initial=values.get(each.name, "")) for each in fields))


async def _launch_form(adapter: AdapterHarness) -> View:
    """The form that alice opened, once it offers what the clouds have."""
    alice = adapter.sim.person("alice")
    await (await alice.shortcut(LAUNCH)).acked()
    await adapter.sim.called("views.update")
    return await alice.modal(LAUNCH)


def _fields(form: View) -> list[str]:
    """What a form asks for."""
    return [block["element"]["action_id"] for block in form.blocks if block["type"] == "input"]


PACE = FormField(
    "pace",
    "Pace",
    FieldKind.CHOICE,
    tuple(FormOption(each, each) for each in ("slow", "quick", "quicker")),
    reloads=True,
)
"""A field on whose choice others depend."""


class TestCommands:
    async def test_the_slash_command_says_its_line(self, adapter: AdapterHarness) -> None:
        delivery = await adapter.sim.person("alice").command("/slipway", "promote Fedora-Cloud-43-x64")
        assert not await delivery.acked()  # nothing is shown: what is said follows
        (received,) = adapter.events
        assert isinstance(received, MessageEvent)
        assert (received.text, received.address) == ("promote Fedora-Cloud-43-x64", Address.MENTION)
        await (await adapter.sim.person("alice").command("/slipway")).acked()
        assert adapter.lines[-1] == "help"

    async def test_half_a_character_is_no_obstacle(self, over_socket: AdapterHarness) -> None:
        alice = over_socket.sim.person("alice")
        await (await alice.command("/slipway", "status \ud800")).acked()
        await (await alice.post("images", "!status \ud800", raw=True)).deliveries[0].acked()
        assert over_socket.lines == ["status \ufffd", "!status \ufffd"]

    async def test_no_word_in_a_command_is_taken_for_something_else(self, adapter: AdapterHarness) -> None:
        await (await adapter.sim.person("alice").command("/slipway", "images payload={} command=/x")).acked()
        assert adapter.lines == ["images payload={} command=/x"]

    async def test_where_the_bot_may_not_answer_the_person_is_told_to_invite_it(
        self, over_socket: AdapterHarness
    ) -> None:
        alice = over_socket.sim.person("alice")
        await (await alice.command("/slipway", "status", channel="lounge")).acked()
        (received,) = over_socket.events
        with pytest.raises(ChatError, match="/invite @slipway"):
            await over_socket.chat.send(LOUNGE, PROPOSED, thread=None, key=f"hear:slack:{received.event_id}")
        told = await alice.ephemeral(lambda message: "invite" in message.text)
        assert f"I am not in the channel {LOUNGE}; type `/invite @slipway` there" in told.text
        with pytest.raises(ChatError, match="/invite @slipway"):  # a second message about the same event
            await over_socket.chat.send(LOUNGE, PROPOSED, thread=None, key=f"hear:slack:{received.event_id}")
        assert len([each for each in alice.ephemerals if "invite" in each.text]) == 1

    async def test_nobody_is_told_what_answers_an_event_whose_id_only_begins_like_theirs(
        self, over_socket: AdapterHarness
    ) -> None:
        alice, bob = over_socket.sim.person("alice"), over_socket.sim.person("bob")
        await (await bob.command("/slipway", "status", channel="lounge", trigger="77.1.abc")).acked()
        await (await alice.command("/slipway", "status", channel="lounge", trigger="77.1.ab")).acked()
        asked, _ = over_socket.events
        with pytest.raises(ChatError):
            await over_socket.chat.send(LOUNGE, PROPOSED, thread=None, key=event_key(asked, asked.event_id))
        await bob.ephemeral(lambda message: "invite" in message.text)
        assert not [message for message in alice.ephemerals if "invite" in message.text]

    async def test_what_is_said_instead_of_the_wait_is_seen_where_the_button_was_pressed(
        self, over_socket: AdapterHarness, tmp_path: Path
    ) -> None:
        chat, bob = over_socket.chat, over_socket.sim.person("bob")
        ts = await chat.send(IMAGES, PROPOSED, thread=None, key="a card")
        card = await over_socket.sim.message("images", lambda message: message.ts == ts)
        await over_socket.sim.person("alice").post("images", "look", thread=card)
        await (await bob.press(card, "Details")).acked()
        asked = over_socket.events[-1]
        assert isinstance(asked, MessageEvent)
        database = Database(tmp_path / "slipway.db")
        await database.open()
        messages = MessageService(database, {SLACK: chat}, FakeClock())
        for answer in (RUNNING, SLIP):
            await messages.say(asked.room, answer, key=event_key(asked, asked.event_id), thread=asked.thread)
        await database.close()
        assert asked.thread == card.ts
        assert (await bob.ephemeral()).thread_ts is None  # the card stands in the channel

    async def test_the_launch_form_becomes_a_command(self, adapter: AdapterHarness) -> None:
        alice = adapter.sim.person("alice")
        message = await alice.post("images", "try ami-0123456789abcdef0 please")
        await (await alice.message_shortcut(LAUNCH_FROM_MESSAGE, message)).acked()
        await adapter.sim.called("views.update")
        form = await alice.modal(LAUNCH)
        submitted = await alice.submit(form, {"duration": "2h", "count": 2, "keys": "No keys"})
        assert submitted.outcome is Outcome.CLOSED
        line = "launch ami-0123456789abcdef0 --profile small --for 2h --count 2 --no-ssh"
        assert adapter.lines[-1] == line
        assert adapter.events[-1].room.id == IMAGES

    async def test_a_form_without_an_image_is_given_back(self, over_socket: AdapterHarness) -> None:
        alice = over_socket.sim.person("alice")
        form = await _launch_form(over_socket)
        submitted = await alice.submit(form)
        assert submitted.outcome is Outcome.ERRORS
        assert submitted.errors == {"named": "Choose an image, or name one."}
        submitted = await alice.submit(form, {"image": AMI})
        assert submitted.outcome is Outcome.CLOSED
        (received,) = over_socket.events
        assert isinstance(received, MessageEvent)
        assert received.text == f"launch {AMI} --profile small"
        assert (received.room.id, received.assurance) == (
            IMAGES,
            Assurance.FULL,
        )  # the first of slack.channels

    async def test_the_profile_that_is_chosen_decides_what_else_can_be(
        self, over_socket: AdapterHarness
    ) -> None:
        alice = over_socket.sim.person("alice")
        form = await _launch_form(over_socket)
        assert _fields(form) == ["profile", "image", "named", "duration", "count", "keys"]
        await alice.choose(form, "profile", "cloudy", {"image": AMI, "duration": "90m"})
        await over_socket.sim.called("views.update", times=2)
        assert _fields(form) == ["profile", "region", "image", "named", "duration", "count", "keys", "type"]
        assert AMI not in str(form.body)
        assert "Left empty: 1h. The profile allows up to 7d." in str(form.body)
        await alice.choose(form, "region", "westeurope")
        await over_socket.sim.called("views.update", times=3)
        assert "image" not in _fields(form)  # there is none
        await alice.choose(form, "region", "eastus")
        await over_socket.sim.called("views.update", times=4)
        chosen = {"image": X64, "type": "Standard_D2s_v5"}
        assert (await alice.submit(form, chosen)).outcome is Outcome.CLOSED
        assert over_socket.lines == [
            f"launch {X64} --profile cloudy --region eastus --type Standard_D2s_v5 --for 90m"
        ]

    async def test_images_of_one_name_are_launched_by_their_ids(self, over_socket: AdapterHarness) -> None:
        alice = over_socket.sim.person("alice")
        form = await _launch_form(over_socket)
        await alice.submit(form, {"image": "ami-0aaaaaaaaaaaaaaa2"})
        assert over_socket.lines == ["launch ami-0aaaaaaaaaaaaaaa2 --profile small"]

    @pytest.mark.parametrize(
        ("profile", "field", "typed", "told"),
        [
            ("small", "duration", "soon", "write it like 90m, 2h30m or 3d"),
            ("small", "duration", "9d", "Machines of profile small live for at most 7d, not 9d."),
            ("small", "count", "51", "51"),
        ],
    )
    async def test_what_is_wrong_in_a_form_is_told_at_its_field(
        self, over_socket: AdapterHarness, profile: str, field: str, typed: str, told: str
    ) -> None:
        alice = over_socket.sim.person("alice")
        form = await _launch_form(over_socket)
        submitted = await alice.submit(form, {"image": AMI, "profile": profile, field: typed})
        assert submitted.outcome is Outcome.ERRORS
        assert list(submitted.errors) == [field]
        assert told in submitted.errors[field]
        assert over_socket.events == []

    async def test_what_stopped_fitting_together_is_told_when_it_is_sent(
        self, over_socket: AdapterHarness
    ) -> None:
        alice = over_socket.sim.person("alice")
        form = await _launch_form(over_socket)
        await alice.choose(form, "profile", "cloudy")
        await over_socket.sim.called("views.update", times=2)
        # Chosen once more, and sent before that is shown: region and type are still the other profile's.
        entered = {"profile": "small", "image": X64, "type": "Standard_D2s_v5"}
        submitted = await alice.submit(form, entered)
        assert submitted.outcome is Outcome.ERRORS
        assert "Profile small names no regions" in submitted.errors["region:cloudy"]
        assert "Profile small fixes the type" in submitted.errors["type:cloudy"]
        assert over_socket.events == []

    async def test_of_two_choices_the_newest_is_shown_whichever_is_loaded_first(
        self, over_socket: AdapterHarness
    ) -> None:
        alice, slow = over_socket.sim.person("alice"), asyncio.Event()

        async def load(values: Values) -> Form:
            chosen = values.get("pace", "quick")
            if chosen == "slow":
                await slow.wait()
            return Form((PACE, FormField(chosen, "Depends on it")))

        over_socket.more_forms.append(replace(TestForms.FORM, load=load))
        await (await alice.shortcut("slipway.rebuild")).acked()
        await over_socket.sim.called("views.update")
        form = await alice.modal("slipway.rebuild")
        for pace in ("slow", "quick"):
            await (await alice.choose(form, "pace", pace)).acked()
        await over_socket.sim.called("views.update", times=2)
        slow.set()
        await (await alice.choose(form, "pace", "quicker")).acked()
        await over_socket.sim.called("views.update", times=3)
        assert _fields(form) == ["pace", "quicker"]
        assert len(over_socket.sim.calls("views.update")) == 3

    async def test_where_a_form_cannot_be_shown_anew_it_stays_as_it_is(
        self, over_socket: AdapterHarness
    ) -> None:
        alice = over_socket.sim.person("alice")
        form = await _launch_form(over_socket)
        before = _fields(form)
        over_socket.sim.faults.refuse("views.update", "not_found")
        await (await alice.choose(form, "profile", "cloudy")).acked()
        await over_socket.sim.called("views.update", times=2)
        assert _fields(form) == before
        assert over_socket.lines == []

    async def test_a_form_is_not_offered_where_it_would_only_be_refused(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, channels=()) as adapter:
            alice = sim.person("alice")
            await (await alice.shortcut(LAUNCH)).acked()
            direct = sim.core.open_direct(alice.id)
            told = await sim.message(direct.id)
            assert "`slack.channels`" in told.text
            message = await alice.post("images", "try ami-0123456789abcdef0 please")
            await (await alice.message_shortcut(LAUNCH_FROM_MESSAGE, message)).acked()
            assert "have `C0IMAGES0` added" in (await alice.ephemeral()).text
            assert alice.modals == []
            assert adapter.lines == ["try ami-0123456789abcdef0 please"]

    async def test_where_nothing_can_be_launched_the_form_says_so(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, home_channel=IMAGES) as adapter:
            adapter.form_error = UserError("No machines can be launched here.")
            alice = sim.person("alice")
            await (await alice.shortcut(LAUNCH)).acked()
            await sim.called("views.update")
            modal = await alice.modal(LAUNCH)
            assert "No machines can be launched here." in str(modal.body)

    async def test_an_operation_is_shown_from_a_message_that_names_it(
        self, over_socket: AdapterHarness
    ) -> None:
        alice = over_socket.sim.person("alice")
        named = await alice.post("images", "what about op-7k3f?")
        await (await alice.message_shortcut(SHOW_OPERATION_SHORTCUT, named)).acked()
        assert over_socket.lines[-1] == "op op-7k3f"
        other = await alice.post("images", "what about it?")
        await (await alice.message_shortcut(SHOW_OPERATION_SHORTCUT, other)).acked()
        assert "no operation's id" in (await alice.ephemeral()).text


class TestForms:
    """Any command's form is shown, whatever it is for."""

    FORM = CommandForm(
        name="rebuild",
        title="Rebuild a seed image",
        submit="Rebuild",
        loading="Looking up what there is…",
        unavailable="Nothing can be rebuilt now",
        usage="rebuild NAME",
        load=partial(
            _load, (FormField("name", "Name"), FormField("times", "Times", FieldKind.NUMBER, most=2))
        ),
        line=lambda values: " ".join(("rebuild", *values.values())),
        problems=lambda values: {} if "name" in values else {"name": "Name one."},
        values_in=lambda text: {"name": "leap"} if "leap" in text else {},
    )

    def test_no_form_is_called_like_what_the_adapter_itself_has(self) -> None:
        own = {APPROVE_ACTION, REJECT_ACTION, DETAILS_ACTION, COMMAND_ACTION, SHOW_OPERATION_SHORTCUT}
        for subject in DECLARED.registry.subjects:
            for name in (form.shortcut.name for form in subject.forms):
                assert not own & {form_callback(name), message_form_callback(name)}
                assert form_name(form_callback(name)) == name
                assert message_form_name(message_form_callback(name)) == name

    async def test_it_is_opened_filled_in_and_becomes_its_line(self, over_socket: AdapterHarness) -> None:
        over_socket.more_forms.append(self.FORM)
        alice = over_socket.sim.person("alice")
        await (await alice.shortcut("slipway.rebuild")).acked()
        await over_socket.sim.called("views.update")
        form = await alice.modal("slipway.rebuild")
        assert form.title == "Rebuild a seed image"
        assert (await alice.submit(form, {"times": 2})).errors == {"name": "Name one."}
        assert (await alice.submit(form, {"name": "leap", "times": 2})).outcome is Outcome.CLOSED
        assert over_socket.lines == ["rebuild leap 2"]

    async def test_a_message_begins_it(self, over_socket: AdapterHarness) -> None:
        over_socket.more_forms.append(self.FORM)
        alice = over_socket.sim.person("alice")
        named = await alice.post("images", "please do leap")
        await (await alice.message_shortcut("slipway.rebuild_from", named)).acked()
        await over_socket.sim.called("views.update")
        assert "'initial_value': 'leap'" in str((await alice.modal("slipway.rebuild")).body)

    async def test_a_form_that_is_not_there_any_more_is_told(self, over_socket: AdapterHarness) -> None:
        over_socket.more_forms.append(self.FORM)
        alice = over_socket.sim.person("alice")
        await (await alice.shortcut("slipway.rebuild")).acked()
        await over_socket.sim.called("views.update")
        form = await alice.modal("slipway.rebuild")
        over_socket.more_forms.clear()
        await alice.submit(form, {"name": "leap"})
        told = await over_socket.sim.message(over_socket.sim.core.open_direct(alice.id).id)
        assert "that form any more" in told.text
        assert over_socket.events == []


class TestHome:
    async def test_it_shows_cards_and_takes_presses(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, home_channel=IMAGES) as adapter:
            adapter.home_cards.append(PROPOSED)
            alice = sim.person("alice")
            await alice.open_home()
            home = await alice.home_tab()
            assert f"Hello {ALICE}" in str(home.body)
            await (await alice.press_in(home, "Approve")).acked()
            (press,) = adapter.button_events
            assert (press.operation_id, press.assurance) == ("op-7k3f", Assurance.FULL)
            await sim.called("views.publish", 3)  # at once, and when all is done
