"""Hundreds of deletions under the clouds' documented limits: how many are refused, and how long they take.

Time is not waited for: the adapters' pauses move the clock of the simulated cloud, so the seconds are those that they
would take there if each answer came at once. The processor's seconds are real.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

from benchmarks.figures import Figures, aim, say
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.timing import RetryTiming
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.clouds.simulated.azure.quotas import Limits
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.clouds.throttling import Patience

LIMIT_OF_THE_FLOOR = 1.1
LIMIT_REFUSED = 2
DELETIONS = 500
_START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_LATE = timedelta(seconds=100)
"""Begun so late in a window of three minutes, as nobody knows where one begins."""


class Passing:
    """Time that passes by being slept."""

    def __init__(self, began: datetime) -> None:
        self.now = self.began = began

    def __call__(self) -> datetime:
        """The present."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def seconds(self) -> float:
        """Since the beginning."""
        return (self.now - self.began).total_seconds()


@dataclass(frozen=True)
class Deleted:
    """What became of deletions. Seconds."""

    refused: int
    seconds: float
    floor_seconds: float
    processor_seconds: float

    @property
    def times_the_floor(self) -> float:
        """How long they took, to the least that is possible."""
        return self.seconds / self.floor_seconds

    def figures(self) -> Figures:
        """As they are printed."""
        told = {name: round(value, 2) for name, value in asdict(self).items()}
        return {**told, "times_the_floor": round(self.times_the_floor, 3)}


async def measure(*, aws: bool) -> Figures:
    """Delete so many versions one after the other on Azure, begun at the beginning of a window and late in one; and
    on AWS, where moto is installed."""
    found: dict[str, Deleted] = {}
    for name, began in (("at_a_window_s_beginning", _START), ("late_in_a_window", _START + _LATE)):
        say(f"deletions: {DELETIONS}, begun {name.replace('_', ' ')}")
        found[name] = await _delete(DELETIONS, began)
    first = found["at_a_window_s_beginning"]
    on_aws: Figures = {}
    if aws and find_spec("moto") is not None:
        from benchmarks import deletions_aws

        say(f"deletions: {DELETIONS} on AWS")
        amis = await deletions_aws.delete(DELETIONS)
        found["on_aws"] = amis
        on_aws = {
            "floor_on_aws": aim(
                amis.times_the_floor, LIMIT_OF_THE_FLOOR, "times the least that EC2's buckets allow"
            )
        }
    return {
        "deletions": DELETIONS,
        **{name: each.figures() for name, each in found.items()},
        "aims": {
            "refused": aim(
                max(each.refused for each in found.values()), LIMIT_REFUSED, "deletions that were refused"
            ),
            "floor": aim(
                first.times_the_floor,
                LIMIT_OF_THE_FLOOR,
                "times the least that the limits allow, begun with a window",
            ),
            **on_aws,
        },
    }


async def _delete(count: int, began: datetime) -> Deleted:
    limits, present = Limits(), Passing(began)
    azure = SimulatedAzure(
        many(1, count + 1, began),
        page_size=1000,
        polls=0,
        clock=present,
        conditions=Conditions(limits=limits),
        pause_ms=0,
    )
    await azure.start()
    settings = AzureSettings(
        subscription_id=azure.seed.subscription_id,
        resource_group=azure.seed.resource_group,
        gallery=azure.seed.gallery,
        endpoint=azure.url,
    )
    quick = timedelta(milliseconds=1)
    timing = RetryTiming(
        backoff=quick, polling=quick, patience=Patience(sleep=present.sleep), clock=present.seconds
    )
    gallery = AzureGallery(settings, CloudContext("azure", "benchmark", {}), timing=timing)
    try:
        (definition,) = await gallery.definitions()
        versions = sorted(await gallery.versions(definition.name), key=lambda each: each.number)[:count]
        processor = time.process_time()
        for version in versions:
            await gallery.delete_version(definition.name, version.number, guard=_nothing_against_it)
        processor = time.process_time() - processor
    finally:
        await gallery.close()
        await azure.stop()
    refused = sum(entry.status == 429 for entry in azure.requests)
    return Deleted(refused, present.seconds(), _floor(count, limits, began), processor)


def _nothing_against_it(_version: ImageVersion) -> None:
    """What is asked before each deletion."""


def _floor(count: int, limits: Limits, began: datetime) -> float:
    """The least seconds, for whoever knows where windows of three minutes begin and uses each whole."""
    windows = (count - 1) // limits.in_3_minutes
    into = (began - datetime(2020, 1, 1, tzinfo=UTC)).total_seconds() % 180
    return windows * 180 - into
