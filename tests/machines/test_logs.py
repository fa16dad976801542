"""`!instance logs`: what a machine wrote to its console comes to its owner alone, and is kept nowhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from slipway.bot.chat.model import PrivateFile
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import ChatError
from slipway.bot.subjects.machines.consoles import readable
from tests.support.aws import unique_name
from tests.support.harness import BotHarness, running_bot
from tests.support.leases import launched
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "root password: hunter2-hunter2"


@pytest_asyncio.fixture(loop_scope="module")
async def bot(tmp_path: Path, aws: SimulatedAws) -> AsyncIterator[BotHarness]:
    changes = {"name": unique_name("slipway")}
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as running:
        yield running


def sent(bot: BotHarness) -> list[tuple[str, PrivateFile]]:
    return list(bot.chat.private.values())


def written_in(folder: Path) -> dict[str, bytes]:
    """All that was stored."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_it_comes_to_the_owner_alone_and_stands_in_no_room_database_or_log(
    bot: BotHarness, aws: SimulatedAws, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (machine,) = await launched(bot)
    aws.consoles[machine] = f"Fedora Linux 43\r\n\x1b[1m{SECRET}\x1b[0m\r\n{machine} login: "
    (said,) = await bot.say("alice", f"!instance logs {machine}")
    assert said.card.title == f"The console output of {machine} was sent to you alone."
    ((account, file),) = sent(bot)
    assert account == "alice"
    assert file.name == f"{machine}-console.txt"
    assert file.text == f"Fedora Linux 43\n{SECRET}\n{machine} login: "
    assert SECRET not in repr(file)
    assert not any(SECRET in each.text for each in bot.messages)
    assert SECRET not in "".join(capfd.readouterr())
    kept = written_in(tmp_path)
    assert "slipway.db" in kept
    assert not [name for name, data in kept.items() if SECRET.encode() in data]


async def test_another_persons_is_refused_with_who_may(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    for who in ("bob", "admin"):
        (refused,) = await bot.say(who, f"!instance logs {machine}")
        assert "only Alice may ask for it" in refused.text.replace("Alice (alice)", "Alice")
    (refused,) = await bot.say("carol", f"!instance logs {machine}")
    assert "You need the right `instance.logs`" in refused.text
    assert "--dry-run" not in refused.text
    assert sent(bot) == []
    await bot.say("alice", f"!handover {machine} --to bob")
    (refused,) = await bot.say("alice", f"!instance logs {machine}")
    assert "only Bob" in refused.text
    await bot.say("bob", f"!instance logs {machine}")
    assert [account for account, _ in sent(bot)] == ["bob"]


async def test_what_there_is_not_yet_and_what_cannot_be_read_is_said(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    aws.consoles[machine] = ""
    (said,) = await bot.say("alice", f"!instance logs {machine}")
    assert said.card.title == f"EC2 shows nothing of the console of {machine} yet"
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="GetConsoleOutput", times=None))
    (said,) = await bot.say("alice", f"!instance logs {machine}")
    assert "UnauthorizedOperation" in said.text
    (said,) = await bot.say("alice", "!instance logs i-0f1e2d3c4b5a69788")
    assert "There is no machine i-0f1e2d3c4b5a69788, or it is gone." in said.text
    assert sent(bot) == []


async def test_the_last_words_of_a_machine_that_ended_are_sent_too(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    await bot.say("alice", f"!terminate {machine}")
    await bot.running.upkeep.sweep()
    await bot.running.idle()
    (said,) = await bot.say("alice", f"!instance logs {machine}")
    assert "was sent to you alone" in said.text
    assert "BEGIN SSH HOST KEY FINGERPRINTS" in sent(bot)[0][1].text


async def test_where_it_cannot_be_sent_alone_it_is_not_sent(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    bot.chat.away_in["direct:alice"] = ChatError("The homeserver refused it.", passing=False)
    (said,) = await bot.say("alice", f"!instance logs {machine}")
    assert (
        "It could not be sent to you alone, and nobody else may read it. The homeserver refused it."
        in said.text
    )
    assert sent(bot) == []


class WithoutFiles(MemoryChat):
    """A platform with direct messages, and without files."""

    send_private_file = None  # type: ignore[assignment]


class WithoutDirectMessages(WithoutFiles):
    """A platform where all that is said is said in the room."""

    direct_room = None  # type: ignore[assignment]


async def test_a_platform_without_files_gets_the_newest_of_it_as_a_message(
    tmp_path: Path, aws: SimulatedAws
) -> None:
    changes = {"name": unique_name("slipway")}
    async with running_bot(tmp_path, aws=aws, changes=changes, chat=WithoutFiles(), sleep=no_pauses) as bot:
        (machine,) = await launched(bot)
        aws.consoles[machine] = "x" * 4000 + SECRET
        alone, said = await bot.say("alice", f"!instance logs {machine}")
        assert (alone.room, said.room) == ("direct:alice", "console")
        assert alone.text.rstrip().endswith(SECRET)
        assert "The newest 3,000 characters" in alone.text
        assert SECRET not in said.text


async def test_a_platform_without_direct_messages_says_why_nothing_comes(
    tmp_path: Path, aws: SimulatedAws
) -> None:
    changes = {"name": unique_name("slipway")}
    chat = WithoutDirectMessages()
    async with running_bot(tmp_path, aws=aws, changes=changes, chat=chat, sleep=no_pauses) as bot:
        (machine,) = await launched(bot)
        (said,) = await bot.say("alice", f"!instance logs {machine}")
        assert "it is sent in a direct message only, and Slipway can send you none" in said.text


@pytest.mark.parametrize(
    ("console", "text"),
    [
        ("\x1b[2J\x1b[1;1Hgone\x1b]0;title\x07", "gone"),
        ("a\r\nb\rc\n\n", "a\nb\nc"),
        ("tab\tbell\x07\x00\x9b0m", "tab\tbell0m"),
        ("\x1b(Bplain\x1b", "plain"),
    ],
    ids=["terminal", "lines", "controls", "charset"],
)
async def test_what_would_steer_a_terminal_is_taken_out(console: str, text: str) -> None:
    assert readable(console) == text
