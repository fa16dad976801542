"""What all episodes of a run share, because it is slow to start: a Synapse, and an EC2."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.reliability.clouds import CountingFaults
from tests.support.processes.synapse import Synapse, restarting_synapse


@dataclass(frozen=True)
class World:
    """Both of them, and names of images that can be launched."""

    synapse: Synapse
    aws: SimulatedAws
    aws_faults: CountingFaults
    images: Sequence[str]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Start them, and stop them in the end."""
    seed = fedora_machines(datetime.now(UTC))
    aws, faults = SimulatedAws(seed), CountingFaults()
    aws.faults = faults
    images = sorted(each.name for each in seed.images if "-43-" in each.name)
    async with restarting_synapse(folder) as synapse, aws:
        await aws.ready()
        yield World(synapse.synapse, aws, faults, images)
