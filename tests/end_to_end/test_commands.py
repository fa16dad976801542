"""Each command as it is meant to be used, and every way of getting it slightly wrong.

One bot serves the whole file: nothing here changes anything but what it proposes and withdraws.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from slipway.bot.chat.model import Address, Tone
from slipway.commands.grammar.registry import check_examples
from tests.support.aws import simulated_aws
from tests.support.azure import ARM, CANDIDATE, X64
from tests.support.configuration import DECLARED
from tests.support.harness import BotHarness, audit_trail, running_bot

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO_MAY = "Alice (alice), Bob (bob) and Admin (admin) have it."

COMMANDS = {
    *("images", "launch", "instances", "terminate", "promote", "rollback", "cleanup"),
    *("approve", "reject", "withdraw", "cancel", "pending", "op", "history", "help", "whoami", "status"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    state = tmp_path_factory.mktemp("state")
    async with simulated_aws() as aws, running_bot(state, aws=aws) as running:
        yield running


async def said(bot: BotHarness, text: str, who: str = "alice", address: Address = Address.ROOM) -> str:
    """The bot's one answer, as a person reads it."""
    (shown,) = await bot.say(who, text, address=address)
    return shown.text


async def test_every_command_of_the_readme_is_there_and_its_examples_can_be_pasted() -> None:
    assert {spec.name for spec in DECLARED.commands.commands} >= COMMANDS
    assert check_examples(DECLARED.commands.commands) == ()


async def test_help_names_every_command_and_explains_each(bot: BotHarness) -> None:
    overview = await said(bot, "!help")
    for spec in DECLARED.commands.commands:
        assert f"!{spec.name}" in overview
        asked = await said(bot, f"!help {spec.name}")
        assert await said(bot, f"!{spec.name} --help", who="admin") == asked
        assert f"!{spec.name}" in asked
        for example in spec.examples:
            assert f"!{example}" in asked
    assert "Did you mean `!help launch`?" in await said(bot, "!help lanch")
    assert await said(bot, "!help 'region retry'") == await said(bot, "!help region retry")


async def test_a_misuse_shows_examples_of_the_option_that_it_is_about(bot: BotHarness) -> None:
    assert f"For example: `!images {X64} --chart`" in await said(bot, "!images --chart")
    told = await said(bot, f"!rollback {X64}/43.20261101.0")
    assert f"`rollback --to 43.20261101.0 {X64}` makes 43.20261101.0 latest again" in told
    assert f"For example: `!rollback --to 43.20261101.0 {X64}`" in told


async def test_help_and_whoami_are_open_to_strangers_and_nothing_else_is(bot: BotHarness) -> None:
    assert "What I can do" in await said(bot, "!help", who="eve")
    assert "I do not know you." in await said(bot, "!whoami", who="eve")
    for spec in DECLARED.commands.commands:
        if spec.name not in ("help", "whoami"):
            answer = await said(bot, f"!{spec.name}", who="eve")
            assert "I do not know you, so you have no right to" in answer
            assert "console:eve" in answer


async def test_whoami_says_who_and_what_they_may(bot: BotHarness) -> None:
    assert "You are Alice." in await said(bot, "!whoami")
    carol = await said(bot, "!whoami", who="carol")
    may, see = (re.search(rf"{label}: +(.+)", carol) for label in ("You may", "With --dry-run alone"))
    assert may is not None
    assert see is not None
    assert "images" in may[1]
    assert not {"promote", "approve", "reject", "cancel"} & set(
        may[1].split(", ")
    )  # no operation would take hers
    assert see[1].split(", ") == [
        *("promote", "rollback", "revoke", "good", "bad", "hold", "unhold", "adopt", "cleanup", "restore"),
        *("region retry", "launch", "test", "extend", "stop", "start", "handover", "terminate"),
        *(
            "instance adopt",
            "sshkey add",
            "sshkey remove",
            "credential snooze",
            "credential done",
            "credential rotate",
            "credential remove",
            "emergency review",
            "problem ack",
            "schedule run",
            "schedule pause",
            "schedule resume",
            "freeze",
            "unfreeze",
            "lock release",
        ),
    ]
    assert "--dry-run" not in await said(bot, "!whoami", who="admin")


async def test_a_reader_is_refused_every_change_and_told_who_has_the_right(bot: BotHarness) -> None:
    before = await audit_trail(bot)
    for line in ("promote X", "rollback X", "cleanup", "launch ami-1", "terminate --overdue"):
        answer = await said(bot, f"!{line}", who="carol")
        name = line.split()[0]
        assert (
            f"You need the right `{name}` for this; Alice (alice), Bob (bob) and Admin (admin) have it. "
            f"With `--dry-run` you may see what `{name}` would do." in answer
        )
    assert await audit_trail(bot) == before


async def test_images_are_shown_all_by_pattern_and_one_by_one(bot: BotHarness) -> None:
    everything = await said(bot, "!images")
    assert "7 image definitions" in everything
    assert X64 in everything
    one = await said(bot, f"!images {X64.lower()}")
    assert f"{X64}: 14 versions, latest 43.20261111.0" in one
    assert f"Promote {CANDIDATE}: `!promote {X64}`" in one
    assert "2 image definitions" in await said(bot, "!images *Rawhide*")


async def test_instances_pending_history_status_and_op_answer_on_an_idle_bot(bot: BotHarness) -> None:
    assert "No machine is running." in await said(bot, "!instances")
    assert "Nothing waits, and nothing runs." in await said(bot, "!pending")
    status = await said(bot, "!status")
    assert "azure gallery Fedora, aws us-east-1" in status
    assert "connected" in status
    assert re.search(r"aws: +✔ answered \d+s ago", status)
    assert "There is no operation op-zzzz." in await said(bot, "!op zzzz")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"promote {X64} --dry-run", f"promote {CANDIDATE} of {X64}"),
        (f"rollback {X64} --dry-run", f"take 43.20261111.0 of {X64} back from latest"),
        ("cleanup --dry-run", "Past end of life"),
        (
            "launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0 --for 2h --dry-run",
            "1 machine runs Fedora",
        ),
    ],
)
async def test_a_dry_run_shows_the_plan_and_changes_and_proposes_nothing(
    bot: BotHarness, line: str, words: str
) -> None:
    before = await audit_trail(bot)
    answer = await said(bot, f"!{line}", who="carol")  # who may read, and no more
    assert words in answer
    assert "Nothing was changed and nothing was proposed: this was a dry run." in answer
    assert "To propose it" not in answer
    assert (
        f"`{line.split()[0]}` takes the right `{line.split()[0]}`, which you do not have: {WHO_MAY}" in answer
    )
    assert not bot.messages[-1].card.buttons
    assert re.search(f"To propose it: `!{line.split()[0]}[ `]", await said(bot, f"!{line}"))
    assert await audit_trail(bot) == before
    assert bot.azure.writes == []
    assert "Nothing waits" in await said(bot, "!pending")


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("images Fedora-Cloud-34-x64", X64),
        ("images Fedora-Cloud-43-x46", X64),
        ("promote Fedora-Cloud-43-x46", X64),
        (f"promote {X64} 43.20261128.0", CANDIDATE),
        ("rollback Fedora-Cloud-43-x46", X64),
        ("cleanup Fedora-Cloud-Rawhid-x64", "Fedora-Cloud-Rawhide-x64"),
        ("launch Fedora-Cloud-Base-AmazonEC2.x86_64-34 --dry-run", "Fedora-Cloud-Base-AmazonEC2.x86_64-4"),
        ("launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0 --profile smal", "small"),
    ],
)
async def test_a_name_that_does_not_exist_is_met_with_the_nearest_that_do(
    bot: BotHarness, line: str, nearest: str
) -> None:
    answer = await said(bot, f"!{line}")
    assert "Did you mean" in answer
    assert nearest in answer.split("Did you mean")[1]
    assert bot.messages[-1].card.tone is Tone.WARNING


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("promote", "`IMAGE` is missing"),
        (f"promote {X64} newest", "“newest” is not a version"),
        (f"promote {X64} 43.1.0 now", "“now” is too much"),
        (f"promote {X64} --dryrun", "did you mean `--dry-run`?"),
        ("launch", "`IMAGE` is missing"),
        ("launch ami-1 --for tomorrow", "“tomorrow” is not a duration"),
        ("launch ami-1 --for", "`--for` needs a value"),
        ("launch ami-1 --count many", "“many” is not a whole number from 1 to 50"),
        ("launch ami-1 --count 0", "“0” is not a whole number from 1 to 50"),
        ("terminate i-nothex", "“i-nothex” is not the id of an instance"),
        ("op", "`ID` is missing"),
        ("op first", "“first” is not the id of an operation"),
        ("cancel yes", "“yes” is not the id of an operation"),
        ("history --limit 51", "“51” is not a whole number from 1 to 50"),
        ("status now", "“now” is too much"),
    ],
)
async def test_a_wrong_argument_gets_what_was_wrong_and_the_usage(
    bot: BotHarness, line: str, wrong: str
) -> None:
    answer = await said(bot, f"!{line}")
    assert wrong in answer
    assert f"Usage: `!{line.split()[0]}" in answer
    assert "For example:" in answer


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("terminate", "You gave neither an id, nor `--overdue`, nor `--leftovers`; give one of them."),
        ("terminate i-0f1e2d3c4b5a69788 --overdue", "Nothing to terminate: no machine is running."),
        ("terminate i-0f1e2d3c4b5a69788", "There is no machine i-0f1e2d3c4b5a69788 in us-east-1."),
        ("terminate --overdue", "Nothing to terminate: no machine is running."),
        (f"promote {X64} 43.20261111.0", f"43.20261111.0 of {X64} is promoted already."),
        (f"promote {X64} 43.20261117.0", "is Failed, not Succeeded; it cannot be promoted."),
        ("rollback Fedora-Cloud-*", "this works on one at a time"),
        (
            "launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0 --region eu-west-3",
            "No profile that alice may use launches in eu-west-3.",
        ),
        (
            "launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0 --for 30d",
            "live for at most 7d, not 30d.",
        ),
        ("launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0 --profile arm", "profile"),
    ],
)
async def test_what_cannot_be_met_says_why(bot: BotHarness, line: str, words: str) -> None:
    before = await audit_trail(bot)
    assert words in await said(bot, f"!{line}")
    assert await audit_trail(bot) == before


async def test_a_slip_of_the_finger_is_asked_about_once_and_prose_is_left_alone(bot: BotHarness) -> None:
    answer = await said(bot, f"!promot {X64}")
    assert "There is no command !promot. Did you mean `!promote`?" in answer
    carol = await said(bot, f"!promot {X64}", who="carol")
    assert "Did you mean" not in carol
    assert f"`promote` takes the right `promote`, which you do not have: {WHO_MAY}" in carol
    assert "Did you mean `!images`?" in await said(bot, "!imagse", who="carol")
    stranger = await said(bot, f"!promot {X64}", who="eve")
    assert "Did you mean" not in stranger
    assert "Alice" not in stranger, "strangers are told no names"
    assert "Did you mean `!whoami`?" in await said(bot, "!whoamy", who="eve")
    for prose in (
        "!important: lunch at noon",
        "! help",
        "!!!",
        "!?",
        "wow!",
        "!1",
        "promote it",
        "!terminal is nice",
    ):
        assert await bot.say("alice", prose) == []


async def test_a_mention_and_a_direct_chat_need_no_prefix(bot: BotHarness) -> None:
    for address in (Address.MENTION, Address.DIRECT):
        for text in ("whoami", "!whoami", ": whoami", "WHOAMI"):
            assert "You are Alice." in await said(bot, text, address=address)
        assert "There is no command !frobnicate." in await said(bot, "frobnicate it", address=address)
        assert "Type `!help` to see what I can do" in await said(bot, "", address=address)
    assert await bot.say("alice", "whoami") == []


async def test_a_sentence_is_answered_with_how_the_command_is_typed_that_it_names(bot: BotHarness) -> None:
    for address in (Address.MENTION, Address.DIRECT):
        answer = await said(bot, f"can you promote {X64}?", address=address)
        assert "I understand commands, and no sentences." in answer
        assert "`!promote [IMAGE]" in answer
        assert "cancel" not in answer
        answer = await said(bot, "can you do that again for me", address=address)
        assert "All commands: `!help`" in answer
        assert "cancel" not in answer


async def test_what_chats_do_to_text_is_undone(bot: BotHarness) -> None:
    for text in (
        "!images \u201c" + X64 + "\u201d",
        f"`!images {X64}`",
        f"!images\u00a0{X64}",
        f"**!images {X64}**",
    ):
        assert f"{X64}: 14 versions" in await said(bot, text)
    answer = await said(bot, f"!promote {X64} \u2014dry-run")
    assert "this was a dry run" in answer


async def test_an_old_message_and_a_second_delivery_cause_nothing(bot: BotHarness) -> None:
    assert await bot.say("alice", "!status", age=timedelta(minutes=11)) == []
    assert len(await bot.say("alice", "!status", event_id="twice")) == 1
    assert await bot.say("alice", "!status", event_id="twice") == []


async def test_an_answer_stands_in_the_thread_of_the_question(bot: BotHarness) -> None:
    (shown,) = await bot.say("alice", "!status", thread="t1", room="ops")
    assert (shown.room, shown.thread) == ("ops", "t1")


async def test_a_proposal_is_found_again_by_pending_op_and_history(bot: BotHarness) -> None:
    (card,) = await bot.say("alice", f"!promote {X64} {CANDIDATE}")
    name = card.card.buttons[0].operation_id
    waiting = await said(bot, "!pending", who="bob")
    assert "1 open operation" in waiting
    assert f"promote {CANDIDATE} of {X64}" in waiting
    (other,) = await bot.say("alice", f"!promote {ARM}")
    listed, *_ = await bot.say("bob", "!pending")
    assert f"You can approve: `!approve {name}`" in listed.text
    own, *_ = await bot.say("alice", "!pending")
    assert "You can approve" not in own.text
    await bot.say("alice", f"!cancel {other.card.buttons[0].operation_id}")
    shown = await said(bot, f"!op {name[3:].upper()}")
    assert f"promote {CANDIDATE} of {X64}" in shown
    assert bot.messages[-1].card.buttons  # a card that got lost is had again
    assert await bot.say("alice", f"!cancel {name}") == []
    history = await said(bot, "!history --limit 2")
    assert name in history
    assert "cancelled" in history


async def test_nothing_to_do_says_how_things_are(bot: BotHarness) -> None:
    answer = await said(bot, "!promote Fedora-Cloud-41-x64")
    assert "Nothing to do" in answer
    assert "Fedora-Cloud-41-x64" in answer
