"""What becomes of each error of Slack's: ``error_codes.md``, agreed as a golden file, and a proof for each kind.

``SLIPWAY_UPDATE_GOLDEN=1 pytest tests/slack/adapter/test_refusals.py`` writes the table anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError

from slipway.bot.chat.model import Room
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.probe import probe
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError, refused_error
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from slipway.bot.health.heartbeat import Heartbeat
from slipway.bot.health.report import report
from tests.slack.builders import LONG, PROPOSED, REPORT
from tests.slack.documented_errors import DOCUMENTED
from tests.slack.harness import AdapterHarness, slack_settings
from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import BOB, IMAGES, RELEASE
from tests.slack.whole_bot import SlackBot, slack_bot
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import FakeClock

GOLDEN = Path(__file__).parents[1] / "error_codes.md"

HEAD = """\
# What becomes of each error of Slack's

Written by `SLIPWAY_UPDATE_GOLDEN=1 pytest tests/slack/adapter/test_refusals.py`. The codes are those of the reference
of the methods by which the bot says and shows something. What was refused for its thread or its form is dropped where
Slack refuses it in the other form, too, and so is a direct message to somebody who is not in the channel: nobody else
waits for them. A file that is refused is told of in its message's thread.

| code | kind | what is to be said | in the log and in `!status` |
| --- | --- | --- | --- |
"""


def _refused(code: str, channel: str = IMAGES) -> RefusedError:
    answer = type("Answer", (), {"status_code": 200, "headers": {}, "data": {"ok": False, "error": code}})()
    answer.data |= {"needed": "chat:write"} if code == "missing_scope" else {}
    return refused_error("send a message", SlackApiError("", answer), channel)  # type: ignore[no-untyped-call]


def _becomes(error: RefusedError) -> str:
    match error.kind:
        case RefusalKind.INVALID_FORM:
            return "is said in words"
        case RefusalKind.NO_THREAD:
            return "is said in the channel itself"
        case RefusalKind.USER_NOT_IN_CHANNEL:
            return "comes by direct message"
    if error.locked_out or error.room_gone:
        return "waits until that is mended"
    return "is tried again" if error.passing else "is dropped, and counted in `!status`"


def test_every_documented_error_is_agreed_on() -> None:
    rows = []
    for code in sorted(DOCUMENTED):
        error = _refused(code)
        rows.append(f"| `{code}` | {error.kind} | {_becomes(error)} | {error} |\n")
    table = HEAD + "".join(rows)
    if os.environ.get("SLIPWAY_UPDATE_GOLDEN"):
        GOLDEN.write_text(table, "utf-8")
    assert GOLDEN.read_text("utf-8") == table


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("restricted_action_on_mondays", RefusalKind.NOT_ALLOWED),
        ("invalid_blocks_in_view", RefusalKind.INVALID_FORM),
        ("something_new", RefusalKind.OTHER),
    ],
)
def test_a_relative_that_is_not_documented_is_taken_for_one_of_the_family(
    code: str, kind: RefusalKind
) -> None:
    assert _refused(code).kind is kind


async def _propose(bot: SlackBot) -> None:
    await bot.sim.person("alice").post("images", f"!promote {X64}")


class TestARight:
    """One that somebody can give: everything waits for it, and says so to whoever can."""

    async def test_without_its_scope_nothing_is_lost_and_health_names_it(self, tmp_path: Path) -> None:
        clock = FakeClock()
        async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
            await _propose(bot)
            card = await bot.wait_for_message("images", "waits for 1 approval")
            sim.lose_scope("chat:write")
            await (await sim.person("bob").press(card, "Approve")).acked()
            await bot.settled()
            assert bot.excluded(X64, CANDIDATE) is False
            (why,) = bot.running.messages.hindrances()
            assert why.startswith("What is to be said in 1 room (C0IMAGES0) of slack waits.")
            assert "the app lacks the scope `chat:write`; add it under “OAuth & Permissions”" in why
            assert await _health(bot, tmp_path) == (why,)
            sim.world.app.scopes.add("chat:write")
            report = await bot.wait_for_message("images", "promote: done", "Ended")
            await bot.running.idle()
            assert report.thread_ts == card.ts
            assert card.buttons == []
            assert bot.running.messages.hindrances() == await _health(bot, tmp_path) == ()

    async def test_a_channel_that_is_closed_to_apps_is_told_in_another_and_gets_all_once_it_is_open(
        self, tmp_path: Path
    ) -> None:
        clock = FakeClock()
        async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
            sim.channel("images").writing = "is_read_only"
            await _propose(bot)
            await sim.until(lambda: bool(bot.running.messages.hindrances()), "the refusal")
            await sim.person("alice").post("release", "!status")
            status = await bot.wait_for_message("release", "is up")
            assert "1 message waits for slack" in status.all_text
            assert "do not let apps write in the channel C0IMAGES0, which is read-only" in status.all_text
            sim.channel("images").writing = ""
            bot.running.messages.heard_from(Room(platform=SLACK, id=IMAGES))
            card = await bot.wait_for_message("images", "waits for 1 approval")
            assert [button.label for button in card.buttons] == ["Approve", "Reject", "Details"]

    @pytest.mark.parametrize("code", ["restricted_action", "posting_to_channel_denied", "no_permission"])
    async def test_whoever_types_a_slash_command_where_the_bot_may_not_speak_is_told_at_once(
        self, over_socket: AdapterHarness, code: str
    ) -> None:
        sim, alice = over_socket.sim, over_socket.sim.person("alice")
        await (await alice.command("/slipway", "promote X")).acked()
        sim.faults.refuse("chat.postMessage", code)
        key = f"hear:slack:{over_socket.events[-1].event_id}"
        with pytest.raises(ChatError) as caught:
            await over_socket.chat.send(IMAGES, PROPOSED, thread=None, key=key)
        assert caught.value.locked_out
        told = await alice.ephemeral(lambda message: f"({code})" in message.all_text)
        assert "Could not send a message" in told.all_text

    async def test_the_doctor_doubts_a_channel_where_not_everybody_may_write(
        self, sim: SimulatedSlack
    ) -> None:
        sim.channel("images").writing = "is_read_only"
        sim.channel("release").writing = "is_thread_only"
        found = await probe(slack_settings(sim, channels=(IMAGES, RELEASE)))
        assert any("C0IMAGES0 lets only chosen accounts write" in each for each in found.warnings)
        assert any("C0RELEASE lets only chosen accounts begin threads" in each for each in found.warnings)


async def _health(bot: SlackBot, state_dir: Path) -> tuple[str, ...]:
    """What `slipway health` warns of, by a heartbeat written now."""

    class Beaten(Exception):  # noqa: N818 - it ends the heartbeat, and is no error
        """It was written."""

    async def once(seconds: float) -> None:
        found.append(report(state_dir, system_clock()).warnings)
        raise Beaten

    found: list[tuple[str, ...]] = []
    beat = Heartbeat(
        state_dir, {}, system_clock, hindrances=bot.running.messages.hindrances, monotonic=float, sleep=once
    )
    with pytest.raises(Beaten):
        await beat.run(_nothing)
    return found[0]


async def _nothing() -> None:
    return


class TestAThread:
    """One that takes nothing any more: what belongs to it is said in the channel."""

    @pytest.mark.parametrize("code", ["restricted_action_thread_locked", "cannot_reply_to_message"])
    async def test_an_answer_to_a_closed_thread_is_said_in_the_channel_once(
        self, adapter: AdapterHarness, code: str
    ) -> None:
        root = await adapter.sim.person("alice").post("images", "root")
        adapter.sim.faults.refuse("chat.postMessage", code)
        sent = await adapter.chat.send(IMAGES, REPORT, thread=root.ts, key="k")
        assert await adapter.chat.send(IMAGES, REPORT, thread=None, key="k") == sent
        (said,) = adapter.sim.from_bot("images")
        assert (said.ts, said.thread_ts) == (sent, None)

    async def test_a_lost_answer_to_a_thread_that_was_deleted_is_said_in_the_channel(
        self, adapter: AdapterHarness
    ) -> None:
        alice = adapter.sim.person("alice")
        root = await alice.post("images", "root")
        adapter.sim.faults.server_error("chat.postMessage")
        with pytest.raises(ChatError):
            await adapter.chat.send(IMAGES, REPORT, thread=root.ts, key="k")
        await alice.delete(root)
        await adapter.chat.send(IMAGES, REPORT, thread=root.ts, key="k")
        (said,) = adapter.sim.from_bot("images")
        assert said.thread_ts is None

    async def test_a_channel_without_threads_gets_reports_beside_their_cards(self, tmp_path: Path) -> None:
        clock = FakeClock()
        async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
            sim.channel("images").writing = "is_non_threadable"
            await _propose(bot)
            card = await bot.wait_for_message("images", "waits for 1 approval")
            await (await sim.person("bob").press(card, "Approve")).acked()
            report = await bot.wait_for_message("images", "promote: done", "Ended")
            assert report.thread_ts is None


@pytest.mark.parametrize(
    "code", ["user_not_visible", "messages_tab_disabled", "channel_not_found", "missing_scope"]
)
async def test_whoever_cannot_be_told_alone_keeps_nobody_else_waiting(tmp_path: Path, code: str) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        sim.faults.refuse("chat.postEphemeral", "user_not_in_channel")
        sim.faults.refuse("conversations.open", code)
        await (await sim.person("alice").command("/slipway", "whoami")).acked()
        await bot.settled()
        await sim.person("bob").post("images", "!status")
        status = await bot.wait_for_message("images", "is up")
        assert "1 message was dropped in the last day" in status.all_text
        assert bot.running.messages.hindrances() == ()


async def test_one_person_is_told_once_where_the_file_with_the_whole_cannot_come(
    adapter: AdapterHarness,
) -> None:
    adapter.sim.faults.refuse("conversations.open", "missing_scope")
    await adapter.chat.send(IMAGES, LONG.model_copy(update={"private_to": BOB}), thread=None, key="k")
    told, problem = adapter.sim.person("bob").ephemerals
    assert "The attached file has all of it." in told.all_text
    assert "The whole could not be attached. Could not open a direct message" in problem.all_text


@pytest.mark.parametrize("code", ["streaming_state_conflict", "update_failed", "external_channel_migrating"])
async def test_an_edit_that_a_passing_state_refuses_is_made_later(tmp_path: Path, code: str) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        await _propose(bot)
        card = await bot.wait_for_message("images", "waits for 1 approval")
        sim.faults.refuse("chat.update", code, times=3)
        await (await sim.person("bob").press(card, "Approve")).acked()
        await bot.wait_for_message("images", "promote: done", "Ended")
        await bot.running.idle()
        assert "promote: done" in card.all_text


async def test_what_no_later_try_helps_is_dropped_and_counted(tmp_path: Path) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        sim.faults.refuse("chat.postMessage", "invalid_metadata_schema")
        await sim.person("alice").post("images", "!whoami")
        await bot.settled()
        await sim.person("alice").post("images", "!status")
        status = await bot.wait_for_message("images", "is up")
        assert "1 message was dropped in the last day" in status.all_text


async def test_a_message_that_is_gone_is_not_written_to_again_and_keeps_nothing_waiting(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with SimulatedSlack(clock=clock) as sim, slack_bot(tmp_path, sim, clock=clock) as bot:
        await _propose(bot)
        card = await bot.wait_for_message("images", "waits for 1 approval")
        await sim.person("alice").delete(card, as_admin=True)
        await sim.person("bob").post("images", f"!approve {card.all_text.split()[1]}")
        await bot.wait_for_message("images", "promote: done", "Ended")
        await bot.running.idle()
