"""Whose machines can become, and who is told where somebody else does something with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import ChatError
from tests.support.aws import IMAGE, unique_name
from tests.support.harness import BotHarness, running_bot
from tests.support.leases import launched, leases_of, machine_of, minutes
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")


def concerns(report: PostedMessage) -> list[str]:
    """Whom a report says that it concerns."""
    return [each.value for each in report.card.fields if each.label == "Concerns"]


async def test_a_machine_goes_to_nobody_who_could_not_look_after_it(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (refused,) = await bot.say("alice", f"!handover {machine} --to carol")
    assert "that takes the rights `extend` and `terminate`, and Carol does not have them" in refused.text
    assert "Alice (alice), Bob (bob) and Admin (admin) have them." in refused.text
    assert f"Next: `!handover {machine}`" in refused.card.notes
    assert (await machine_of(bot, machine)).owner == "alice"


async def test_those_are_offered_who_could_look_after_it(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (who,) = await bot.say("alice", f"!handover {machine}")
    assert [each.label for each in who.card.shortcuts] == ["To Bob", "To Admin"]
    assert "carol" not in who.text
    (unknown,) = await bot.say("alice", f"!handover {machine} --to zzz")
    assert "called zzz. There are Alice (alice), Bob (bob) and Admin (admin)." in unknown.text


async def test_where_nobody_else_could_look_after_it_nobody_is_offered(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    changes = {"name": unique_name("slipway"), "roles": {"releng": {"may": ["launch", "handover", "read"]}}}
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as bot:
        (machine,) = await launched(bot, who="admin")
        (nobody,) = await bot.say("admin", f"!handover {machine}")
        assert "Nobody else here could look after a machine" in nobody.text
        assert not nobody.card.shortcuts


async def test_a_machine_is_taken_in_for_nobody_who_could_not_look_after_it(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    changes = {"name": unique_name("slipway")}
    async with running_bot(tmp_path / "lost", aws=aws, changes=changes, sleep=no_pauses) as lost:
        (machine,) = await launched(lost)
    async with running_bot(tmp_path / "fresh", aws=aws, changes=changes, sleep=no_pauses) as bot:
        await minutes(bot, 0)  # alice is told that nothing is stored of it
        (refused,) = await bot.say("admin", f"!instance adopt {machine} --owner carol")
        assert "Carol (carol) could not look after it" in refused.text
        *_, report = await bot.say("admin", f"!instance adopt {machine}")
        assert report.card.mentions == ("admin", "alice")


async def test_whoever_can_end_a_stranded_machine_is_named(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    await leases_of(bot).change(
        await machine_of(bot, machine), owner="carol"
    )  # as once, when she had the right
    (refused,) = await bot.say("alice", f"!handover {machine} --to alice")
    assert (
        f"{machine} is Carol (carol)'s, so only they can hand it over, and they have no right" in refused.text
    )
    assert "to `handover`: whoever runs Slipway can give it." in refused.text
    assert "Who can end it: Alice (alice), Bob (bob) and Admin (admin)." in refused.text
    assert f"Next: `!terminate {machine}`" in refused.card.notes


async def test_the_new_owner_is_called_at_a_handover(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (refused,) = await bot.say("bob", f"!handover {machine}")  # before anybody is chosen
    assert "so only they can hand it over" in refused.text
    card, report = await bot.say("alice", f"!handover {machine} --to bob")
    assert report.card.mentions == ("alice", "bob")
    assert concerns(report) == ["Bob"]
    assert f"{machine} is Bob (bob)'s." in card.text


async def test_the_owner_is_called_where_somebody_else_ends_their_machine(bot: BotHarness) -> None:
    own, other = await launched(bot, f"!launch {IMAGE} --count 2")
    *_, report = await bot.say("admin", f"!terminate {own}")
    assert report.card.mentions == ("admin", "alice")
    assert concerns(report) == ["Alice"]
    assert f"✔ {own} of alice is terminated." in report.text
    *_, report = await bot.say("alice", f"!terminate {other}")
    assert report.card.mentions == ("alice",)
    assert not concerns(report)


async def test_whoever_was_not_warned_is_called_when_their_machine_ends(bot: BotHarness) -> None:
    (machine,) = await launched(bot, f"!launch {IMAGE} --for 3m")
    said = await minutes(bot, 4)
    (report,) = [each for each in said if f"{machine} of alice is terminated." in each.text]
    assert report.card.mentions == ("alice",)
    assert not [each for each in said if "ends at" in each.text]


async def test_nobody_is_called_where_an_end_failed(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="TerminateInstances"))
    *_, report = await bot.say("admin", f"!terminate {machine}")
    assert "terminate: failed" in report.card.title
    assert report.card.mentions == ("admin",)
    assert not concerns(report)


async def test_an_owner_is_told_alone_where_the_room_of_the_end_is_gone(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    gone = ChatError("The room was archived.", passing=True, room_gone=True)
    bot.chat.away_in["console"] = gone
    await bot.say("admin", f"!terminate {machine}", wait=False)
    await bot.running.workflows.idle()
    said = await minutes(bot)
    told = [each for each in said if each.room == "direct:alice" and "terminate: done" in each.card.title]
    assert any(each.card.mentions == ("alice",) for each in told), [each.text for each in said]
    bot.chat.away_in.clear()
