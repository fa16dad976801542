"""What the operator is told before the bot runs: the manifest, and what the doctor finds."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.chat.slack.manifest import EVENTS, SCOPES, manifest
from slipway.bot.chat.slack.probe import probe
from slipway.bot.chat.slack.settings import SlackTransport
from slipway.bot.cli.doctor import card
from slipway.bot.cli.doctor import examine as examine_all
from slipway.bot.cli.main import main
from tests.slack.harness import slack_settings
from tests.slack.simulator import SimulatedSlack
from tests.slack.whole_bot import bot_settings
from tests.support.azure import simulated_gallery
from tests.support.clock import FakeClock
from tests.support.configuration import DECLARED

DOCS = Path(__file__).parents[3] / "docs" / "slack.md"


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock=FakeClock()) as running:
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
    assert await probe(slack_settings(sim)) == ("@slipway in T0FEDORA0, by socket", ())


async def test_what_is_missing_and_what_is_too_much_is_told(sim: SimulatedSlack) -> None:
    sim.lose_scope("files:write")
    sim.world.app.scopes.add("users:read")
    _, problems = await probe(slack_settings(sim, channels=("C0LOUNGE0",), home_channel="C0IMAGES0"))
    missing, more, outside = problems
    assert "The scope `files:write` is missing" in missing
    assert "users:read" in more
    assert "/invite @slipway" in outside


async def test_on_grid_the_organisation_is_to_be_named(sim: SimulatedSlack) -> None:
    sim.world.app.organisation = "E0FEDORA0"
    _, (problem,) = await probe(slack_settings(sim))
    assert "the organisation E0FEDORA0" in problem
    assert await probe(slack_settings(sim, teams=("E0FEDORA0",))) == ("@slipway in T0FEDORA0, by socket", ())


async def test_the_doctor_looks_at_everything_that_is_configured(sim: SimulatedSlack, tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        settings = bot_settings(tmp_path, sim, azure)
        found = await examine_all(settings, DECLARED)
        assert [(each.what, each.well) for each in found] == [("slack", True), ("azure", True)]
        assert "All connections work" in render_plain(card(found))
        sim.revoke()
        slack, _ = await examine_all(settings, DECLARED)
        assert not slack.well
        told = render_plain(card((slack,)))
        assert "does not accept the token" in told
        assert "docs/slack.md" in told


async def test_a_cloud_that_is_not_there_is_trouble(sim: SimulatedSlack, tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        settings = bot_settings(tmp_path, sim, azure)
    _, found = await examine_all(settings, DECLARED)
    assert not found.well
    assert "slipway doctor" in found.next
