"""The simulator's app where it is installed for a whole organisation of Enterprise Grid."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.slack.simulator import Delivery, SimulatedSlack
from tests.slack.simulator.seed import ALICE, EVE, IMAGES, PARTNER_TEAM, RELEASE_TEAM, SHARED, TEAM
from tests.slack.simulator.world import Json, Team, User
from tests.slack.simulator_tests.bolt_app import client_of
from tests.slack.simulator_tests.test_api import refused

ORGANISATION, SECOND, SISTER = "E0FEDORA0", "T0SECOND0", "T0SISTER0"


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as running:
        app = running.world.app
        app.organisation, app.organisation_wide = ORGANISATION, True
        app.added_to, app.sister_teams = {SECOND}, {SISTER}
        for team in (SECOND, SISTER):
            running.world.teams[team] = Team(team, team.title(), team.lower())
            running.add_person(User(f"U{team}", team.lower(), team), "shared")
        yield running


def _sent(delivery: Delivery | None) -> Json:
    assert delivery is not None
    return delivery.payload


async def test_the_token_is_the_organisations_and_its_workspaces_are_listed(sim: SimulatedSlack) -> None:
    client = client_of(sim)
    identity = await client.auth_test()
    assert identity["is_enterprise_install"] is True
    assert identity["team_id"] == identity["enterprise_id"] == ORGANISATION
    first = await client.auth_teams_list(limit=1)
    assert [team["id"] for team in first["teams"]] == [TEAM]
    rest = await client.auth_teams_list(limit=1, cursor=first["response_metadata"]["next_cursor"])
    assert [team["id"] for team in rest["teams"]] == [SECOND]
    assert rest["response_metadata"]["next_cursor"] == ""


async def test_user_groups_are_those_of_a_workspace_that_the_call_names(sim: SimulatedSlack) -> None:
    client = client_of(sim)
    unnamed = await refused(client.usergroups_users_list(usergroup=RELEASE_TEAM))
    assert unnamed["error"] == "missing_argument"
    elsewhere = await refused(client.usergroups_users_list(usergroup=RELEASE_TEAM, team_id=SECOND))
    assert elsewhere["error"] == "no_such_subteam"
    assert (await refused(client.usergroups_list(team_id=SISTER)))["error"] == "invalid_team"
    (group,) = (await client.usergroups_list(team_id=TEAM, include_count=True))["usergroups"]
    assert group["user_count"] == "2"


async def test_who_somebody_is_names_their_workspace_in_the_organisation(sim: SimulatedSlack) -> None:
    client = client_of(sim)
    found = {
        user: (await client.users_info(user=user))["user"]
        for user in (ALICE, f"U{SECOND}", f"U{SISTER}", EVE)
    }
    teams = {user: shown.get("enterprise_user", {}).get("teams") for user, shown in found.items()}
    assert teams == {ALICE: [TEAM], f"U{SECOND}": [SECOND], f"U{SISTER}": [SISTER], EVE: None}
    assert [user for user, shown in found.items() if shown.get("is_stranger")] == [f"U{SISTER}", EVE]


async def test_what_comes_in_names_the_organisation_beside_the_person(sim: SimulatedSlack) -> None:
    alice = sim.person("alice")
    message = await alice.post(IMAGES, "!status")
    event = message.deliveries[0].payload
    (authorization,) = event["authorizations"]
    assert (event["team_id"], event["enterprise_id"], event["event"]["team"]) == (TEAM, ORGANISATION, TEAM)
    assert (authorization["team_id"], authorization["enterprise_id"]) == (None, ORGANISATION)
    assert authorization["is_enterprise_install"] is True
    chosen = _sent(await alice.shortcut("launch"))
    assert (chosen["team"], chosen["user"]["team_id"], chosen["enterprise"]["id"]) == (
        None,
        TEAM,
        ORGANISATION,
    )
    assert chosen["is_enterprise_install"] is True
    typed = _sent(await alice.command("/slipway", "status", channel=IMAGES))
    assert (typed["team_id"], typed["enterprise_id"]) == (TEAM, ORGANISATION)
    assert typed["is_enterprise_install"] == "true"
    assert f"/actions/{ORGANISATION}/" in typed["response_url"]


async def test_a_view_names_the_workspace_of_whoever_sees_it(sim: SimulatedSlack) -> None:
    await client_of(sim).views_publish(user_id=f"U{SECOND}", view={"type": "home", "blocks": []})
    opened = _sent(await sim.person(SECOND.lower()).open_home())
    view = opened["event"]["view"]
    assert (view["team_id"], view["app_installed_team_id"]) == (SECOND, ORGANISATION)


async def test_another_companys_people_are_as_they_were(sim: SimulatedSlack) -> None:
    message = await sim.person("eve").post(SHARED, "!status")
    event = message.deliveries[0].payload
    assert (event["team_id"], event["event"]["team"], event["is_ext_shared_channel"]) == (
        PARTNER_TEAM,
        PARTNER_TEAM,
        True,
    )
