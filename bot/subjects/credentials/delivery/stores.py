"""A secret in a cloud's place for secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from slipway.bot.clouds.ports.secret_stores import SecretStore, SecretValue, StagedSecret
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.credentials.delivery.addresses import Form
from slipway.bot.subjects.credentials.delivery.model import Delivery, sink_error


@dataclass(frozen=True)
class StoreSink:
    """A secret by its name in an account. Whoever reads it gets the value before or the one after.

    Attributes:
        title: what people call it.
        store: the account's place for secrets.
        name: of the secret there.
        form: how the secret is written.
        timeout: seconds that the cloud may take for each of its parts.
    """

    title: str
    store: SecretStore
    name: str
    form: Form
    timeout: float
    can_undo: bool = True

    async def look(self) -> None:
        """Ask for it."""
        async with _in_time(self):
            await self.store.look(self.name)

    async def prepare(self, delivery: Delivery) -> PreparedStore:
        """Stage it there."""
        text = SecretStr(delivery.written(self.form).decode())
        value = SecretValue(text, delivery.key, delivery.ends_at)
        async with _in_time(self):
            staged = await self.store.stage(self.name, value)
        return PreparedStore(self, staged)


@dataclass(frozen=True)
class PreparedStore:
    """A value that is staged."""

    sink: StoreSink
    staged: StagedSecret

    @property
    def title(self) -> str:
        """What people call it."""
        return self.sink.title

    async def commit(self) -> None:
        """Have its readers get it."""
        async with _in_time(self.sink, changes=True):
            await self.staged.commit()

    async def undo(self) -> bool:
        """Have its readers get the one before again."""
        try:
            async with _in_time(self.sink):
                return await self.staged.undo()
        except CloudError:
            return False

    async def discard(self) -> None:
        """Take away what was staged. What cannot be taken away is read by nobody."""
        with suppress(CloudError):
            async with _in_time(self.sink):
                await self.staged.discard()


@asynccontextmanager
async def _in_time(sink: StoreSink, *, changes: bool = False) -> AsyncIterator[None]:
    """Within the sink's time; what a cloud refuses, as a sentence about the sink."""
    try:
        async with asyncio.timeout(sink.timeout):
            yield
    except TimeoutError:
        within = format_duration(timedelta(seconds=sink.timeout))
        raise sink_error(
            sink.title, f"it did not answer within {within}", doubtful=changes, kind=CloudErrorKind.TIMED_OUT
        ) from None
    except CloudError as error:
        why = error.sentence.rstrip(".")
        told = sink_error(sink.title, why, doubtful=changes and error.doubtful, kind=error.kind)
        told.code, told.reason, told.retry_after = error.code, error.reason, error.retry_after
        if error.remedy.when:
            told.remedy = error.remedy
        raise told from None
