"""What the operator is told before the bot runs: the manifest, and what the doctor finds."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.bot.chat.slack.manifest import EVENTS, SCOPES, manifest
from slipway.bot.chat.slack.probe import probe
from slipway.bot.chat.slack.settings import SlackTransport
from slipway.bot.cli.doctor import conclusion, lines
from slipway.bot.cli.doctor import examine as examine_all
from slipway.bot.cli.main import main
from slipway.bot.core.probes import Finding
from slipway.bot.core.times import system_clock
from tests.slack.harness import slack_settings
from tests.slack.simulator import SimulatedSlack
from tests.slack.whole_bot import bot_settings
from tests.support.azure import simulated_gallery
from tests.support.configuration import DECLARED

DOCS = Path(__file__).parents[3] / "docs" / "slack.md"


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock=system_clock) as running:
        running.world.app.scopes = set(SCOPES)
        running.world.app.events = set(EVENTS)
        yield running


def test_the_manifest_is_printed_for_both_ways_in() -> None:
    socket = json.loads(CliRunner().invoke(main, ["slack", "manifest"]).output)
    assert socket["settings"]["socket_mode_enabled"] is True
    assert "http" not in json.dumps(socket)
    url = "https://bot.example.org/slack/events"
    http = json.loads(CliRunner().invoke(main, ["slack", "manifest", "--url", url]).output)
    assert http["settings"]["event_subscriptions"]["request_url"] == url
    assert http["settings"]["interactivity"]["request_url"] == url
    assert http["features"]["slash_commands"][0]["url"] == url
    made = json.loads(CliRunner().invoke(main, ["slack", "manifest", "--name", "Fedora Images"]).output)
    assert made["features"]["bot_user"]["display_name"] == "fedora-images"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--url", "http://bot.example.org/slack/events"), "https://"),
        (("--url", "https://bot.example.org/"), "/slack/events"),
        (("--name", "x" * 36), "1 to 35 characters"),
    ],
)
def test_a_manifest_that_slack_would_refuse_is_not_printed(given: tuple[str, ...], told: str) -> None:
    refused = CliRunner().invoke(main, ["slack", "manifest", *given])
    assert refused.exit_code == 2
    assert told in " ".join(refused.output.split())


def test_the_manifest_asks_for_what_the_documentation_explains() -> None:
    made = manifest("Slipway", SlackTransport.SOCKET)
    explained = set(re.findall(r"^\| `([a-z:]+)` \|", DOCS.read_text(), re.MULTILINE))
    assert made["features"]["slash_commands"][0]["should_escape"] is False
    assert set(made["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert set(made["oauth_config"]["scopes"]["bot"]) == set(SCOPES) == explained


async def test_all_is_well_with_exactly_the_manifests_scopes(sim: SimulatedSlack) -> None:
    assert await probe(slack_settings(sim)) == Finding("slack", "@slipway in T0FEDORA0, by socket")


async def test_an_app_of_an_organisation_names_its_workspaces_or_what_is_wrong(sim: SimulatedSlack) -> None:
    sim.world.app.organisation, sim.world.app.organisation_wide = "E0FEDORA0", True
    assert (await probe(slack_settings(sim))).detail == "@slipway in E0FEDORA0 (T0FEDORA0), by socket"
    sim.faults.refuse("auth.teams.list", "access_denied")
    (problem,) = (await probe(slack_settings(sim))).problems
    assert "have an administrator of the organisation add it to your workspace" in problem
    assert "`slack.teams`" in problem


async def test_a_machine_whose_clock_is_wrong_is_told_so(sim: SimulatedSlack) -> None:
    found = await probe(slack_settings(sim), lambda: system_clock() + timedelta(hours=3, minutes=1))
    (problem,) = found.problems
    assert problem.startswith("This machine's clock is 3h ahead of that of Slack")
    assert "NTP" in problem
    assert found.next == "do what the lines above say; then `slipway doctor`"


async def test_a_scope_too_much_keeps_nothing_from_working(sim: SimulatedSlack) -> None:
    sim.world.app.scopes.add("team:read")
    found = await probe(slack_settings(sim))
    assert found.well
    assert any(line.startswith("    ⚠ The app has scopes") for line in lines(found, {}))


async def test_what_is_missing_and_what_is_too_much_is_told(sim: SimulatedSlack) -> None:
    sim.lose_scope("files:write")
    sim.world.app.scopes.add("team:read")
    found = await probe(slack_settings(sim, channels=("C0LOUNGE0",), home_channel="C0IMAGES0"))
    missing, outside = found.problems
    (more,) = found.warnings
    assert "`slipway slack manifest`" in found.next
    assert "The scope `files:write` is missing" in missing
    assert "team:read" in more
    assert (
        outside == "The bot is not in the channel C0LOUNGE0 (not_in_channel): type `/invite @slipway` there."
    )


async def test_an_archived_channel_is_told_and_nothing_is_to_be_installed_for_it(sim: SimulatedSlack) -> None:
    await sim.archive("images")
    found = await probe(slack_settings(sim, channels=("C0IMAGES0",)))
    assert found.problems == ("The channel C0IMAGES0 is archived.",)
    assert found.next == "do what the lines above say; then `slipway doctor`"


@pytest.mark.parametrize(
    ("key", "told"), [("bot_token", "“OAuth & Permissions”"), ("app_token", "connections:write")]
)
async def test_a_token_that_is_not_taken_is_named_with_where_another_is(
    sim: SimulatedSlack, key: str, told: str
) -> None:
    found = await probe(slack_settings(sim, **{key: "xoxb-other" if key == "bot_token" else "xapp-other"}))
    assert found.problems == (f"Slack does not accept slack.{key} (invalid_auth).",)
    assert told in found.next


async def test_where_slack_fails_it_is_waited_for_and_where_nobody_answers_the_way_is_looked_at(
    sim: SimulatedSlack,
) -> None:
    sim.faults.server_error("auth.test")
    failed = await probe(slack_settings(sim))
    assert ("HTTP 503" in failed.problems[0], failed.next) == (
        True,
        "wait a few minutes; then `slipway doctor`",
    )
    await sim.stop()
    away = await probe(slack_settings(sim))
    assert "look whether this machine reaches 127.0.0.1:" in away.next


async def test_the_doctor_looks_at_everything_that_is_configured(sim: SimulatedSlack, tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        settings = bot_settings(tmp_path, sim, azure)
        found = await examine_all(settings, DECLARED)
        assert [(each.what, each.well) for each in found] == [("slack", True), ("azure", True)]
        assert conclusion(found) == "All connections work."
        sim.revoke()
        slack, _ = await examine_all(settings, DECLARED)
        assert not slack.well
        told = "\n".join(lines(slack, settings.secret_sources))
        assert "does not accept slack.bot_token (token_revoked)" in told
        assert "docs/slack.md" in told


async def test_a_cloud_that_is_not_there_is_trouble(sim: SimulatedSlack, tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        settings = bot_settings(tmp_path, sim, azure)
    _, found = await examine_all(settings, DECLARED)
    assert not found.well
    assert "slipway doctor" in found.next
