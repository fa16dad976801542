"""What tests of HTTP share."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--pictures``, a folder."""
    parser.addoption(
        "--pictures",
        type=Path,
        default=None,
        help="gets pictures of the pages, as a browser shows them",
    )
