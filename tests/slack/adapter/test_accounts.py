"""Whom somebody is taken for, wherever and whether or not Slack names their workspace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from slipway.bot.chat.slack.declaration import CHAT
from slipway.bot.chat.slack.events.accounts import KEPT, Accounts
from slipway.bot.chat.slack.events.trust import TrustPolicy
from slipway.bot.chat.slack.interactions.action_values import SHOW_OPERATION_SHORTCUT
from slipway.bot.chat.slack.interactions.interaction import InteractionReader
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.web_api import BotIdentity, WebApi
from tests.slack.builders import PROPOSED
from tests.slack.harness import AdapterHarness, running_adapter
from tests.slack.simulator import Message, SimulatedSlack
from tests.slack.simulator.seed import (
    ALICE,
    BOB,
    CAROL,
    EVE,
    IMAGES,
    PARTNER_TEAM,
    RELEASE_TEAM,
    SHARED,
    TEAM,
)
from tests.slack.simulator.world import Team, User, UserGroup
from tests.support.clock import FakeClock

ORGANISATION, SISTER_TEAM = "E0FEDORA0", "T0SISTER0"


async def _card(adapter: AdapterHarness, channel: str = "images") -> Message:
    place = adapter.sim.channel(channel).id
    ts = await adapter.chat.send(place, PROPOSED, thread=None, key=f"a card in {channel}")
    return await adapter.sim.message(channel, lambda message: message.ts == ts)


def _senders(adapter: AdapterHarness) -> list[str]:
    return [event.sender for event in adapter.events]


class TestWhereNoWorkspaceIsNamed:
    async def test_one_is_known_by_all_that_one_says_and_presses(self, sim: SimulatedSlack) -> None:
        sim.core.omits_team = True
        bob = sim.person("bob")
        async with running_adapter(sim, channels=(SHARED, sim.channel("images").id)) as adapter:
            for channel in ("images", "shared"):
                card = await _card(adapter, channel)
                root = await bob.post(channel, "!status")
                await bob.post(channel, "!status", thread=root, broadcast=True)
                await bob.post(channel, "!status", with_file=True)
                await (await bob.press(card, "Approve")).acked()
                await (await bob.press(card, "Reject")).acked()
                await bob.submit(await bob.modal(), {"reason": "it does not boot"})
                await (await bob.message_shortcut(SHOW_OPERATION_SHORTCUT, card)).acked()
                await (await bob.command("/slipway", "status", channel=channel)).acked()
            await sim.settled()
            assert _senders(adapter) == [BOB] * 14, adapter.events
            await bob.open_home()
            await bob.home_tab(lambda view: f"Hello {BOB}" in str(view.body))
            assert len(sim.calls("users.info")) == 1

    async def test_somebody_of_another_company_stays_a_stranger(self, sim: SimulatedSlack) -> None:
        sim.core.omits_team = True
        eve = sim.person("eve")
        async with running_adapter(sim) as adapter:
            card = await _card(adapter, "shared")
            await eve.post("shared", "!promote x")
            await eve.post("shared", "!promote x", with_file=True)
            await (await eve.press(card, "Approve")).acked()
            await (await eve.message_shortcut(SHOW_OPERATION_SHORTCUT, card)).acked()
            await sim.settled()
            assert set(_senders(adapter)) == {f"{EVE}/{PARTNER_TEAM}"}
            assert adapter.button_events == []
            told = await eve.ephemeral()
            assert "of another workspace" in told.text
            assert not any(known in told.all_text for known in (EVE, PARTNER_TEAM, TEAM, ALICE, BOB))

    async def test_home_opened_from_a_shared_channel_is_not_believed_by_its_envelope(
        self, sim: SimulatedSlack
    ) -> None:
        opened: dict[str, object] = {"type": "app_home_opened", "user": EVE, "tab": "home"}
        async with running_adapter(sim):
            await sim.event(opened, "app_home_opened", "shared")
            await sim.person("eve").home_tab(lambda view: f"Hello {EVE}/{PARTNER_TEAM}" in str(view.body))
            await sim.event(opened | {"user": BOB}, "app_home_opened", "shared")
            await sim.person("bob").home_tab(lambda view: f"Hello {BOB}" in str(view.body))

    @pytest.mark.parametrize("trouble", ["scope", "outage", "unknown"])
    async def test_what_slack_does_not_say_is_nobody_and_is_asked_again(
        self, sim: SimulatedSlack, trouble: str
    ) -> None:
        sim.core.omits_team = True
        bob = sim.person("bob")
        async with running_adapter(sim) as adapter:
            card = await _card(adapter)
            if trouble == "scope":
                sim.lose_scope("users:read")
            elif trouble == "outage":
                sim.faults.server_error("users.info")
            else:
                sim.world.users[BOB].deleted = True
            await (await bob.press(card, "Approve")).acked()
            told = await bob.ephemeral()
            assert "did not say of which workspace you are" in told.text
            assert "slipway doctor" in told.text
            assert "T000" not in told.text
            assert adapter.events == []
            if trouble == "outage":
                await (await bob.press(card, "Approve")).acked()
                assert _senders(adapter) == [BOB]

    async def test_an_answer_is_good_for_a_while(self, sim: SimulatedSlack) -> None:
        sim.core.omits_team = True
        clock = FakeClock()
        bob = sim.person("bob")
        async with running_adapter(sim, clock=clock) as adapter:
            card = await _card(adapter)
            await (await bob.press(card, "Approve")).acked()
            sim.world.users[BOB].deleted = True
            clock.advance(KEPT - timedelta(seconds=1))
            await (await bob.press(card, "Details")).acked()
            clock.advance(timedelta(seconds=2))
            await (await bob.press(card, "Approve")).acked()
            await sim.settled()
            assert _senders(adapter) == [BOB, BOB]
            assert len(sim.calls("users.info")) == 2

    @pytest.mark.parametrize("named", [{"team": {"id": PARTNER_TEAM}}, {"view": {"team_id": PARTNER_TEAM}}])
    async def test_what_names_another_workspace_beside_them_is_no_word_for_them_and_nobody_is_asked(
        self, named: dict[str, object]
    ) -> None:
        accounts = _accounts({})
        reader = InteractionReader(accounts, FakeClock(), "")
        assert await reader.user({"user": {"id": BOB}, **named}) == (BOB, f"{BOB}/{PARTNER_TEAM}")

    async def test_somebody_whom_slack_calls_a_stranger_is_of_no_workspace_of_ours(self) -> None:
        for stranger, account in ((True, f"{EVE}/T000"), (False, EVE)):
            answer = {"user": {"id": EVE, "team_id": TEAM, "is_stranger": stranger}}
            assert await _accounts(answer).settle(f"{EVE}/T000") == account


class Answering(WebApi):
    """The Web API, which gives one answer to whatever it is asked."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(SlackSettings())
        self._answer = answer

    async def call(self, action: str, request: Any, **_: Any) -> dict[str, Any]:
        assert self._answer, f"it was asked to {action}"
        return self._answer


def _accounts(answer: dict[str, Any]) -> Accounts:
    own = frozenset({TEAM})
    identity = BotIdentity(
        team=TEAM,
        teams=own,
        enterprise="",
        organisation_wide=False,
        user="U0SLIPWAY",
        name="slipway",
        scopes=frozenset(),
    )
    return Accounts(Answering(answer), TrustPolicy(SlackSettings(), own), identity, FakeClock())


class TestGrid:
    @pytest.mark.parametrize("session", [ORGANISATION, SISTER_TEAM])
    async def test_a_colleague_is_known_whichever_part_of_the_organisation_is_named(
        self, sim: SimulatedSlack, session: str
    ) -> None:
        sim.world.app.organisation = ORGANISATION
        sim.world.users[BOB].session = session
        sister = sim.add_person(User("U0SISTER0", "sister", PARTNER_TEAM, session=session), "shared")
        async with running_adapter(sim) as adapter:
            await (await sim.person("bob").press(await _card(adapter), "Approve")).acked()
            assert _senders(adapter) == [BOB]
            await (await sister.press(await _card(adapter, "shared"), "Approve")).acked()
            assert _senders(adapter) == [BOB]  # of the organisation, and not of the app's workspace

    async def test_a_file_of_a_channel_that_workspaces_of_an_organisation_share_is_looked_up(
        self, sim: SimulatedSlack
    ) -> None:
        sim.world.app.organisation = ORGANISATION
        sim.world.app.sister_teams = {SISTER_TEAM}
        sim.world.teams[SISTER_TEAM] = Team(SISTER_TEAM, "Sister", "sister")
        sister = sim.add_person(User("U0SISTER0", "sister", SISTER_TEAM), "images")
        said: dict[str, object] = {"type": "message", "subtype": "file_share", "channel": IMAGES}
        said |= {"text": "!status", "ts": "1795176000.1"}
        async with running_adapter(sim) as adapter:
            # The envelope of such a channel names the app's workspace, and the event none.
            await sim.event(said | {"user": sister.id}, "message.channels", "images")
            await sim.event(said | {"user": BOB}, "message.channels", "images")
            await sim.settled()
            assert _senders(adapter) == [f"{sister.id}/{SISTER_TEAM}", BOB]


class TestInstalledForTheOrganisation:
    @pytest.fixture(autouse=True)
    def _organisation(self, sim: SimulatedSlack) -> None:
        sim.world.app.organisation, sim.world.app.organisation_wide = ORGANISATION, True
        sim.world.teams[SISTER_TEAM] = Team(SISTER_TEAM, "Sister", "sister")
        sim.world.app.sister_teams = {SISTER_TEAM}
        sim.add_person(User("U0SISTER0", "sister", SISTER_TEAM), "images", "shared")

    @pytest.mark.parametrize("omits_team", [False, True])
    async def test_people_of_the_workspaces_that_it_was_added_to_are_known_by_all_they_do(
        self, sim: SimulatedSlack, omits_team: bool
    ) -> None:
        sim.core.omits_team = omits_team
        sim.world.app.added_to = {SISTER_TEAM}
        sim.world.users[CAROL].team = SISTER_TEAM
        async with running_adapter(sim, channels=(SHARED, IMAGES)) as adapter:
            card = await _card(adapter)
            for name in ("bob", "carol"):
                person = sim.person(name)
                await person.post("images", "!status")
                await person.post("images", "!status", with_file=True)
                await (await person.press(card, "Approve")).acked()
                await (await person.press(card, "Reject")).acked()
                await person.submit(await person.modal(), {"reason": "it does not boot"})
                await (await person.message_shortcut(SHOW_OPERATION_SHORTCUT, card)).acked()
                await (await person.command("/slipway", "status", channel="images")).acked()
                await person.open_home()
                await person.home_tab(lambda view, who=person.id: f"Hello {who}" in str(view.body))  # type: ignore[misc]
            await sim.settled()
            assert _senders(adapter) == [BOB] * 6 + [CAROL] * 6

    async def test_others_stay_strangers(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim) as adapter:
            card = await _card(adapter, "shared")
            for name in ("eve", "sister"):
                person = sim.person(name)
                await (await person.press(card, "Approve")).acked()
                await (await person.command("/slipway", "promote x", channel="shared")).acked()
                assert "of another workspace" in (await person.ephemeral()).text
            assert set(_senders(adapter)) == {f"{EVE}/{PARTNER_TEAM}", f"U0SISTER0/{SISTER_TEAM}"}
            assert adapter.button_events == []

    async def test_a_workspace_that_it_is_added_to_later_is_known_after_a_while(
        self, sim: SimulatedSlack
    ) -> None:
        clock = FakeClock()
        sister = sim.person("sister")
        async with running_adapter(sim, clock=clock) as adapter:
            await sister.post("images", "!status")
            await sim.settled()
            sim.world.app.added_to = {SISTER_TEAM}
            clock.advance(KEPT + timedelta(seconds=1))
            await sister.post("images", "!status")
            await sim.settled()
            assert _senders(adapter) == [f"{sister.id}/{SISTER_TEAM}", sister.id]

    async def test_where_slack_does_not_say_which_they_are_only_configured_workspaces_are_believed(
        self, sim: SimulatedSlack
    ) -> None:
        bob = sim.person("bob")
        for teams, known in (((), f"{BOB}/{TEAM}"), ((TEAM,), BOB)):
            sim.faults.refuse("auth.teams.list", "access_denied", times=9)
            async with running_adapter(sim, teams=teams) as adapter:
                await bob.post("images", "!status")
                await sim.settled()
                assert _senders(adapter) == [known]
            sim.faults.clear()

    async def test_a_user_group_is_found_in_whichever_of_the_workspaces_it_is(
        self, sim: SimulatedSlack
    ) -> None:
        sim.world.app.added_to = {SISTER_TEAM}
        sim.world.groups["S0SISTERS"] = UserGroup("S0SISTERS", "sisters", ["U0SISTER0"], SISTER_TEAM)
        async with running_adapter(sim, groups=(RELEASE_TEAM, "S0SISTERS")) as adapter:
            assert adapter.group_members[-1] == {RELEASE_TEAM: {ALICE, BOB}, "S0SISTERS": {"U0SISTER0"}}


def test_nobody_can_be_configured_whose_workspace_is_unknown() -> None:
    assert CHAT.account_problem(f"{EVE}/{PARTNER_TEAM}") is None
    assert CHAT.account_problem(f"{EVE}/T000") is not None
    assert CHAT.account_problem(f"{EVE}/T0001") is None
