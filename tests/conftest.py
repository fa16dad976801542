"""Fixtures that every test may use, and how tests are shared out among workers."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

from tests.support.compiled_sql import share_compiled_sql
from tests.support.examples import EXAMPLES
from tests.support.processes.postgres import postgres, where
from tests.support.processes.program import forget_the_environment
from tests.support.processes.synapse import synapse

__all__ = ["postgres", "synapse", "where"]

# A property holds however long a busy machine takes to find it out.
settings.register_profile(
    "slipway",
    settings.default,
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("slipway"), max_examples=20 * EXAMPLES)
settings.load_profile("slipway")


# Tracebacks of what fails on purpose, as Slipway logs them: with every local variable, one takes seconds to print.
for processor in structlog.get_config()["processors"]:
    if isinstance(processor, ConsoleRenderer):
        processor.exception_formatter = plain_traceback


MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory, on Linux
MEMORY_NEEDED = 4 * 2**30

# Databases write each transaction through to the disk, which would be most of what many tests wait for. None of them
# cuts the power, so pytest's folder for temporary files stands in memory, where the system has enough of it.
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


_YOUNG = 10_000
"""As the program does (``bot/garbage.py``), with less: a bot that is over is a circle of objects."""


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: no look for circles of objects is to walk over it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])


share_compiled_sql()

# Before any test, and in each worker: how wide a terminal is, which locale or proxy, whose credentials.
forget_the_environment()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow tests, and keep those of a file on one worker: what they share, such as a bot or a cloud, is
    made once."""
    _leave_out_the_slow(config, items)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def _leave_out_the_slow(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``-m`` says which tests run, and a test that is named by its id runs; else the slow ones are left out."""
    if config.option.markexpr or config.getoption("--exhaustive", default=False):
        return
    named = [arg.partition("::") for arg in config.args if "::" in arg]
    left_out = [
        item
        for item in items
        if item.get_closest_marker("slow")
        and not any(
            Path(path).name == item.path.name and item.nodeid.partition("::")[2].startswith(name)
            for path, _, name in named
        )
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
