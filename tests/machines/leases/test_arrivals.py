"""What the owner of a launched machine is told once it came up, or did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.chat.model import Tone
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.consoles import console_text, host_key
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.subjects.machines.watching.host_keys import HostKey, host_keys
from tests.support.aws import IMAGE, boto3_client, call_in_thread, unique_name
from tests.support.clock import HOUR
from tests.support.harness import BotHarness, running_bot
from tests.support.leases import machine_of, minutes
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.pauses import no_pauses
from tests.support.ssh_keys import ed25519

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def launch(
    bot: BotHarness, options: str = "--for 2h", who: str = "alice"
) -> tuple[PostedMessage, list[str]]:
    """Launch machines; the card of that, and their ids. No look of the watch happens."""
    card, report = await bot.say(who, f"!launch {IMAGE} {options}")
    ids = [word.rstrip(",.") for word in report.text.split() if word.startswith("i-")]
    return card, ids


def values(message: PostedMessage) -> dict[str, str]:
    return {field.label: field.value for field in message.card.fields}


async def test_who_launched_a_machine_is_told_how_to_log_in_and_by_which_host_keys_it_is_known(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    card, (machine,) = await launch(bot)
    aws.healths[machine] = "initializing"
    assert await minutes(bot, 2) == []
    del aws.healths[machine]
    (up,) = await minutes(bot)
    assert (up.thread, up.card.mentions, up.card.tone) == (card.id, ("alice",), Tone.DONE)
    assert up.card.title == f"{machine} is up"
    (listed,) = await bot.say("alice", "!instances")
    address = listed.card.tables[0].values[0]["address"]
    assert address
    assert up.card.text == f"`ssh fedora@{address}`"
    assert values(up) == {f"Host key {kind}": host_key(machine, kind) for kind in ("ED25519", "ECDSA", "RSA")}
    assert await minutes(bot, 20) == []  # once


async def test_it_is_told_once_also_where_the_bot_was_stopped_before_and_after(
    tmp_path: Path, aws: SimulatedAws
) -> None:
    changes, chat = {"name": unique_name("slipway")}, MemoryChat()
    async with running_bot(tmp_path, aws=aws, changes=changes, chat=chat, sleep=no_pauses) as first:
        card, (machine,) = await launch(first)
        clock = first.clock
    clock.advance(HOUR)
    async with running_bot(
        tmp_path, aws=aws, changes=changes, chat=chat, clock=clock, sleep=no_pauses
    ) as second:
        said = [each for each in await minutes(second, 0) if each.card.title == f"{machine} is up"]
        assert [each.thread for each in said] == [card.id]
    async with running_bot(
        tmp_path, aws=aws, changes=changes, chat=chat, clock=clock, sleep=no_pauses
    ) as third:
        assert not any(" up" in each.card.title for each in await minutes(third))


async def test_machines_of_one_launch_are_told_of_at_once_with_the_key_that_is_shown_first(
    bot: BotHarness,
) -> None:
    _, ids = await launch(bot, "--for 2h --count 2")
    (up,) = await minutes(bot)
    assert up.card.title == "2 machines are up"
    assert values(up) == {f"{each} ED25519": host_key(each, "ED25519") for each in ids}
    assert all(f"{each}: `ssh fedora@" in up.card.text for each in ids)


async def test_host_keys_are_waited_for_some_minutes_and_their_lack_is_said(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    _, (late,) = await launch(bot)
    aws.consoles[late] = ""
    assert await minutes(bot) == []
    aws.consoles[late] = console_text(late)
    (up,) = await minutes(bot)
    assert len(values(up)) == 3
    _, (dark,) = await launch(bot)
    aws.consoles[dark] = f"{dark} login: "
    assert await minutes(bot) == []
    assert await minutes(bot) == []
    (up,) = await minutes(bot, 2)
    assert "`ssh fedora@" in up.card.text
    assert up.card.notes[0] == f"The console of {dark} does not show the fingerprints of host keys."


async def test_a_machine_that_nobody_logs_in_to_is_told_of_without_a_way_to_log_in(bot: BotHarness) -> None:
    _, (machine,) = await launch(bot, "--for 2h --no-ssh")
    (up,) = await minutes(bot)
    assert up.card.title == f"{machine} is up"
    assert "ssh" not in up.text
    assert up.card.fields == ()


async def test_one_whose_checks_fail_is_told_of_once_with_the_clouds_reason_and_put_right_where_it_comes_up(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    card, (machine,) = await launch(bot)
    aws.healths[machine] = "impaired"
    (failed,) = await minutes(bot, 5)
    assert (failed.thread, failed.card.mentions, failed.card.tone) == (card.id, ("alice",), Tone.FAILED)
    assert failed.card.title == f"{machine} did not come up"
    assert "instance status check: reachability failed" in failed.text
    assert f"!terminate {machine}" in failed.text
    assert await minutes(bot) == []
    del aws.healths[machine]
    (up,) = await minutes(bot)
    assert up.card.title == f"{machine} is up"
    assert failed.card.title == f"{machine}: came up after all"
    assert failed.card.shortcuts == ()


async def test_one_that_the_cloud_ends_before_is_told_of_with_its_reason(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    card, (machine,) = await launch(bot)
    aws.healths[machine] = "initializing"
    await minutes(bot)
    why = "Client.VolumeLimitExceeded: Volume limit exceeded"
    await aws.end([machine], "Server.InternalError", why)
    (ended,) = await minutes(bot)
    assert (ended.thread, ended.card.mentions) == (card.id, ("alice",))
    assert ended.card.title == f"{machine} ended before it came up"
    assert f"EC2 ended it. The cloud says: “{why}”" in ended.text
    assert await minutes(bot, 5) == []


async def test_one_that_somebody_ended_elsewhere_is_told_of_and_one_that_slipway_ended_is_not(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    _, (elsewhere, here) = await launch(bot, "--for 2h --count 2")
    aws.healths |= dict.fromkeys((elsewhere, here), "initializing")
    await bot.say("alice", f"!terminate {here}")
    await call_in_thread(boto3_client(aws.url), "terminate_instances", InstanceIds=[elsewhere])
    (ended,) = await minutes(bot)
    assert ended.card.title == f"{elsewhere} ended before it came up"
    assert "Somebody ended it there." in ended.text


async def test_what_the_cloud_does_not_say_is_called_so_after_a_quarter_of_an_hour(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    _, (machine,) = await launch(bot)
    aws.healths[machine] = "insufficient-data"
    assert await minutes(bot, 14) == []
    (told,) = await minutes(bot)
    assert told.card.title == f"{machine} runs"
    assert "EC2 does not say whether it came up." in told.card.text
    assert "`ssh fedora@" in told.card.text


async def test_while_the_checks_cannot_be_read_nothing_is_said(bot: BotHarness, aws: SimulatedAws) -> None:
    _, (machine,) = await launch(bot)
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeInstanceStatus", times=None))
    assert await minutes(bot, 20) == []
    aws.faults.clear()
    (up,) = await minutes(bot)
    assert up.card.title == f"{machine} is up"


async def test_a_new_owner_is_told_and_not_the_former_one(bot: BotHarness, aws: SimulatedAws) -> None:
    _, (machine,) = await launch(bot)
    aws.healths[machine] = "initializing"
    await bot.say("alice", f"!handover {machine} --to bob")
    del aws.healths[machine]
    (up,) = await minutes(bot)
    assert up.card.mentions == ("bob",)
    assert (await machine_of(bot, machine)).told == {}


SAMPLE = """\
ci-info: |  sha256 |
-----BEGIN SSH HOST KEY FINGERPRINTS-----
256 SHA256:{old} root@host (ED25519)
-----END SSH HOST KEY FINGERPRINTS-----
[ 9.1] <14>Nov 20 12:00:00 ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----
ec2: 3072 SHA256:{rsa} root@host (RSA)
ec2: 256 SHA256:{one} no comment (ED25519)\r
ec2: 256 SHA256:tooshort root@host (ECDSA)
`!terminate` <@everybody> SHA256:nothing (ECDSA)
ec2: -----END SSH HOST KEY FINGERPRINTS-----
-----BEGIN SSH HOST KEY FINGERPRINTS-----
256 SHA256:{old} cut off
"""


async def test_of_a_console_the_fingerprints_of_the_last_whole_block_are_taken_and_nothing_else() -> None:
    rsa, one = (ed25519(number).split()[1][-43:].replace("=", "A") for number in (1, 2))
    text = SAMPLE.format(rsa=rsa, one=one, old="A" * 43)
    assert host_keys(text) == (HostKey("ED25519", f"SHA256:{one}"), HostKey("RSA", f"SHA256:{rsa}"))
    assert host_keys(text.replace("END", "AND")) == ()
    assert host_keys("") == ()
