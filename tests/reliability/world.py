"""What all episodes of a run share, because it is slow to start: a Synapse, an EC2, and a PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.reliability.clouds import CountingFaults
from tests.support.processes.postgres import OwnPostgres, own_postgres
from tests.support.processes.synapse import Synapse, restarting_synapse


@dataclass(frozen=True)
class World:
    """All of them, and names of images that can be launched."""

    synapse: Synapse
    aws: SimulatedAws
    aws_faults: CountingFaults
    images: Sequence[str]
    stack: ExitStack
    servers: list[OwnPostgres] = field(default_factory=list)

    async def postgres(self) -> OwnPostgres:
        """A server that nobody else uses, started where the first episode asks for it."""
        if not self.servers:
            self.servers.append(await asyncio.to_thread(self.stack.enter_context, own_postgres()))
        return self.servers[0]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Start them, and stop them in the end."""
    seed = fedora_machines(datetime.now(UTC))
    aws, faults = SimulatedAws(seed), CountingFaults()
    aws.faults = faults
    images = sorted(each.name for each in seed.images if "-43-" in each.name)
    with ExitStack() as stack:
        async with restarting_synapse(folder) as synapse, aws:
            await aws.ready()
            yield World(synapse.synapse, aws, faults, images, stack)
