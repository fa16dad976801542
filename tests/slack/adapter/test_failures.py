"""What goes wrong around the Slack adapter: nothing is lost, nothing leaks, and everything goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy.exc import OperationalError

from slipway.bot.chat.model import Card
from slipway.bot.chat.slack.interactions.action_values import SHOW_OPERATION_SHORTCUT
from slipway.bot.chat.slack.sending.message_sender import MESSAGE_EVENT_TYPE
from slipway.bot.chat.slack.sending.send_attempts import message_token
from slipway.bot.core.errors import ChatError
from tests.slack.builders import AMI, LAUNCH, LAUNCH_FROM_MESSAGE, LISTING, LONG, PROPOSED, REPORT, RUNNING
from tests.slack.harness import AdapterHarness, build_adapter, running_adapter
from tests.slack.simulator import Delivery, Reason, SimulatedSlack, State
from tests.slack.simulator.seed import ALICE, BOB, IMAGES, RELEASE_TEAM
from tests.support.clock import NOW, FakeClock
from tests.support.key_value_store import InMemoryStore


class TestRoles:
    async def test_who_is_in_a_group_is_known_after_a_restart_before_slack_says_so(
        self, sim: SimulatedSlack
    ) -> None:
        store = InMemoryStore()
        async with running_adapter(sim, groups=(RELEASE_TEAM,), store=store) as adapter:
            known = adapter.group_members[-1]
        sim.faults.server_error("usergroups.users.list", times=9)
        async with running_adapter(sim, groups=(RELEASE_TEAM,), store=store) as adapter:
            assert adapter.group_members[0] == known
            assert adapter.group_members[-1] == known
        async with running_adapter(sim, groups=("S0ANOTHER",), store=store) as adapter:
            assert adapter.group_members[0] == {}

    async def test_they_are_followed_on_after_the_database_failed(self, sim: SimulatedSlack) -> None:
        class Failing(InMemoryStore):
            """A store whose database can be away."""

            away = False

            async def save(self, name: str, value: str) -> None:
                if self.away:
                    raise OperationalError("INSERT", {}, OSError("database is locked"))
                await super().save(name, value)

        store = Failing()
        async with running_adapter(sim, groups=(RELEASE_TEAM,), store=store) as adapter:
            store.away = True
            await sim.set_group(RELEASE_TEAM, [ALICE])
            await sim.until(lambda: adapter.group_members[-1] == {RELEASE_TEAM: {ALICE}}, "the look")
            assert "could not be kept (OperationalError)" in adapter.chat.health().detail
            store.away = False
            await sim.set_group(RELEASE_TEAM, [BOB])
            await sim.until(lambda: adapter.group_members[-1] == {RELEASE_TEAM: {BOB}}, "the next look")
            assert json.loads(store.values["groups"]) == {RELEASE_TEAM: [BOB]}
            assert "could not be kept" not in adapter.chat.health().detail


class TestMemory:
    async def test_messages_sent_at_once_are_all_remembered(self, sim: SimulatedSlack) -> None:
        class Slowly(InMemoryStore):
            """Saves that take the longer the earlier they came."""

            turns = 12

            async def save(self, name: str, value: str) -> None:
                Slowly.turns -= 1
                for _ in range(Slowly.turns):
                    await asyncio.sleep(0)
                await super().save(name, value)

        store = Slowly()
        chat = build_adapter(sim, store=store)
        rooms = [IMAGES, "C0RELEASE", "C0SHARED0", ALICE]
        await asyncio.gather(*(chat.send(room, PROPOSED, thread=None, key=room) for room in rooms))
        await chat.close()
        assert len(json.loads(store.values["begun"])) == len(rooms)

    async def test_a_failed_look_does_not_hide_what_was_sent_before(self, sim: SimulatedSlack) -> None:
        clock = FakeClock()
        chat = build_adapter(sim, clock=clock)
        sim.faults.lose_answer("chat.postMessage")
        with pytest.raises(ChatError):
            await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        clock.advance(timedelta(hours=1))
        sim.faults.server_error("conversations.history")
        with pytest.raises(ChatError):
            await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        assert len(sim.from_bot("images")) == 1
        await chat.close()

    @pytest.mark.parametrize(
        ("later", "messages"),
        [(timedelta(), 250), (timedelta(hours=1), 650)],
        ids=["a page on", "much later"],
    )
    async def test_it_finds_its_message_however_much_was_said_since(
        self, later: timedelta, messages: int
    ) -> None:
        clock = FakeClock()
        async with SimulatedSlack(clock=clock) as sim:
            chat = build_adapter(sim, clock=clock)
            sim.faults.lose_answer("chat.postMessage")
            with pytest.raises(ChatError):
                await chat.send(IMAGES, PROPOSED, thread=None, key="k")
            clock.advance(later)
            for number in range(messages):
                await sim.person("alice").post("images", f"talk {number}")
            await chat.send(IMAGES, PROPOSED, thread=None, key="k")
            assert len(sim.from_bot("images")) == 1
            await chat.close()

    @pytest.mark.parametrize("minutes", [-25, 25])
    async def test_it_finds_its_message_however_wrong_its_own_clock_is(
        self, sim: SimulatedSlack, minutes: int
    ) -> None:
        chat = build_adapter(sim, clock=FakeClock(NOW + timedelta(minutes=minutes)))
        sim.faults.lose_answer("chat.postMessage")
        with pytest.raises(ChatError):
            await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        assert len(sim.from_bot("images")) == 1
        await chat.close()

    async def test_another_bots_message_with_the_same_key_is_not_taken_for_its_own(
        self, sim: SimulatedSlack
    ) -> None:
        chat = build_adapter(sim)
        sim.faults.server_error("chat.postMessage")
        with pytest.raises(ChatError):
            await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        other = await sim.bot_says("images", "look")
        other.metadata = {"event_type": MESSAGE_EVENT_TYPE, "event_payload": {"key": message_token("k")}}
        assert await chat.send(IMAGES, PROPOSED, thread=None, key="k") != other.ts
        await chat.close()


class TestAcknowledging:
    """Nothing is acknowledged that could not be kept, whatever it is; and what comes twice has one name."""

    async def _do(self, what: str, adapter: AdapterHarness, *refusals: BaseException) -> Delivery:
        """Do it; what is said and pressed on the way to it is taken in, and it itself is refused so often."""
        sim, alice = adapter.sim, adapter.sim.person("alice")

        def refuse() -> None:
            adapter.accept_errors += refusals
            if refusals:
                sim.outbox.patience = 0.5  # it is lost for sure; what led to it had Slack's time

        match what:
            case "a slash command":
                refuse()
                return await alice.command("/slipway", "status")
            case "a shortcut":
                named = await alice.post("images", "op-7k3f")
                await named.deliveries[0].acked()
                refuse()
                return await alice.message_shortcut(SHOW_OPERATION_SHORTCUT, named)
            case "a form":
                await (await alice.shortcut(LAUNCH)).acked()
                await sim.called("views.update")
                form = await alice.modal(LAUNCH)
                refuse()
                return (await alice.submit(form, {"image": AMI})).delivery
            case "a press on the Home tab":
                adapter.home_cards.append(LISTING)
                await alice.open_home()
                home = await alice.home_tab()
                refuse()
                return await alice.press_in(home, "Terminate i-1")
        card = await adapter.chat.send(IMAGES, PROPOSED, thread=None, key="card")
        shown = await sim.message("images", lambda message: message.ts == card)
        refuse()
        return await alice.press(shown, what)

    KINDS = ("Approve", "Details", "a slash command", "a shortcut", "a form", "a press on the Home tab")

    @pytest.mark.parametrize("what", KINDS)
    async def test_what_could_not_be_kept_is_not_acknowledged(self, what: str) -> None:
        async with SimulatedSlack(clock=FakeClock()) as sim, running_adapter(sim) as adapter:
            done = await self._do(what, adapter, OSError("the disk is full"))
            await sim.until(lambda: not adapter.accept_errors, "the refusal")
            assert await done.done() is State.FAILED

    @pytest.mark.parametrize("what", KINDS)
    async def test_what_comes_twice_has_the_same_name(self, sim: SimulatedSlack, what: str) -> None:
        async with running_adapter(sim) as adapter:
            done = await self._do(what, adapter)
            await done.acked()
            known = len(adapter.events)
            await sim.again(done)
            await sim.until(lambda: len(adapter.events) > known, "the same once more")
            first, second = adapter.events[-2:]
            assert first.event_id == second.event_id


class TestPace:
    async def test_the_progress_of_many_operations_keeps_to_what_slack_bears(self) -> None:
        clock = FakeClock()
        async with SimulatedSlack(clock=clock) as sim:

            async def wait(seconds: float) -> None:
                clock.advance(timedelta(seconds=seconds))
                await asyncio.sleep(0)

            chat = build_adapter(sim, clock=clock, sleep=wait)
            messages = [await chat.send(IMAGES, RUNNING, thread=None, key=f"{n}") for n in range(5)]
            sim.limits.enforced = True
            began = clock()
            edits = 0
            while clock() - began < timedelta(minutes=5):
                clock.advance(chat.edit_interval)
                for ts in messages:
                    edits += 1
                    card = RUNNING.model_copy(update={"title": f"step {edits}"})
                    await chat.edit(IMAGES, ts, card, thread=None, key=f"e{edits}")
            await chat.close()
            assert sim.limits.refused == 0
            assert edits > 5 * 45  # and it makes use of it


class TestFiles:
    async def test_a_message_stands_even_if_its_file_cannot_be_attached(self, sim: SimulatedSlack) -> None:
        chat = build_adapter(sim)
        sim.faults.server_error("files.getUploadURLExternal", times=9)
        ts = await chat.send(IMAGES, LONG, thread=None, key="k")
        message, told = sim.from_bot("images")
        assert message.ts == ts
        assert told.thread_ts == ts
        assert "The whole could not be attached." in told.text
        await chat.edit(IMAGES, ts, REPORT, thread=None, key="e")
        assert "promote: done" in message.all_text
        await chat.close()


class TestLog:
    async def test_no_socket_address_is_logged(self, sim: SimulatedSlack, logged: Callable[[], str]) -> None:
        async with running_adapter(sim):
            sim.sockets.refuse = 1
            before = await sim.disconnect(Reason.REFRESH_REQUESTED)
            await sim.until(lambda: sim.sockets.refuse == 0, "a refused connection")
            await sim.connected(after=before)
        assert "Failed to connect" in logged()
        assert "ticket=" not in logged()

    @pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
    async def test_what_somebody_wrote_is_not_logged_where_it_could_not_be_kept(
        self, sim: SimulatedSlack, logged: Callable[[], str], over_http: bool
    ) -> None:
        async with running_adapter(sim, over_http=over_http) as adapter:
            adapter.accept_errors.append(OSError("INSERT ... '!promote my-secret-words'"))
            said = await sim.person("alice").post("images", "!promote my-secret-words")
            await sim.until(lambda: "could not be taken in" in logged(), "the log to say so")
            assert not said.deliveries[0].acknowledged
        assert "my-secret-words" not in logged()


class TestBackOff:
    async def test_the_pauses_grow_while_no_socket_can_be_opened(self, sim: SimulatedSlack) -> None:
        sim.faults.server_error("apps.connections.open", times=5)
        async with running_adapter(sim) as adapter:
            assert len(adapter.sleeps) == 5
            assert (
                adapter.sleeps[4] > 8 > 1 >= adapter.sleeps[0]
            )  # 2**4 and 2**0 seconds, at least half of it
            await (await sim.person("alice").post("images", "hello")).deliveries[0].acked()
            assert adapter.chat.health().connected

    async def test_it_comes_back_no_sooner_than_slack_asks(self, sim: SimulatedSlack) -> None:
        sim.faults.rate_limit("auth.test", retry_after=120)
        async with running_adapter(sim) as adapter:
            assert adapter.sleeps == [120]

    async def test_a_token_revoked_meanwhile_shows_in_the_bots_health(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim) as adapter:
            fault = sim.faults.refuse("chat.postMessage", "token_revoked")
            with pytest.raises(ChatError, match="does not accept the token") as error:
                await adapter.chat.send(IMAGES, PROPOSED, thread=None, key="k")
            assert error.value.locked_out  # so what is to be said is kept
            assert not adapter.chat.health().connected
            assert "does not accept the token" in adapter.chat.health().detail
            assert fault.happened == 1
            await adapter.chat.send(IMAGES, PROPOSED, thread=None, key="k")
            assert adapter.chat.health().connected

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            ("message_limit_exceeded", "reached Slack's limit"),
            ("cannot_reply_to_message", "cannot be answered"),
            ("posting_to_channel_denied", "administrators"),
            ("restricted_action_thread_locked", "administrators"),
            ("user_disabled", "deactivated"),
        ],
    )
    async def test_a_refusal_is_told_in_words_and_with_slacks_own(
        self, sim: SimulatedSlack, error: str, told: str
    ) -> None:
        async with running_adapter(sim) as adapter:
            sim.faults.refuse("chat.postMessage", error)
            with pytest.raises(ChatError, match=told) as caught:
                await adapter.chat.send(IMAGES, PROPOSED, thread=None, key="k")
            assert f"({error})" in str(caught.value)

    async def test_an_answer_that_is_not_slacks_is_waited_out(self, sim: SimulatedSlack) -> None:
        async with _proxy("blocked") as address:
            chat = build_adapter(sim, endpoint=address)
            with pytest.raises(ChatError, match="no sound answer") as caught:
                await chat.send(IMAGES, PROPOSED, thread=None, key="k")
            assert caught.value.passing
            await chat.close()


class TestHttp:
    async def test_whatever_is_not_signed_is_refused(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, over_http=True) as adapter, aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{adapter.chat.port}/slack/events"
            for body, headers, status in (
                (b"{}", {}, 401),
                (b"x" * 2 * 1024 * 1024, {}, 413),
                (b"not gzip", {"Content-Encoding": "gzip"}, 401),
                (b"{}", {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=\u00e9"}, 401),
            ):
                async with session.post(url, data=body, headers=headers) as answer:
                    assert (answer.status, await answer.text()) == (status, "")


class TestHome:
    @pytest.mark.parametrize("error", ["invalid_arguments", "view_too_large"])
    async def test_a_tab_whose_blocks_slack_refuses_is_shown_in_words(
        self, sim: SimulatedSlack, error: str
    ) -> None:
        async with running_adapter(sim) as adapter:
            adapter.home_cards.append(PROPOSED)
            fault = sim.faults.refuse("views.publish", error)
            fault.more = {"response_metadata": {"messages": ["[ERROR] failed to match [json-pointer:/view]"]}}
            alice = sim.person("alice")
            await alice.open_home()
            tab = await alice.home_tab()
            assert "op-7k3f promote: waits" in str(tab.body)
            assert {block["type"] for block in tab.blocks} == {"section"}

    async def test_a_slow_look_does_not_replace_a_newer_one(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim) as adapter:
            alice = sim.person("alice")
            slow = sim.faults.slow("views.publish")
            await alice.open_home()
            await sim.faults.struck(slow)
            adapter.home_cards.append(Card(title="Something new"))
            await alice.open_home()
            slow.release()
            await alice.home_tab(lambda view: "Something new" in str(view.body))
            await sim.settled()
            assert len(sim.calls("views.publish")) == 2
            assert alice.home is not None
            assert "Something new" in str(alice.home.body)


class TestShortcuts:
    async def test_an_id_is_found_wherever_it_stands_in_a_message(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim) as adapter:
            alice = sim.person("alice")
            named = await alice.post("images", "it is\nop-7k3f\nand\nami-0123456789abcdef0")
            await (await alice.message_shortcut(SHOW_OPERATION_SHORTCUT, named)).acked()
            assert adapter.lines[-1] == "op op-7k3f"
            await (await alice.message_shortcut(LAUNCH_FROM_MESSAGE, named)).acked()
            await sim.called("views.update")
            assert "ami-0123456789abcdef0" in str((await alice.modal(LAUNCH)).body)


@asynccontextmanager
async def _proxy(text: str) -> AsyncIterator[str]:
    """Something between the bot and Slack that answers by itself."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=text)

    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    finally:
        await runner.cleanup()
