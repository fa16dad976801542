"""Families of AMIs on a simulated EC2."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.ami_families import Stages, shared_stages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages() -> AsyncIterator[Stages]:
    async with shared_stages() as shared:
        yield shared
