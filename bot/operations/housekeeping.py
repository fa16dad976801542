"""What time alone does to operations: proposals expire; approved ones that nobody carries on are carried on."""

from __future__ import annotations

from slipway.bot.model import Json
from slipway.bot.operations.deciding import Deciding
from slipway.bot.operations.durable import Durable, Payload
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.records import Records
from slipway.bot.operations.running import Running
from slipway.bot.times import Clock

WORKFLOW = "expire"


class Housekeeping:
    """Looks after operations once a minute."""

    def __init__(
        self, *, records: Records, deciding: Deciding, running: Running, durable: Durable, clock: Clock
    ) -> None:
        self._records = records
        self._deciding = deciding
        self._running = running
        self._durable = durable
        self._clock = clock
        durable.register(WORKFLOW, self._expire)

    async def sweep(self) -> None:
        """Expire what is over its time, start what is approved but was never begun, end what broke off."""
        now = self._clock()
        for operation in await self._records.open_ones():
            if operation.state is not OperationState.PROPOSED:
                await self._running.mend(operation.id)
                if operation.state is OperationState.APPROVED:
                    await self._running.start(operation.id)
            elif now >= operation.expires_at:
                payload: Payload = {"operation": operation.id}
                await self._durable.start(WORKFLOW, f"{WORKFLOW}:{operation.id}", payload)

    async def _expire(self, payload: Payload) -> None:
        operation_id = str(payload["operation"])

        async def expire() -> Json:
            return await self._deciding.expire(operation_id)

        async def show() -> Json:
            await self._running.show(operation_id)
            return None

        await self._durable.step("expire", expire)
        await self._durable.step("show", show)
