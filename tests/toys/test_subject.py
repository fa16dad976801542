"""A subject that only a declaration tells of, on the console: everything that Slipway's own subjects can do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Choice
from slipway.bot.cli.doctor import examine, lines
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.describe import describe
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import system_clock
from slipway.bot.operations.declarations import HomeSection, Probe
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.dispatch.events import LineRequest
from slipway.commands.dispatch.home import home
from slipway.commands.scheduled import schedule_problems
from tests.conformance.harnesses.console import ConsoleHarness
from tests.conformance.run import ConformanceRun, conformance_run
from tests.support.clock import NOW
from tests.support.configuration import declared_with, problems_of, put, settings_of, valid_document
from tests.support.harness import audit_trail, newest_operation, running_bot
from tests.toys.subject import TOYS, MakeToy, ToyServices, Workshop

DECLARED = declared_with(subjects=(TOYS,))

MAKERS: dict[str, Any] = {
    "roles": {"releng": {"may": ["read", "toy.*"]}},
    "policy": {"toy-make": {"approvals": 1, "role": "releng"}},
}

SCHEDULED: dict[str, Any] = {
    "name": "weekly-toy",
    "cron": "0 9 * * mon",
    "command": "toy make duck --colour blue",
    "room": "console:console",
    "roles": ["releng"],
}


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[ConformanceRun]:
    """The bot with toys on the real console."""
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    async with conformance_run(tmp_path / "state", azure, ConsoleHarness(), declarations=DECLARED) as found:
        yield found


def workshop(run: ConformanceRun) -> Workshop:
    return run.running.services.get(ToyServices).workshop


async def test_a_toy_is_proposed_approved_made_told_and_audited_on_the_console(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot(MAKERS):
        card, name = await session.propose("!toy make horse --colour blue")
        for shown in (f"{name} toy-make: waits for 1 approval", "Room left: 3", "carve horse", "Bob"):
            assert shown in card.text
        assert "When it is done: horse stands on the shelf, and is blue." in card.text
        assert workshop(run).toys == {}

        (report,) = await session.press("bob", Choice.APPROVE, card)

        assert workshop(run).toys == {"horse": "blue"}
        assert report.thread == card.id
        for shown in ("horse stands on the shelf, and is blue.", "✔ horse is carved.", "✔ horse is blue."):
            assert shown in report.text
        assert f"{name} toy-make: done" in (await session.current(card)).text

        operation = await run.running.operations.get(name)
        assert workshop(run).tokens == [operation.token(1), operation.token(2)]
        assert operation.plan.document["request"] == {
            "format": 2,
            "kind": "toy-make",
            "name": "horse",
            "colour": "blue",
        }
        past = await run.running.operations.past(["toy-make"], [OperationState.DONE], ["toy horse"])
        assert [(each.target, each.kind) for each in past] == [("toy horse", "toy-make")]

        (shelf,) = await session.say("carol", "!toys")
        assert "1 of 3 toys on the shelf" in shelf.text
        (history,) = await session.say("carol", "!history")
        assert "toy make horse --colour blue" in history.text
        (full,) = await session.say("carol", f"!op {name}")
        assert "paint horse blue" in full.text
        (again,) = await session.say("alice", "!toy make horse")
        assert "horse is there already." in again.text


async def test_what_was_done_stands_in_the_audit_trail(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=MAKERS, declarations=DECLARED) as bot:
        (card,) = await bot.say("alice", "!toy make horse")
        await bot.press("bob", Choice.APPROVE, card)
        trail = await audit_trail(bot)
        assert [line["action"] for line in trail] == [
            "proposed",
            "approval",
            "approved",
            "started",
            "step-1:begun",
            "step-1:done",
            "step-2:begun",
            "step-2:done",
            "done",
        ]
        assert trail[5]["detail"] == {"summary": "horse is carved.", "toy": "horse"}


async def test_a_step_that_fails_says_what_whose_move_it_is_and_what_to_type(run: ConformanceRun) -> None:
    async with run.bot(MAKERS):
        card, _ = await run.session.propose("!toy make horse")
        workshop(run).broken = True
        (report,) = await run.session.press("bob", Choice.APPROVE, card)
        assert "1 of 2 steps failed, 0 done, 1 not tried." in report.text
        assert "The knife is broken." in report.text
        assert "Whose move: the cloud; try again later." in report.text
        assert "Next: `!toy make horse --colour red`" in report.text


async def test_what_changed_since_makes_it_stale(run: ConformanceRun) -> None:
    async with run.bot(MAKERS):
        card, _ = await run.session.propose("!toy make horse")
        workshop(run).toys["duck"] = "blue"
        (report,) = await run.session.press("bob", Choice.APPROVE, card)
        assert "toys on the shelf was 0, and is now 1" in report.text
        assert "To plan it afresh: `!toy make horse --colour red`" in report.text
        assert "horse" not in workshop(run).toys


async def test_help_knows_the_commands(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot(MAKERS):
        (overview,) = await session.say("carol", "!help")
        for shown in (
            "Toys",
            "`!toys`  The toys on the shelf.",
            "`!toy make NAME`  Make a toy.",
            "`toy.make`",
        ):
            assert shown in overview.text
        (one,) = await session.say("carol", "!help toy make")
        for shown in ("!toy make: make a toy.", "It is carved, and then painted.", "`!toy make horse`"):
            assert shown in one.text
        assert "`[--colour COLOUR]`  One of those in the settings" in one.text
        (noun,) = await session.say("carol", "!help toy")
        assert "!toys: the toys on the shelf." in noun.text
        (behind,) = await session.say("alice", "!toy make --help")
        assert behind.text == one.text
        (near,) = await session.say("alice", "!toy mkae horse")
        assert "toy make" in near.text
        (bare,) = await session.say("alice", "!toy")
        assert "0 of 3 toys on the shelf" in bare.text
        (plural,) = await session.say("alice", "!toys make horse --dry-run")
        assert "dry run of toy-make" in plural.text
        (said,) = await session.say("alice", "!whoami")
        assert "toys, toy make" in said.text


async def test_a_reader_is_told_who_may_and_may_look_at_a_plan(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot(MAKERS):
        (refused,) = await session.say("carol", "!toy make horse")
        assert "You need the right `toy.make` for this; Alice (alice) and Bob (bob) have it." in refused.text
        (plan,) = await session.say("carol", "!toy make horse --dry-run")
        assert "dry run of toy-make" in plan.text
        assert "paint horse red" in plan.text
        assert await run.operations() == ()
        card, _ = await session.propose("!toy make horse")
        (refused,) = await session.press("carol", Choice.APPROVE, card)
        assert "may not approve" in refused.text
    async with run.bot({"roles": {"releng": {"may": ["read", "toy.make"]}}, **_nobody_approves()}):
        (done, report) = await session.say("alice", "!toy make duck")
        assert "toy-make: done" in done.text
        assert report.thread == done.id
        (wrong,) = await session.say("alice", "!toy make cow --colour gren")
        assert "There is no paint of the colour gren." in wrong.text


def _nobody_approves() -> dict[str, Any]:
    return {"policy": {"toy-make": {"approvals": 0}}}


@command("toy make", summary="Make a toy.", examples=("toy make horse",), access=Access.CHANGE)
@click.argument("name", help="What it is called.")
@click.option("--colours", nargs=2, help="Two of them.")
@dry_run
async def make_of_two_colours(
    call: CommandContext, name: str, colours: tuple[str, str] | None, dry_run: bool
) -> ChangeRequest:
    """An option of two words takes what follows it, whatever it is."""
    return ChangeRequest(MakeToy(name=name, colour=None), dry_run)


async def test_what_only_looks_like_a_dry_run_needs_the_right_to_change(tmp_path: Path) -> None:
    toys = replace(TOYS, commands=(TOYS.commands[0], make_of_two_colours))
    changes = MAKERS | _nobody_approves()
    async with running_bot(tmp_path, changes=changes, declarations=declared_with(subjects=(toys,))) as bot:
        for line in ("!toy make horse --colours red --dry-run", "!toy make --colours --dry-run x horse"):
            (refused,) = await bot.say("carol", line)
            assert "toy-make: done" not in refused.text
        assert bot.running.services.get(ToyServices).workshop.toys == {}
        (plan,) = await bot.say("carol", "!toy make horse --colours red blue --dry-run")
        assert "dry run of toy-make" in plan.text
        (usage,) = await bot.say("carol", "!toy make --dry-run")
        assert "`NAME` is missing" in usage.text
        (stranger,) = await bot.say("mallory", "!toy make")
        assert "NAME" not in stranger.text


async def test_a_probe_or_section_that_fails_leaves_the_others(tmp_path: Path) -> None:
    error = CloudError(CloudErrorKind.REFUSED, cloud="toyland", sentence="Toyland is closed.")

    async def fail(*_: Any) -> Any:
        raise error

    probe = Probe("toyland", lambda _settings: True, fail)
    failing = replace(TOYS, probes=(probe, *TOYS.probes), home=(HomeSection(fail), *TOYS.home))
    declarations = declared_with(subjects=(failing,))
    async with running_bot(tmp_path, changes=MAKERS, declarations=declarations) as bot:
        cards = await home(bot.running.services, CONSOLE, "alice")
        assert any("Toyland is closed." in each.text for each in cards)
        assert any("toys on the shelf" in each.title for each in cards)
        found = await examine(bot.running.services.settings, declarations)
    (broken,) = [finding for finding in found if finding.what == "toyland"]
    assert broken.problems == ("Toyland is closed.",)
    assert any(finding.what == "toys" and finding.well for finding in found)


async def test_who_approves_where_nothing_is_configured_is_what_the_kind_declares(tmp_path: Path) -> None:
    changes = {"roles": MAKERS["roles"]}
    async with running_bot(tmp_path, changes=changes, declarations=DECLARED) as bot:
        (card,) = await bot.say("alice", "!toy make horse")
        assert "waits for 1 approval" in card.card.title
        assert "role releng" in card.text


async def test_a_schedule_may_say_it_and_who_can_agree_is_called(tmp_path: Path) -> None:
    changes = MAKERS | {"schedule": [SCHEDULED]}
    async with running_bot(tmp_path, changes=changes, declarations=DECLARED) as bot:
        await bot.running.schedules.wake()
        bot.clock.advance(timedelta(days=2, hours=21))  # Monday, nine o'clock
        await bot.running.schedules.wake()
        await bot.running.workflows.idle()
        (card,) = bot.messages
        assert "the schedule weekly-toy" in card.text
        assert card.card.mentions == ("alice", "bob")
        bot.clock.advance(timedelta(minutes=1))
        await bot.press("bob", Choice.APPROVE, card)
        assert bot.running.services.get(ToyServices).workshop.toys == {"duck": "blue"}


async def test_what_no_chat_asks_for_is_done_and_audited_and_said_nowhere(tmp_path: Path) -> None:
    changes = MAKERS | _nobody_approves() | {"schedule": [SCHEDULED]}
    async with running_bot(tmp_path, changes=changes, declarations=DECLARED) as bot:
        for _again in range(2):
            await bot.running.dispatcher.accept_line(
                LineRequest(
                    event_key="broker:message-1",
                    requester="schedule:weekly-toy",
                    text="toy make horse",
                    room=None,
                    at=NOW,
                )
            )
            await bot.running.workflows.idle()
        assert bot.messages == []
        operation = await newest_operation(bot)
        assert (operation.state, operation.room) == (OperationState.DONE, None)
        assert bot.running.services.get(ToyServices).workshop.toys == {"horse": "red"}
        trail = await audit_trail(bot)
        assert [line["actor"] for line in trail if line["action"] == "proposed"] == ["schedule:weekly-toy"]
        (shown,) = await bot.say("carol", f"!op {operation.id}")
        assert "toy-make: done" in shown.text


async def test_what_no_chat_asks_for_can_be_approved_from_a_room(tmp_path: Path) -> None:
    changes = MAKERS | {"schedule": [SCHEDULED]}
    async with running_bot(tmp_path, changes=changes, declarations=DECLARED) as bot:
        request = LineRequest(
            event_key="broker:message-1",
            requester="schedule:weekly-toy",
            text="toy make horse",
            room=None,
            at=NOW,
        )
        await bot.running.dispatcher.accept_line(request)
        await bot.running.workflows.idle()
        assert bot.messages == []
        operation = await newest_operation(bot)
        (card,) = await bot.say("bob", f"!approve {operation.id}")
        assert "toy-make: done" in card.card.title


async def test_home_shows_the_section_to_those_who_may_look(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=MAKERS, declarations=DECLARED) as bot:
        services = bot.running.services
        assert "0 of 3 toys on the shelf" in [each.title for each in await home(services, CONSOLE, "carol")]
        assert len(await home(services, CONSOLE, "mallory")) == 1


class TestConfiguration:
    def settings(self, **toys: Any) -> SlipwaySettings:
        return settings_of(put(valid_document(), "toys", toys), declarations=DECLARED)

    def test_check_says_what_it_understood(self) -> None:
        lines = describe(self.settings(shelf=5, colour="blue"), DECLARED.spec)
        assert "toys: room for 5, blue unless somebody says otherwise" in lines
        assert any("toy-make 1 by releng" in line for line in lines)

    def test_a_table_that_is_left_out_has_its_defaults(self) -> None:
        lines = describe(settings_of(valid_document(), declarations=DECLARED), DECLARED.spec)
        assert "toys: room for 3, red unless somebody says otherwise" in lines

    @pytest.mark.parametrize(
        ("key", "value", "told"),
        [
            ("toys.colour", "green", 'toys.colour: "green" is none of the colours; add it to them'),
            ("toys.shelf", 0, "toys.shelf: it is 0; must be at least 1"),
            (
                "toys.shelv",
                3,
                'toys.shelv: there is no such key; did you mean "shelf"? Keys here: colour, colours, locked, shelf',
            ),
            (
                "policy.toy-mak",
                {"role": "releng"},
                (
                    'policy.toy-mak: there is no "toy-mak" here; did you mean "toy-make"? '
                    f"There are: {', '.join(kind.name for kind in DECLARED.spec.kinds)}"
                ),
            ),
            (
                "policy.toy-make",
                {"approvals": 3, "role": "releng"},
                (
                    'policy.toy-make.approvals: 3 approvals are asked for, and the role "releng" is held by '
                    "2 persons (alice, bob); ask for fewer, or give more persons the role"
                ),
            ),
        ],
    )
    def test_a_mistake_is_one_sentence(self, key: str, value: object, told: str) -> None:
        assert problems_of(put(valid_document(), key, value), declarations=DECLARED) == (told,)

    def test_rights_are_those_of_the_commands(self) -> None:
        for right in ("toy.make", "toy.*", "toys"):
            document = put(valid_document(), "roles.releng.may", ["read", right])
            assert settings_of(put(document, "schedule", []), declarations=DECLARED).roles["releng"].may == (
                "read",
                right,
            )
        (problem,) = problems_of(
            put(put(valid_document(), "roles.admin.may", ["toy.mke"]), "schedule", []), declarations=DECLARED
        )
        assert 'roles.admin.may: there is no command "toy.mke"; did you mean "toy.make"?' in problem

    def test_a_schedule_may_only_say_what_its_roles_may_and_what_parses(self) -> None:
        entry = {**SCHEDULED, "room": "matrix:!releng:example.org"}
        (problem,) = problems_of(put(valid_document(), "schedule", [entry]), declarations=DECLARED)
        assert problem == (
            "schedule.weekly-toy.roles: no role here has the right to toy.make; roles that have it: admin"
        )
        document = put(valid_document(), "roles.releng.may", ["toy.make"])
        settings = settings_of(put(document, "schedule", [entry]), declarations=DECLARED)
        assert schedule_problems(settings, DECLARED.commands) == ()
        document = put(document, "schedule", [{**entry, "command": "toy make"}])
        (found,) = schedule_problems(settings_of(document, declarations=DECLARED), DECLARED.commands)
        assert str(found).startswith("schedule.weekly-toy.command: `NAME` is missing")

    def test_a_schedule_needs_the_cloud_that_its_kind_works_in(self) -> None:
        (kind,) = TOYS.kinds
        in_a_cloud = replace(TOYS, kinds=(replace(kind, needs=IMAGE_VERSIONS),))
        document = put(valid_document(), "roles.releng.may", ["toy.make"])
        del document["azure"]
        document["schedule"] = [{**SCHEDULED, "room": "matrix:!releng:example.org"}]
        assert problems_of(document, declarations=declared_with(subjects=(in_a_cloud,))) == (
            (
                "schedule.weekly-toy.command: toy make works in azure or family, and there is no [azure] or "
                "[family]; add one"
            ),
        )

    async def test_doctor_tries_it(self) -> None:
        document = valid_document()
        del document["aws"], document["azure"], document["profiles"], document["matrix"]
        document |= {"console": {"enabled": True, "speaker": "alice"}, "schedule": []}
        document["azure"] = {"subscription_id": "0", "resource_group": "r", "gallery": "g"}
        for person in document["person"]:
            person["identities"] = [f"console:{person['id']}"]
        only_toys = replace(DECLARED, clouds=())
        well = await examine(settings_of(document, declarations=DECLARED), only_toys)
        assert [(each.what, each.detail) for each in well] == [("toys", "a shelf for 3 toys")]
        locked = settings_of(put(document, "toys", {"locked": True}), declarations=DECLARED)
        (finding,) = await examine(locked, only_toys)
        assert list(lines(finding, {})) == [
            "✘ toys does not work: does not open",
            "    The workshop is locked.",
            "    Next: set toys.locked to false",
        ]


async def test_a_command_that_asks_for_what_nobody_declared_says_so(tmp_path: Path) -> None:
    """As where a newcomer forgot the kind; the declaration cannot tell, for not every change is an operation."""
    undeclared = declared_with(subjects=(replace(TOYS, kinds=(), steps=()),))
    changes = {"roles": MAKERS["roles"]}
    async with running_bot(tmp_path, changes=changes, declarations=undeclared) as bot:
        for line in ("!toy make horse", "!toy make horse --dry-run"):
            (answer,) = await bot.say("alice", line)
            assert "This Slipway does not know operations of the kind toy-make." in answer.text
        assert await bot.running.operations.recent(5) == ()


async def test_a_plan_with_a_step_that_nobody_declared_says_so(tmp_path: Path) -> None:
    undeclared = declared_with(subjects=(replace(TOYS, steps=TOYS.steps[:1]),))
    async with running_bot(tmp_path, changes=MAKERS, declarations=undeclared) as bot:
        for line in ("!toy make horse", "!toy make horse --dry-run"):
            (answer,) = await bot.say("alice", line)
            assert "This Slipway does not know steps of the kind paint-toy." in answer.text
        assert await bot.running.operations.recent(5) == ()
