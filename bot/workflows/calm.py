"""Keeps DBOS from asking the database every second for what Slipway does not use: its own queues' settings, delayed
workflows, deadlines. An idle bot would spend most of its processor time on that.

DBOS has no settings for it, so this reaches into it; `tests/store/test_idle.py` tells where a newer DBOS is built
otherwise. What is not there any more is left as it is.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

SLOW_SECONDS = 5.0
"""How often DBOS sees whether it is to look into the queue of what is to be resumed, where nothing is known to be."""

UNASKED_SECONDS = 60.0
"""Between two looks into that queue then: whatever puts something there says so."""

_JOBS_SECONDS = 3600.0
"""Between two looks for workflows with a delay or a deadline: Slipway starts none."""


def before_launch() -> None:
    """Slow down what a launch begins."""
    commands = importlib.import_module("dbos._workflow_commands")
    if hasattr(commands, "_BACKGROUND_JOBS_INTERVAL_SEC"):
        vars(commands)["_BACKGROUND_JOBS_INTERVAL_SEC"] = _JOBS_SECONDS


class QueuePace:
    """How often DBOS looks into its own queue, by which it carries on what a former process left.

    Args:
        dbos: launched.
        monotonic: seconds that have passed.
    """

    def __init__(self, dbos: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._is_fast = True
        self._looked_at = monotonic()
        registry, database = getattr(dbos, "_registry", None), getattr(dbos, "_sys_db", None)
        self._queue = None if registry is None else registry.get_internal_queue()
        self._fast: float | None = getattr(self._queue, "_polling_interval_sec", None)
        if database is not None and hasattr(database, "list_queues"):
            database.list_queues = lambda **_: []  # those that are kept in the database: Slipway makes none
        if database is not None and hasattr(database, "list_schedules"):
            database.list_schedules = lambda **_: []  # the same of schedules
        if database is not None and hasattr(database, "dequeue_scopes"):
            scopes = database.dequeue_scopes
            database.dequeue_scopes = lambda name: scopes(name) if self._is_time_to_look() else []

    def set(self, *, fast: bool) -> None:
        """Look as often as DBOS does by itself, or slowly."""
        self._is_fast = fast
        if self._queue is not None and self._fast is not None:
            self._queue._polling_interval_sec = self._fast if fast else max(self._fast, SLOW_SECONDS)

    def _is_time_to_look(self) -> bool:
        """Asked by DBOS's thread."""
        now = self._monotonic()
        if not self._is_fast and now - self._looked_at < UNASKED_SECONDS:
            return False
        self._looked_at = now
        return True
