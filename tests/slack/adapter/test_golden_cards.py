"""What the bot says, card by card, as Slack shows it: one golden file each, under ``cards/said``.

A scenario on simulated clouds makes every kind of card; ids, digests and addresses, which differ from run to run,
are numbered. ``SLIPWAY_UPDATE_GOLDEN=1 pytest tests/slack/adapter/test_golden_cards.py`` writes the files anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.rendering.modals import home_view
from slipway.bot.operations.model import OperationState
from tests.slack.adapter.story import safeguards
from tests.slack.adapter.story.images import (
    cleanups,
    crowd,
    failures,
    foreign_changes,
    looks,
    other_ends,
    promotion,
    reaching,
    slips,
)
from tests.slack.adapter.story.scenario import CHANGES, HOME, Scenario
from tests.slack.adapter.story.work import day_and_month, freezes, machines, overviews, problems, ticks, week
from tests.slack.golden import Golden, pretty, sent
from tests.slack.harness import no_wait
from tests.slack.simulator.block_kit.blocks import Surface, check_blocks, check_view, too_long, view_too_large
from tests.support.aws import simulated_aws
from tests.support.harness import running_bot
from tests.support.memory_chat import MemoryChat

pytestmark = pytest.mark.xdist_group("golden-cards")  # the scenario is run once

GOLDEN = Golden(Path(__file__).parents[1] / "cards" / "said")

PARTS = (
    looks,
    slips,
    promotion,
    other_ends,
    failures,
    cleanups,
    machines,
    ticks,
    week,
    crowd,
    overviews,
    problems,
    day_and_month,
    foreign_changes,
    reaching,
    freezes,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The whole story, told, with the names in its cards made steady."""
    state, other = tmp_path_factory.mktemp("state"), tmp_path_factory.mktemp("safeguards")
    for name, token in (("bot-token", "xoxb-made-up"), ("app-token", "xapp-made-up")):
        for folder in (state, other):
            (folder / name).write_text(token)
            (folder / name).chmod(0o600)
    with capture_logs():  # of what fails on purpose, tracebacks take seconds to print
        async with (
            simulated_aws() as aws,
            running_bot(state, aws=aws, chat=MemoryChat(SLACK), changes=CHANGES, sleep=no_wait) as bot,
        ):
            scenario = Scenario(bot, aws)
            for part in PARTS:
                await part(scenario)
            await scenario.note_names()
        guarded = await safeguards.story(other, tmp_path_factory.mktemp("secrets"))
    scenario.cards = scenario.steady() | guarded.steady()
    return scenario


def _in_slack(name: str, cards: tuple[Card, ...]) -> dict[str, Any]:
    return home_view(cards) if name.startswith(HOME) else sent(*cards)


def test_each_card_looks_as_agreed(scenario: Scenario, subtests: pytest.Subtests) -> None:
    for name, cards in scenario.cards.items():
        with subtests.test(name):
            found = pretty(_in_slack(name, cards))
            assert found == GOLDEN.agreed(name, found)


def test_slack_takes_each_card(scenario: Scenario, subtests: pytest.Subtests) -> None:
    for name, cards in scenario.cards.items():
        with subtests.test(name):
            shown = _in_slack(name, cards)
            if name.startswith(HOME):
                assert (check_view(shown, Surface.HOME), view_too_large(shown)) == ([], False)
            else:
                blocks = shown["blocks"]
                assert (check_blocks(blocks, Surface.MESSAGE), too_long(blocks)) == ([], False)


def test_the_golden_files_are_those_of_the_story(scenario: Scenario) -> None:
    assert GOLDEN.names(scenario.cards) == set(scenario.cards)


def test_the_story_has_every_state_and_every_tone(scenario: Scenario) -> None:
    assert scenario.states == set(OperationState) - {OperationState.UNKNOWN}  # which another Slipway stored
    assert {card.tone for cards in scenario.cards.values() for card in cards} == set(Tone)
