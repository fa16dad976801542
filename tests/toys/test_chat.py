"""A chat platform that only a declaration tells of. That it behaves as all others do, the conformance suite shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from slipway.bot.app import App
from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.chat.model import Choice
from slipway.bot.cli.doctor import examine
from slipway.bot.cli.main import GROUPS, main
from slipway.bot.cli.program import Program
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.describe import describe
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.times import system_clock
from slipway.bot.operations.model import OperationState
from slipway.bot.wiring.parts import RunningBot
from tests.conformance.harness import Where
from tests.conformance.harnesses.console import ConsoleHarness
from tests.conformance.harnesses.toy import PostboardHarness
from tests.conformance.run import conformance_run
from tests.support.azure import X64, simulated_gallery
from tests.support.clock import FakeClock
from tests.support.configuration import (
    declared_with,
    problems_of,
    put,
    settings_of,
    simulated_settings,
    valid_document,
)
from tests.support.state_folder import prepare
from tests.toys.chat import BOARDS, POSTBOARD_CHAT, PostboardSettings

DECLARED = declared_with(chats=(POSTBOARD_CHAT,))


class OtherwiseSettings(PostboardSettings):
    """Keys that mean something else on the console."""

    address: str = "board.example.org"
    enabled: bool = False
    open: bool = False
    speaker: str = ""


def otherwise(**changes: Any) -> ChatDeclaration[Any]:
    """The platform with these keys."""
    declaration: Any = POSTBOARD_CHAT
    return replace(declaration, settings=OtherwiseSettings, **changes)


SCHEDULE: dict[str, Any] = {
    "name": "weekly",
    "cron": "0 9 * * mon",
    "command": "cleanup",
    "room": "postboard:releng",
    "roles": ["releng"],
}


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[PostboardHarness]:
    """A postboard with people on it."""
    harness = PostboardHarness(str(tmp_path))
    await harness.open()
    yield harness
    await harness.close()


@asynccontextmanager
async def running_app(
    board: PostboardHarness, state_dir: Path, clock: FakeClock, changes: dict[str, Any]
) -> AsyncIterator[RunningBot]:
    """The bot as `slipway run` starts it: by what is declared and configured, and nothing handed in."""
    people = [
        {"id": who, "identities": [board.identity(who)], "roles": ["releng"]} for who in ("alice", "bob")
    ]
    async with simulated_gallery(clock) as azure:
        changes = board.configuration() | {"console": {"enabled": False}, "person": people} | changes
        app = App(
            simulated_settings(state_dir, azure, changes=changes, declarations=DECLARED),
            DECLARED,
            clock=clock,
        )
        await prepare(state_dir)
        async with app.running() as bot:
            yield bot


async def test_the_bot_starts_on_it_because_it_is_configured_and_a_schedule_posts_there(
    board: PostboardHarness, tmp_path: Path
) -> None:
    clock = FakeClock()
    async with running_app(board, tmp_path / "state", clock, {"schedule": [SCHEDULE]}) as bot:
        assert list(bot.chats) == ["postboard"]
        await bot.schedules.wake()
        clock.advance(timedelta(days=2, hours=21))  # Monday, nine o'clock
        await bot.schedules.wake()
        await bot.workflows.idle()
        card, whole = await board.visible_messages("alice", Where.ROOM)
        assert "the schedule weekly" in card.text
        assert "the whole plan, 19 steps" in whole.text
        assert card.mentions == {"alice", "bob"}  # by their accounts there
        await board.press("bob", Choice.REJECT, card)
        await board.settle()
        await bot.workflows.idle()
        assert (await bot.operations.recent(1))[0].state is OperationState.REJECTED


async def test_its_people_are_the_same_on_another_platform(board: PostboardHarness, tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_app(board, tmp_path / "state", clock, {}) as bot:
        alice = bot.services.people.by_account(board.platform, "member-alice")
        assert alice is not None
        assert alice.id == "alice"
        assert bot.services.chats[board.platform].health().connected


async def test_what_is_asked_there_is_approved_on_the_console(tmp_path: Path) -> None:
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    platforms = PostboardHarness(str(tmp_path)), ConsoleHarness()
    async with conformance_run(tmp_path / "state", azure, *platforms) as run, run.bot():
        here, there = run.sessions
        card, name = await here.propose(f"!rollback {X64}")
        (other,) = await there.say("bob", f"!approve {name}")
        for shown in (await here.current(card), other):
            assert f"{name} rollback: done" in shown.text


@click.group()
def postboard() -> None:
    """The bot's place on the postboard."""


@postboard.command()
@click.option("--name", default="slipway")
def join(name: str) -> None:
    """Become a member."""
    click.echo(f"{name} is a member.")


def run_program(*arguments: str, **groups: str) -> tuple[int, str]:
    """What the program does that has these groups, too, each by its module: as with a line in ``GROUPS``."""
    program = Program(commands=main.commands, groups=GROUPS | groups)
    ended = CliRunner().invoke(program, arguments)
    return ended.exit_code, ended.output


class TestProgram:
    """The commands of `slipway postboard`."""

    def test_they_are_the_program_s_because_they_are_named(self) -> None:
        assert run_program("postboard", "join", "--name", "toy", postboard=__name__) == (
            0,
            "toy is a member.\n",
        )
        code, shown = run_program("--help", postboard=__name__)
        assert code == 0
        lines = [line.split(maxsplit=1) for line in shown.splitlines()]
        assert ["postboard", "The bot's place on the postboard."] in lines
        assert {"matrix", "slack", "run"} <= {line[0] for line in lines if line}

    def test_a_chat_without_them_has_none(self) -> None:
        code, shown = run_program("postboard")
        assert code == 2
        assert "No such command 'postboard'" in shown
        assert "postboard" not in run_program("--help")[1]

    @pytest.mark.parametrize(
        ("name", "module"), [("postboard", "tests.toys.missing"), ("SCHEDULE", __name__)]
    )
    def test_what_is_not_there_is_told(self, name: str, module: str) -> None:
        said = f"`slipway {name}` has to be the click command {name} in {module}, and there is none.\n"
        assert run_program(name, **{name: module}) == (1, said)
        assert run_program("--help", **{name: module}) == (1, said)
        assert run_program("version", **{name: module})[0] == 0

    def test_no_command_of_the_program_is_hidden_by_them(self) -> None:
        program = Program(groups={"postboard": __name__})
        with pytest.raises(DeclarationError, match="Two commands of the program are called postboard"):
            program.add_command(postboard)


class TestConfiguration:
    def document(self, key: str = "", value: object = None) -> dict[str, Any]:
        document = valid_document()
        document["postboard"] = {"address": "board.example.org"}
        document["person"][0]["identities"].append("postboard:member-alice")
        document["schedule"] = [dict(SCHEDULE)]
        return put(document, key, value) if key else document

    def test_people_have_accounts_there_and_schedules_post_there(self) -> None:
        settings = settings_of(self.document(), declarations=DECLARED)
        assert settings.person[0].identities[-1] == "postboard:member-alice"
        assert "chat: matrix as" in describe(settings, DECLARED.spec)[1]
        assert describe(settings, DECLARED.spec)[1].endswith("; postboard at board.example.org")
        assert [chat.platform for chat in DECLARED.enabled_chats(settings)] == ["matrix", "postboard"]

    @pytest.mark.parametrize(
        ("key", "value", "told"),
        [
            (
                "person.0.identities",
                ["postboard:alice"],
                (
                    'person.alice.identities: "postboard:alice" is no member; '
                    "write it like postboard:member-alice"
                ),
            ),
            (
                "schedule.0.room",
                "postboard:Releng",
                'schedule.weekly.room: "postboard:Releng" is no room; write it like postboard:releng',
            ),
            (
                "schedule.0.room",
                "postboard:relneg",
                (
                    'schedule.weekly.room: there is no room "relneg"; did you mean "releng"? '
                    "Rooms on postboard: releng"
                ),
            ),
            (
                "postboard.bot",
                "slipway",
                'postboard.bot: "slipway" is no member; write it like member-slipway',
            ),
            (
                "postboard",
                {},
                "postboard.address: is missing; write where the service is, like board.example.org",
            ),
        ],
    )
    def test_a_mistake_is_one_sentence(self, key: str, value: object, told: str) -> None:
        assert problems_of(self.document(key, value), declarations=DECLARED) == (told,)

    @pytest.mark.parametrize("name", SlipwaySettings.model_fields)
    def test_it_has_no_name_of_a_table_that_every_installation_has(self, name: str) -> None:
        declaration: Any = POSTBOARD_CHAT
        chat = replace(declaration, platform=name, account_example="")
        with pytest.raises(
            DeclarationError,
            match=rf"^The settings table {name} is claimed twice, by Slipway itself and ",
        ):
            declared_with(chats=(chat,))

    def test_a_key_that_names_an_account_names_somebody(self) -> None:
        naming = replace(POSTBOARD_CHAT, named_accounts=lambda settings: {"bot": settings.bot})
        problems = problems_of(self.document(), declarations=declared_with(chats=(naming,)))
        said = 'nobody has the identity "postboard:member-slipway"; add it to the identities of a [[person]]'
        assert problems == (f"postboard.bot: {said}",)

    def test_a_key_with_the_name_of_a_switch_is_none_unless_it_is_declared(self) -> None:
        """A platform may have a key `enabled` or `speaker` of its own, which says something else."""
        document = self.document() | {"postboard": {"address": "board.example.org", "speaker": "nobody"}}
        chats = (otherwise(),)
        settings = settings_of(document, declarations=declared_with(chats=chats))
        assert [chat.platform for chat in declared_with(chats=chats).enabled_chats(settings)] == [
            "matrix",
            "postboard",
        ]

    @pytest.mark.parametrize("on", [True, False])
    def test_it_may_have_a_switch_of_its_own_name(self, on: bool) -> None:
        declarations = declared_with(chats=(otherwise(switch="open"),))
        document = self.document() | {"postboard": {"open": on}}
        if on:
            settings = settings_of(document, declarations=declarations)
            assert [chat.platform for chat in declarations.enabled_chats(settings)] == ["matrix", "postboard"]
        else:
            (problem,) = problems_of(document, declarations=declarations)
            assert problem.endswith("is not configured; set postboard.open or name another room")

    def test_a_room_there_needs_the_table(self) -> None:
        document = self.document()
        del document["postboard"]
        (problem,) = problems_of(document, declarations=DECLARED)
        assert problem == (
            "schedule.weekly.room: the room is on postboard, which is not configured; "
            "add [postboard] or name another room"
        )

    def test_it_is_offered_where_there_is_no_room_to_talk_in(self) -> None:
        document = self.document()
        del document["postboard"], document["matrix"]
        document["schedule"] = []
        assert problems_of(document, declarations=DECLARED) == (
            "matrix: is missing: there is no room to talk in; add [matrix], [slack] or [postboard]",
        )

    async def test_doctor_tries_it(self, board: PostboardHarness) -> None:
        document = self.document()
        del document["matrix"], document["aws"], document["profiles"]
        document["person"] = [{"id": "alice", "identities": ["postboard:member-alice"], "roles": ["releng"]}]
        document |= {"policy": {kind: {"approvals": 0} for kind in ("promote", "rollback")}}
        # Where the last promoted version goes, an approval is asked for all the same.
        document["policy"]["cleanup"] = {"approvals": 0, "role": "releng"}
        document["retention"] = {"max_share": 1}
        document["azure"]["endpoint"] = "http://127.0.0.1:9"
        document["azure"] |= {"max_attempts": 1, "timeout": "1s"}
        (address,) = BOARDS
        for where, told in ((address, "1 room"), ("nowhere.example.org", "no answer")):
            settings = settings_of(put(document, "postboard.address", where), declarations=DECLARED)
            found = {each.what: each.detail for each in await examine(settings, DECLARED)}
            assert found["postboard"] == told


def test_without_its_declaration_its_table_is_no_table() -> None:
    document = put(valid_document(), "postboard", {"address": "board.example.org"})
    (problem,) = problems_of(document)
    assert problem.startswith("postboard: there is no such key. Keys here: ")
