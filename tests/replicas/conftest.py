"""A database of its own for each test that works with replicas."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from tests.crash.conftest import clouds

__all__ = ["clouds", "parameters"]

SERVER: dict[str, Any] = {"host": "127.0.0.1", "port": 5432, "user": "postgres"}


@pytest.fixture
async def parameters() -> AsyncIterator[dict[str, Any]]:
    """How an empty database is reached."""
    name = f"slipway_replicas_{os.getpid()}"
    try:
        admin = await psycopg.AsyncConnection.connect(**SERVER, dbname="postgres", autocommit=True)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL: {error}")
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
    await admin.execute(f"CREATE DATABASE {name}".encode())
    yield {**SERVER, "dbname": name}
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
    await admin.close()
