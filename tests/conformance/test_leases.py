"""A machine's time, from its launch to its end, as its owner sees it on every platform."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from slipway.bot.clouds.simulated.consoles import host_key
from tests.conformance.clock import ClockAhead
from tests.conformance.harness import Capability, VisibleMessage, Where
from tests.conformance.run import ConformanceRun, PlatformSession
from tests.support.aws import IMAGE, simulated_aws
from tests.support.leases import state_of


async def passed(run: ConformanceRun, clock: ClockAhead, minutes: float) -> list[VisibleMessage]:
    """Let time pass, and a minute's upkeep happen; what is new in the room."""
    before = {each.id for each in await run.session.visible_messages()}
    clock.ahead += timedelta(minutes=minutes)
    await run.running.upkeep.sweep()
    await run.session.settle()
    return [each for each in await run.session.visible_messages() if each.id not in before]


async def choose(
    session: PlatformSession, who: str, label: str, line: str, message: VisibleMessage
) -> list[VisibleMessage]:
    """Press a button of a message, or say in its thread what stands there instead, where a platform has no such
    buttons."""
    assert session.chat is not None
    if session.chat.offers_shortcuts:
        return await session.press_shortcut(who, label, message)
    return await session.say(who, line, thread=message.thread or message.id)


async def launch(session: PlatformSession) -> tuple[VisibleMessage, str]:
    """Have alice launch a machine for two hours; its card, and its id."""
    card, *said = await session.say("alice", f"!launch {IMAGE} --for 2h")
    found = re.search(r"i-[0-9a-f]{17}", said[-1].text)
    assert found is not None, said
    return card, found[0]


async def test_one_machine_ends_at_its_time_and_another_is_extended_handed_over_and_ended_by_what_is_offered(
    run: ConformanceRun,
) -> None:
    clock, session = ClockAhead(), run.session
    async with simulated_aws() as aws, run.bot({"commands": {"max_age": "7d"}}, aws=aws, clock=clock):
        left, leaving = await launch(session)
        card, machine = await launch(session)
        up = {each.thread: each for each in await passed(run, clock, 0)}
        assert up.keys() == {left.id, card.id}
        assert up[card.id].mentions == {"alice"}
        assert f"{machine} is up" in up[card.id].text
        assert "ssh fedora@" in up[card.id].text
        assert host_key(machine, "ED25519") in up[card.id].text

        warnings = {each.thread: each for each in await passed(run, clock, 91)}
        assert warnings.keys() == {left.id, card.id}
        assert all(each.mentions == {"alice"} for each in warnings.values())
        assert f"!extend {leaving} --for 1h" in warnings[left.id].text
        warned = warnings[card.id]
        extended = await choose(session, "alice", "Extend 1h", f"!extend {machine} --for 1h", warned)
        assert any("extend: done" in each.text for each in extended), extended
        assert await passed(run, clock, 0) == []
        assert "extend" not in (await session.current(warned)).text

        said = await passed(run, clock, 60)
        ended = [each for each in said if each.thread == left.id]
        assert any(f"{leaving} of alice is terminated." in each.text for each in ended), said
        assert [await state_of(aws, each) for each in (leaving, machine)] == ["terminated", "running"]
        (again,) = [each for each in said if each not in ended]
        (asked,) = await choose(session, "alice", "Hand over", f"!handover {machine}", again)
        assert f"!handover {machine} --to PERSON" in asked.text
        given = await choose(session, "alice", "To Bob", f"!handover {machine} --to bob", asked)
        assert any("handover: done" in each.text for each in given), given
        if session.chat is not None and session.chat.offers_shortcuts:  # nobody else is chosen after that
            assert f"Chosen: `!handover {machine} --to bob`" in (await session.current(asked)).text

        (told,) = await passed(run, clock, 1)
        assert f"{leaving}: ended" in (await session.current(warnings[left.id])).text
        assert "bob's now" in (await session.current(again)).text
        assert (told.thread, told.mentions) == (card.id, frozenset({"bob"}))
        assert await state_of(aws, machine) == "running"
        ended = await choose(session, "bob", "Terminate", f"!terminate {machine}", told)
        assert any(f"{machine} of bob is terminated." in each.text for each in ended), ended
        assert await state_of(aws, machine) == "terminated"

        assert await passed(run, clock, 1) == []
        now = await session.current(told)
        assert f"{machine}: ended" in now.text
        assert "terminate " not in now.text
        assert await passed(run, clock, 120) == []


@pytest.mark.every_transport
async def test_what_a_machine_wrote_to_its_console_comes_as_a_file_to_its_owner_alone(
    run: ConformanceRun,
) -> None:
    session = run.session
    session.requires(Capability.PRIVATE_FILES)
    async with simulated_aws() as aws, run.bot(aws=aws):
        if Capability.DIRECT_CHATS not in session.platform.missing:
            await session.say("alice", "whoami", where=Where.DIRECT)
        *_, report = await session.say("alice", f"!launch {IMAGE} --for 2h")
        found = re.search(r"i-[0-9a-f]{17}", report.text)
        assert found is not None, report
        before = await session.platform.files()
        (refused,) = await session.say("bob", f"!instance logs {found[0]}")
        assert "only Alice" in refused.text
        answers = await session.say("alice", f"!instance logs {found[0]}")
        assert f"The console output of {found[0]} was sent to you alone." in answers[-1].text
        (text,) = await session.platform.private_files("alice")
        assert host_key(found[0], "ED25519") in text
        if Capability.MENTIONS not in session.platform.missing:  # others listen
            assert all("SHA256" not in each.text for each in await session.visible_messages("bob"))
            assert [each for each in await session.platform.files() if each != text] == before
