"""The stages on which every test of the suite is played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from tests.conformance.console_stage import ConsoleStage
from tests.conformance.matrix_stage import MatrixStage, SecretMatrixStage
from tests.conformance.memory_stage import MemoryStage
from tests.conformance.play import Play, play
from tests.conformance.slack_stage import SlackHttpStage, SlackStage
from tests.conformance.stage import Stage
from tests.support.synapse import Synapse

STAGES = ("memory", "console", "slack", "slack-http", "matrix", "encrypted")

MakeStage = Callable[[str], Stage]


@pytest.fixture
def make_stage(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStage:
    """A stage by its name; the homeserver is only started for those that need it."""

    def make(name: str) -> Stage:
        match name:
            case "memory":
                return MemoryStage()
            case "console":
                return ConsoleStage()
            case "slack":
                return SlackStage(tmp_path)
            case "slack-http":
                return SlackHttpStage(tmp_path)
            case "matrix" | "encrypted":
                synapse: Synapse = request.getfixturevalue("synapse")
                if name == "matrix":
                    return MatrixStage(synapse, tmp_path)
                return SecretMatrixStage(synapse, tmp_path)
        raise ValueError(name)

    return make


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, make_stage: MakeStage) -> Stage:
    """Each platform in turn."""
    return make_stage(str(request.param))


@pytest.fixture
async def on_stage(stage: Stage, tmp_path: Path) -> AsyncIterator[Play]:
    """The bot on one platform; to be started by the test."""
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    async with play(tmp_path / "state", azure, stage) as found:
        yield found
