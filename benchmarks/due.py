"""`promote --due` and a clean-up over a large gallery by a configuration with rules, copies, waves and holds."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Figures, aim, say, spread
from benchmarks.in_process import RecordingChat, running_bot
from benchmarks.plan import WatchedGallery, requests_of, settings_of, simulator, slow_down
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.core.steps import Request
from slipway.bot.operations.model import Plan
from slipway.bot.subjects.images.holds.model import PlacedHold
from slipway.bot.subjects.images.replication.settings import ReplicationSettings, WaveSettings
from slipway.bot.subjects.images.requests import Cleanup, Promote
from slipway.bot.subjects.images.rules.settings import PromotionSettings
from slipway.bot.subjects.images.services import ImageServices

LIMIT_OF_THE_FLOOR = 1.3
CANDIDATES = 2
"""Of each definition: the newest is too young for the rules, and the next one is due."""

_REGIONS = ("eastus", "westeurope", "southeastasia")
_HELD = 50


@dataclass
class _Measured:
    """Plans of one kind. Seconds; ``needed`` are the calls of one, each counted once."""

    needed: int = 1
    asked: int = 0
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    steps: int = 0

    def figures(self, floor: float) -> Figures:
        """As they are printed."""
        return {
            "steps": self.steps,
            "calls": self.asked,
            "calls_needed": self.needed,
            "floor_seconds": round(floor, 3),
            "seconds": spread(self.seconds),
            "processor_seconds": spread(self.processor),
            "times_the_floor": round(median(self.seconds) / floor, 3),
        }


def tables() -> Mapping[str, Any]:
    """Rules, copies and waves for every definition."""
    return {
        "promotion": {
            "*": PromotionSettings(minimum_age=timedelta(hours=36), replicated=True, not_older=True)
        },
        "replication": {
            "*": ReplicationSettings(
                regions=_REGIONS,
                replicas=1,
                waves=(WaveSettings(name="first", regions=_REGIONS[:1], bake=timedelta(days=1)),),
            )
        },
    }


async def measure(*, definitions: int, versions: int, runs: int, latency: timedelta) -> Figures:
    """Plan each, by an adapter that was used before, against answers that take so long."""
    async with simulator(definitions, versions, CANDIDATES) as azure:
        await slow_down(azure, latency)
        gallery = WatchedGallery(settings_of(azure))
        found = {"promote_due": _Measured(), "cleanup": _Measured()}
        asked: dict[str, Request] = {"promote_due": Promote(definition="*", due=True), "cleanup": Cleanup()}
        with TemporaryDirectory(prefix="slipway-bench-") as folder:
            async with running_bot(Path(folder), RecordingChat(), gallery, more=tables()) as bot:
                services = bot.dispatcher._services
                person = services.people.by_account(CONSOLE, "alice")
                assert person is not None
                await _hold(services.get(ImageServices), definitions)
                for run in range(runs + 1):
                    for name, request in asked.items():
                        say(f"due: {name.replace('_', ' ')}, {run} of {runs}")
                        before = len(await requests_of(azure)) if run == runs else 0
                        gc.collect()
                        began, spent = time.perf_counter(), time.process_time()
                        plan = await bot.dispatcher._command_runner._plans.plan(request, person)
                        if run:  # the first one loads the SDK
                            found[name].seconds.append(time.perf_counter() - began)
                            found[name].processor.append(time.process_time() - spent)
                        assert isinstance(plan, Plan), plan
                        found[name].steps = len(plan.steps)
                        if run == runs:
                            sent = (await requests_of(azure))[before:]
                            found[name].asked = len(sent)
                            found[name].needed = len(set(sent))
        await gallery.close()
    each_takes = latency.total_seconds() / gallery.parallel_listings
    floors = {name: each.needed * each_takes for name, each in found.items()}
    return {
        "definitions": definitions,
        "versions": definitions * versions,
        "holds": _HELD,
        **{name: each.figures(floors[name]) for name, each in found.items()},
        "aims": {
            name: aim(
                median(each.seconds) / floors[name],
                LIMIT_OF_THE_FLOOR,
                "times the floor: its calls, each counted once, by 16 at once, each as long as an answer takes",
            )
            for name, each in found.items()
        },
    }


async def _hold(services: ImageServices, definitions: int) -> None:
    """Hold some definitions, as people do."""
    now = datetime.now(UTC)
    for number in range(min(_HELD, definitions)):
        await services.holds.store.place(
            PlacedHold(
                "azure", f"Fedora-Cloud-{1000 + number}-x64", "", "bob", "a bug", now, None, f"k{number}"
            )
        )
