"""The first picture of a process: seconds from nothing, with the loading of matplotlib, which must not come before.

Each run is a process of its own that has the subject loaded; what matplotlib keeps of the fonts is there from the
second run on, as with a bot that was started before.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Figures, aim, say, spread

LIMIT_SECONDS = 1.0

_PROGRAM = """
import asyncio, json, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from slipway.bot.clouds.model import ImageVersion, TargetRegion, VersionNumber, VersionState
from slipway.bot.subjects.images.subject import IMAGES_SUBJECT
from slipway.bot.subjects.images.timeline.charts import Charts
from slipway.bot.subjects.images.timeline.facts import timeline_of

now = datetime(2026, 11, 20, 12, tzinfo=UTC)
regions = tuple(TargetRegion(f"region{number}") for number in range(30))
versions = [
    ImageVersion(
        "Fedora-Cloud-43-x64", VersionNumber(43, number, 0), excluded=number % 3 != 0, state=VersionState.SUCCEEDED,
        regions=regions, published_at=now - timedelta(days=40 - number), end_of_life=now + timedelta(days=number),
        cloud="azure",
    )
    for number in range(40)
]
early = "matplotlib" in sys.modules
began, processor = time.perf_counter(), time.process_time()
picture = asyncio.run(Charts(Path(sys.argv[1])).draw(timeline_of("Fedora-Cloud-43-x64", versions, now)))
print(json.dumps({
    "seconds": time.perf_counter() - began, "processor": time.process_time() - processor, "early": early,
}))
"""


async def measure() -> Figures:
    """Draw the same timeline in several processes."""
    found = []
    with TemporaryDirectory(prefix="slipway-bench-") as folder:
        for run in range(6):
            say(f"chart: process {run + 1} of 6")
            found.append(await _drawn(Path(folder)))
    first, *later = found
    seconds = [float(each["seconds"]) for each in later]
    return {
        "first_ever_seconds": round(float(first["seconds"]), 3),
        "seconds": spread(seconds),
        "processor_seconds": spread([float(each["processor"]) for each in later]),
        "matplotlib_loaded_before": any(each["early"] for each in found),
        "aims": {
            "seconds": aim(median(seconds), LIMIT_SECONDS, "seconds from nothing to the picture, median"),
            "loaded_before": aim(
                sum(bool(each["early"]) for each in found), 1, "processes that loaded it before"
            ),
        },
    }


async def _drawn(folder: Path) -> dict[str, float | bool]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, str(folder), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        told, _ = await process.communicate()
    read: dict[str, float | bool] = json.loads(told)
    return read
