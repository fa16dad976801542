"""A bot on the simulated EC2 for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.support.aws import unique_name
from tests.support.harness import BotHarness, running_bot
from tests.support.pauses import no_pauses


@pytest_asyncio.fixture(loop_scope="module")
async def bot(tmp_path: Path, aws: SimulatedAws) -> AsyncIterator[BotHarness]:
    """A bot whose deployment no other test uses."""
    changes = {"name": unique_name("slipway"), "aws": {"max_attempts": 1}}
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as running:
        yield running
