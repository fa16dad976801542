"""Figures as they are printed: summaries of samples, the machine they come from, and whether an aim is met."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

Figures = dict[str, object]
"""What one benchmark found; everything in it can be written as JSON."""

_PACKAGES = ("dbos", "sqlalchemy", "aiosqlite", "azure-mgmt-compute", "boto3", "matrix-nio")


def say(text: str) -> None:
    """Tell whoever waits how far things are, on standard error."""
    print(text, file=sys.stderr, flush=True)


def spread(samples: Sequence[float], *, digits: int = 3) -> Figures:
    """Median, 95th and 99th percentile, least and most of samples, in their own unit."""
    ordered = sorted(samples)
    return {
        "samples": len(ordered),
        "median": round(statistics.median(ordered), digits),
        "p95": round(percentile(ordered, 95), digits),
        "p99": round(percentile(ordered, 99), digits),
        "least": round(ordered[0], digits),
        "most": round(ordered[-1], digits),
    }


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile of samples that are in order: a value that was really seen."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def aim(value: float, limit: float, unit: str) -> Figures:
    """A figure that is to stay below a limit, and whether it does."""
    return {"value": round(value, 3), "limit": limit, "unit": unit, "met": value < limit}


def machine() -> Figures:
    """What the figures were taken on, and how busy it was with other things."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "load_average": [round(each, 2) for each in os.getloadavg()],
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
