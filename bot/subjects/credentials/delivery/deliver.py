"""Into several sinks at once: all of them, or none; where one cannot be put back, it is named."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.credentials.delivery.model import Delivery, NotDeliveredError, Prepared, Sink


async def prepare_all(sinks: Sequence[Sink], delivery: Delivery) -> list[Prepared]:
    """Prepare every sink, those last that cannot be put back.

    Raises:
        CloudError: one cannot take it; the others are as they were.
    """
    prepared: list[Prepared] = []
    try:
        for sink in sorted(sinks, key=lambda each: not each.can_undo):
            prepared.append(await sink.prepare(delivery))  # noqa: PERF401 - what was prepared is discarded below
    except BaseException:
        await discard_all(prepared)
        raise
    return prepared


async def discard_all(prepared: Sequence[Prepared]) -> None:
    """Leave nothing behind of what was prepared."""
    for each in prepared:
        await each.discard()


async def commit_all(prepared: Sequence[Prepared]) -> None:
    """Have the readers of every sink see it.

    Raises:
        NotDeliveredError: one did not take it; the others are put back, but for those that it names.
    """
    for number, each in enumerate(prepared):
        try:
            await each.commit()
        except CloudError as error:
            await discard_all(prepared[number:])
            done = [*prepared[:number], *([each] if error.doubtful else [])]
            kept = [one.title for one in reversed(done) if not await one.undo()]
            raise NotDeliveredError(error, tuple(kept)) from error
