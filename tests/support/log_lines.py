"""What the log says, for tests."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from slipway.bot.logs import configure


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the log says, of whatever level, as JSON."""
    stream, root = io.StringIO(), logging.getLogger()
    before = root.handlers, root.level
    configure("json", level=logging.DEBUG, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before
    structlog.reset_defaults()
