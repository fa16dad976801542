"""Slipway in Slack, as people there live it, over both ways in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.commands.dispatch.dispatcher import PATIENCE_SECONDS
from slipway.commands.operations.home import MOST_PENDING
from tests.slack.builders import LAUNCH, LONG
from tests.slack.harness import running_adapter
from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.core import View
from tests.slack.simulator.seed import BOB, IMAGES, LOUNGE
from tests.slack.whole_bot import PEOPLE, SlackBot, slack_bot
from tests.support.aws import IMAGE, simulated_aws
from tests.support.azure import ARM, CANDIDATE, RAWHIDE, X64, simulated_gallery
from tests.support.clock import FakeClock
from tests.support.pauses import no_pauses


@pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
async def test_one_asks_another_approves_and_the_report_stands_in_the_thread(
    tmp_path: Path, over_http: bool
) -> None:
    clock = FakeClock()
    async with (
        SimulatedSlack(clock=clock) as sim,
        slack_bot(tmp_path, sim, clock=clock, over_http=over_http) as bot,
    ):
        alice, bob = sim.person("alice"), sim.person("bob")
        await alice.post("images", f"!promote {X64}")
        card = await bot.wait_for_message("images", "waits for 1 approval")
        assert [button.label for button in card.buttons] == ["Approve", "Reject", "Details"]
        assert bot.excluded(X64, CANDIDATE) is True
        await (await bob.press(card, "Approve")).acked()
        await bot.settled()
        assert bot.excluded(X64, CANDIDATE) is False
        report = await bot.wait_for_message("images", "promote: done", "Ended")
        assert report.thread_ts == card.ts
        (shown,) = [m for m in sim.messages("images") if m.ts == card.ts]
        assert shown.buttons == []
        assert "Bob approved" in shown.all_text
        assert bot.chat.health().connected


async def test_what_a_slash_command_asks_is_ones_own_and_what_it_changes_says_who_asked(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        alice, bob = sim.person("alice"), sim.person("bob")
        for line in ("images", "help", "promote nothing-like-it", f"promote {X64} --dry-run", "frobnicate"):
            await (await alice.command("/slipway", line)).acked()
        await bot.settled()
        assert sim.from_bot("images") == []
        assert len(alice.ephemerals) == 5
        await (await alice.command("/slipway", f"promote {X64}")).acked()
        card = await bot.wait_for_message("images", "waits for 1 approval", "Alice")
        (operation,) = re.findall(r"op-\w+", card.text)[:1]
        await (await bob.command("/slipway", f"op {operation}")).acked()
        shown = await bob.ephemeral(lambda message: "waits for 1 approval" in message.all_text)
        await (await bob.press(shown, "Approve")).acked()
        await bot.settled()
        assert "promote: done" in card.all_text
        assert bot.excluded(X64, CANDIDATE) is False


@asynccontextmanager
async def bot_that_waits(folder: Path) -> AsyncIterator[tuple[SimulatedSlack, SlackBot, asyncio.Event]]:
    """Slack and a bot that says the word of a wait when the event is set, and not before."""
    clock, waited = FakeClock(), asyncio.Event()

    async def when_told(seconds: float) -> None:
        await (waited.wait() if seconds == PATIENCE_SECONDS else no_pauses(seconds))

    async with (
        SimulatedSlack(clock=clock) as sim,
        slack_bot(folder, sim, clock=clock, sleep=when_told) as bot,
    ):
        yield sim, bot, waited


async def test_a_slash_command_is_told_of_a_wait_only_where_there_is_one_and_alone(tmp_path: Path) -> None:
    async with bot_that_waits(tmp_path) as (sim, bot, waited):
        alice = sim.person("alice")
        held = bot.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        asked = await alice.command("/slipway", "images")
        await asked.acked()
        assert not asked.answer
        await held.reached.wait()
        assert alice.ephemerals == []
        waited.set()
        meanwhile = await alice.ephemeral()
        assert "Working on it…" in meanwhile.all_text
        waited.clear()
        held.release()
        await bot.settled()
        assert [each.ts for each in alice.ephemerals][:1] == [
            meanwhile.ts
        ]  # it stays, and the answer follows
        assert "images" in alice.ephemerals[1].all_text
        assert len(alice.ephemerals) == 2
        assert sim.from_bot("images") == []
        await (await alice.command("/slipway", "whoami")).acked()
        await bot.settled()
        assert len(alice.ephemerals) == 3


async def test_a_slash_command_where_the_bot_is_not_is_told_of_a_wait_and_answered_each_time(
    tmp_path: Path,
) -> None:
    async with bot_that_waits(tmp_path) as (sim, bot, waited):
        for who in ("alice", "bob"):  # the second one where it is known that nothing is taken there
            person = sim.person(who)
            held = bot.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
            await (await person.command("/slipway", "images", channel=LOUNGE)).acked()
            await held.reached.wait()
            assert person.ephemerals == []
            waited.set()
            assert "Working on it…" in (await person.ephemeral()).all_text
            waited.clear()
            held.release()
            told = await person.ephemeral(lambda message: "Working" not in message.all_text)
            assert "I am not in the channel C0LOUNGE0; type `/invite @slipway` there" in told.all_text
            await bot.settled()
            assert len(person.ephemerals) == 2


async def test_a_slash_command_in_a_conversation_with_the_bot_leaves_no_word_of_a_wait(
    tmp_path: Path,
) -> None:
    async with bot_that_waits(tmp_path) as (sim, bot, waited):
        alice, place = sim.person("alice"), sim.world.app.bot_user
        direct = sim.core.open_direct(alice.id).id
        held = bot.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        await (await alice.command("/slipway", "images", channel=place)).acked()
        await held.reached.wait()
        waited.set()
        said = await bot.wait_for_message(direct, "Working on it…")
        held.release()
        await bot.settled()
        assert sim.from_bot(direct) == [said]
        assert "image definitions" in said.all_text
        assert "Working on it" not in said.all_text


async def test_a_slash_command_that_decides_is_told_how_the_operation_stands(tmp_path: Path) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        alice, bob = sim.person("alice"), sim.person("bob")
        await alice.post("images", f"!promote {X64}")
        card = await bot.wait_for_message("images", "waits for 1 approval")
        (operation,) = re.findall(r"op-\w+", card.text)[:1]
        await (await bob.command("/slipway", f"reject {operation} too early")).acked()
        await bot.settled()
        (told,) = bob.ephemerals
        assert f"{operation} promote: rejected" in told.all_text
        assert "Rejected by Bob: too early." in card.all_text
        assert len(sim.from_bot("images")) == 2  # the card, and its report


async def test_each_of_several_that_wait_is_shown_where_it_was_listed_and_decided_on_there(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        alice, bob = sim.person("alice"), sim.person("bob")
        for image in (X64, ARM):
            await alice.post("images", f"!promote {image}")
            await bot.wait_for_message("images", "waits for 1 approval", image)
        await bob.post("images", "!pending")
        listed = await bot.wait_for_message("images", "2 open operations")
        show, other = listed.buttons
        assert re.fullmatch(r"Show op-\w+", show.label)
        before = len(sim.from_bot("images"))
        await (await bob.press(listed, show)).acked()
        await bot.settled()
        (shown,) = sim.from_bot("images")[before:]  # in the list's thread
        assert (shown.thread_ts, show.label.split()[1] in shown.text) == (listed.ts, True)
        await (await bob.press(shown, "Approve")).acked()
        await bot.settled()
        assert "promote: done" in shown.all_text

        await (await bob.command("/slipway", "pending")).acked()  # one is left, with all there is to agree to
        alone = await bob.ephemeral(lambda message: "1 open operation" in message.all_text)
        assert "Plan: " in alone.all_text
        assert [button.label for button in alone.buttons] == ["Approve", "Reject", "Details"]
        await alice.post("images", f"!cleanup {RAWHIDE}")
        await bot.settled()
        await (await bob.command("/slipway", "pending")).acked()
        mine = await bob.ephemeral(lambda message: "2 open operations" in message.all_text)
        await (await bob.press(mine, other.label)).acked()
        await bot.settled()
        *_, told = bob.ephemerals  # what only he saw leads to what only he sees
        assert other.label.split()[1] in told.text
        assert [button.label for button in told.buttons] == ["Approve", "Reject", "Details"]
        await (await bob.press(told, "Details")).acked()
        await bot.settled()
        assert bob.ephemerals[-1].ts != told.ts
        assert bob.ephemerals[-1].thread_ts is None


async def test_what_is_too_long_for_one_person_comes_as_a_file_to_them_alone(sim: SimulatedSlack) -> None:
    async with running_adapter(sim) as adapter:
        card = LONG.model_copy(update={"private_to": BOB})
        await adapter.chat.send(IMAGES, card, thread=None, key="k")
        assert "The attached file has all of it." in (await sim.person("bob").ephemeral()).all_text
        assert sim.from_bot("images") == []
        direct = sim.world.direct(BOB)
        assert direct is not None
        assert [file["title"] for message in direct.messages for file in message.files] == ["The whole"]


def _offered(form: View) -> list[str]:
    """The images that the form for launching machines offers, by name."""
    (select,) = [block["element"] for block in form.blocks if block.get("block_id", "").startswith("image:")]
    return [option["text"]["text"] for option in select["options"]]


def _machines(home: View) -> list[str]:
    """The machines that a Home tab can end."""
    return re.findall(r"'terminate ((?:i|vm)-[0-9a-f-]+)'", str(home.body))


ON_AZURE_TOO = {
    "azure": {"machines_group": "slipway-machines", "regions": ["eastus", "westeurope"]},
    "profiles": {
        "bobs": {"template": "slipway-small", "may": ["bob"]},
        "cloudy": {
            "cloud": "azure",
            "regions": ["westeurope", "eastus"],
            "machine": {
                "size": "Standard_B2s",
                "subnet": "machines-{region}/default",
                "security_group": "ssh-{region}",
            },
        },
    },
}
"""Besides those on EC2, a profile that launches on Azure, and one that is only for Bob."""


class TestOneBot:
    """Many things that happen to one bot, each in its turn; a start costs more than all of them."""

    async def test_decisions_are_made_once_and_only_by_those_who_may(self, tmp_path: Path) -> None:
        clock = FakeClock()
        async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
            alice, bob, carol = (sim.person(name) for name in ("alice", "bob", "carol"))
            await alice.post("images", f"!promote {X64}")
            card = await bot.wait_for_message("images", "waits for 1 approval")
            before = card.shown()

            # Whoever asked does not approve; who may only look does not either; both are told alone.
            await (await alice.press(card, "Approve")).acked()
            await alice.ephemeral()
            await (await carol.press(card, "Approve")).acked()
            await carol.ephemeral()
            # A plan that is not this one, and an operation that does not exist.
            operation, _, digest = card.buttons[0].value.partition("|")
            await (await bob.press(card, "Approve", value=f"{operation}|{'0' * len(digest)}")).acked()
            assert "another plan" in (await bob.ephemeral()).all_text
            await (await bob.press(card, "Approve", value=f"op-zzzz|{digest}")).acked()
            await bob.ephemeral(lambda message: "no operation op-zzzz" in message.all_text)
            await bot.settled()
            assert bot.excluded(X64, CANDIDATE) is True

            # Twice at once, and once more on the card as it was.
            await bob.press(card, "Approve")
            await bob.press(card, "Approve")
            await bot.settled()
            assert bot.excluded(X64, CANDIDATE) is False
            await (await bob.press(card, "Approve", stale=before)).acked()
            await bot.settled()
            await bob.ephemeral(lambda message: "already done" in message.all_text)
            assert len([m for m in sim.from_bot("images") if "Ended" in m.all_text]) == 1

            # A reason that is asked for stands on the card.
            await alice.post("images", "!promote Fedora-Cloud-43-Arm64")
            second = await sim.message(
                "images", lambda message: "Arm64" in message.all_text and bool(message.buttons)
            )
            await (await bob.press(second, "Reject")).acked()
            await bob.submit(await bob.modal(), {"reason": "it does not boot"})
            await bot.settled()
            rejected = next(m for m in sim.from_bot("images") if m.ts == second.ts)
            assert "it does not boot" in rejected.all_text
            assert rejected.buttons == []

            # What changes something is not done from a direct message.
            await alice.post(sim.world.app.bot_user, f"rollback {X64}")
            direct = sim.core.open_direct(alice.id)
            refused = await sim.message(direct.id, lambda message: "direct message" in message.all_text)
            assert "slack.channels" in refused.all_text

            # What a phone makes of quotes and dashes is no obstacle.
            carol.typographic, slips = True, len(carol.ephemerals)
            assert "—" in (await carol.post("images", '!history --limit "1"')).text
            await bot.wait_for_message("images", "The newest operation")
            assert len(carol.ephemerals) == slips

            # A slip is told to whom it happened to, alone.
            await bob.post("images", "!promot everything")
            await bob.ephemeral(lambda message: "promote" in message.all_text)

            # The Home tab holds what waits, and an approval there is an approval.
            await alice.post("images", f"!rollback {X64}")
            await bot.wait_for_message("images", "rollback", "waits for 1 approval")
            await bob.open_home()
            home = await bob.home_tab(lambda view: "waits for 1 approval" in str(view.body))
            await (await bob.press_in(home, "Approve")).acked()
            await bot.wait_for_message("images", "rollback: done", "Ended")
            await bob.home_tab(lambda view: "Nothing waits" in str(view.body))

    async def test_the_home_tab_has_room_for_everything_however_much_waits(self, tmp_path: Path) -> None:
        clock = FakeClock()
        schedule = {"name": "weekly", "cron": "0 9 * * mon", "command": "promote *", "roles": ["releng"]}
        changes = {"schedule": [schedule | {"room": "slack:C0IMAGES0"}]}
        async with (
            SimulatedSlack(clock=clock) as sim,
            slack_bot(tmp_path, sim, clock=clock, changes=changes) as bot,
        ):
            alice = sim.person("alice")
            names = (X64, ARM, "Fedora-Cloud-42-x64", "Fedora-Cloud-42-Arm64")
            lines = [f"!{verb} {name}" for verb in ("promote", "rollback") for name in names]
            for line in lines[: MOST_PENDING + 2]:
                await alice.post("images", line)
            await bot.settled()
            await alice.open_home()
            home = await alice.home_tab(lambda view: "waits for 1 approval" in str(view.body))
            assert str(home.body).count("waits for 1 approval") == MOST_PENDING
            assert "2 more wait for an approval" in str(home.body)
            assert "Next scheduled runs" in str(home.body)
            assert "`promote *`" in str(home.body)
            # Whom it does not know, it tells nothing but how to become known.
            dave = sim.person("dave")
            await dave.open_home()
            (block, *more) = (await dave.home_tab(lambda view: "I do not know you" in str(view.body))).blocks
            assert "op-" not in str(more)
            assert "weekly" not in str([block, *more])

    async def test_machines_come_by_a_form_and_go_by_the_home_tab(self, tmp_path: Path) -> None:
        clock = FakeClock()
        machines = fedora_machines(clock())
        update = {"id": "ami-0123456789abcdef0", "name": "Fedora-Cloud-Base-Pending", "state": "pending"}
        pending = machines.images[0].model_copy(update=update)
        async with (
            simulated_aws(machines.model_copy(update={"images": (*machines.images, pending)})) as aws,
            SimulatedSlack(clock=clock) as sim,
            slack_bot(tmp_path, sim, clock=clock, aws=aws, changes=ON_AZURE_TOO) as bot,
        ):
            alice, bob = sim.person("alice"), sim.person("bob")
            await (await alice.shortcut(LAUNCH)).acked()
            await sim.called("views.update")
            form = await alice.modal(LAUNCH)
            assert "The answer comes in <#C0IMAGES0>." in str(form.body)
            offered = _offered(form)
            assert IMAGE in offered
            assert "Fedora-Cloud-Base-Pending" not in offered
            made = [name.rsplit("-", 1)[1] for name in offered]
            assert made == sorted(made, reverse=True)
            assert all("x86_64" in name for name in offered)  # what the profile's machines can run
            assert "bobs" not in str(form.body)
            await alice.submit(form, {"image": IMAGE, "duration": "90m", "count": 2})
            await bot.wait_for_message("images", "launch: done", "Ended")

            # The same form, on the other cloud.
            await (await alice.shortcut(LAUNCH)).acked()
            await sim.called("views.update", times=2)
            form = await alice.modal(LAUNCH)
            await alice.choose(form, "profile", "cloudy")
            await sim.called("views.update", times=3)
            assert X64 in _offered(form)
            assert IMAGE not in _offered(form)
            await alice.submit(form, {"region": "eastus", "image": X64, "duration": "1h"})
            await bot.wait_for_message("images", "launch: done", "Launched vm-", "Ended")

            # All are on the Home tab, the first to end first; what can be done there is done.
            await alice.open_home()
            home = await alice.home_tab(lambda view: len(_machines(view)) == 3)
            on_azure, first, second = _machines(home)
            assert "on Azure in eastus" in str(home.body)
            assert "on EC2 in us-east-1" in str(home.body)
            await (await alice.press_in(home, f"extend {on_azure} --for 1h")).acked()
            await bot.wait_for_message("images", "extend: done", "Ended", on_azure)
            home = await alice.home_tab(lambda view: _machines(view)[-1:] == [on_azure])
            await (await alice.press_in(home, f"terminate {first}")).acked()
            await bot.wait_for_message("images", "terminate: done", "Ended", first)
            home = await alice.home_tab(lambda view: _machines(view) == [second, on_azure])
            await (await alice.press_in(home, f"stop {on_azure}")).acked()
            await bot.wait_for_message("images", "stop: done", "Ended", on_azure)
            home = await alice.home_tab(lambda view: f"'start {on_azure}'" in str(view.body))
            assert f"'stop {on_azure}'" not in str(home.body)

            # A cloud that cannot be read does not hide the machines of the other.
            aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeInstances", times=None))
            await alice.open_home()
            home = await alice.home_tab(lambda view: "Your machines in EC2 could not be" in str(view.body))
            assert _machines(home) == [on_azure]
            aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeImages", times=None))
            await (await alice.shortcut(LAUNCH)).acked()
            await sim.called("views.update", times=4)
            form = await alice.modal(LAUNCH)
            assert "The images for profile small could not be looked up; name one." in str(form.body)
            await alice.choose(form, "profile", "cloudy")
            await sim.called("views.update", times=5)
            assert X64 in _offered(form)
            await alice.close(form)
            aws.faults.clear()

            # Another person's Home tab has another person's machines.
            await bob.open_home()
            await bob.home_tab(lambda view: "You have no machines" in str(view.body))

    async def test_a_role_by_a_group_outlives_a_restart_while_slack_is_mute(self, tmp_path: Path) -> None:
        clock = FakeClock()
        kinds = ("promote", "promote-override", "rollback", "cleanup", "launch", "terminate")
        changes: dict[str, Any] = {
            "roles": {
                "keeper": {"may": ["read", "promote", "approve"], "slack_groups": ["S0RELEASE"]},
            },
            "person": [
                {"id": name, "name": name, "identities": [f"slack:{PEOPLE[name]}"]}
                for name in ("alice", "bob")
            ],
            "policy": {kind: {"approvals": int(kind == "promote"), "role": "keeper"} for kind in kinds},
        }
        async with SimulatedSlack(clock=clock) as sim, simulated_gallery(clock) as azure:
            async with slack_bot(tmp_path, sim, clock=clock, azure=azure, changes=changes) as bot:
                await sim.person("alice").post("images", f"!promote {X64}")
                card = await bot.wait_for_message("images", "waits for 1 approval")
                await bot.settled()
            sim.faults.server_error("usergroups.users.list", times=99)
            async with slack_bot(tmp_path, sim, clock=clock, azure=azure, changes=changes) as bot:
                await (await sim.person("bob").press(card, "Approve")).acked()
                await bot.wait_for_message("images", "promote: done", "Ended")

    async def test_a_user_group_gives_a_role(self, tmp_path: Path) -> None:
        clock = FakeClock()
        changes = {"roles": {"keeper": {"may": ["read", "promote"], "slack_groups": ["S0RELEASE"]}}}
        async with (
            SimulatedSlack(clock=clock) as sim,
            slack_bot(tmp_path, sim, clock=clock, changes=changes) as bot,
        ):
            carol = sim.person("carol")
            await carol.post("images", f"!promote {X64}")
            assert "`promote`" in (await carol.ephemeral()).all_text
            await sim.set_group("S0RELEASE", [carol.id])
            async with asyncio.timeout(20):
                while bot.chat._groups._members["S0RELEASE"] != {carol.id}:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.01)
            await carol.post("images", f"!promote {X64}")
            await bot.wait_for_message("images", "promote: waits for 1 approval")
