"""Which operation somebody means who names none."""

from __future__ import annotations

from collections.abc import Collection

from slipway.bot.core.errors import UserError
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.context import CommandContext

WAITING = (OperationState.PROPOSED,)
"""What can be approved or rejected."""


async def the_operation(call: CommandContext, named: str | None, states: Collection[OperationState]) -> str:
    """The operation named, or else the only one in one of these states.

    Raises:
        UserError: none is named, and there are none or several.
    """
    if named is not None:
        return named
    waiting = [each.id for each in await call.services.operations.open_ones() if each.state in states]
    if len(waiting) == 1:
        return waiting[0]
    do = "wait for approval" if states == WAITING else "are open"
    if not waiting:
        raise UserError(f"There are no operations that {do}.", hint="history")
    raise UserError(f"{len(waiting)} operations {do}; say which.", nearest=tuple(waiting[:5]), hint="pending")
