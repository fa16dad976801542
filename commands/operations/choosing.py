"""Which operation somebody means who names none."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.core.errors import UserError
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.context import CommandContext

WAITING = (OperationState.PROPOSED,)
"""What can be approved or rejected."""


async def the_operation(call: CommandContext, named: str | None, states: Sequence[OperationState]) -> str:
    """The operation named, or else the only one in one of these states.

    Raises:
        UserError: none is named, and there are none or several.
    """
    if named is not None:
        return named
    waiting = await call.services.operations.in_states(states)
    if len(waiting) == 1:
        return waiting[0].id
    do = "wait for approval" if states == WAITING else "are open"
    if not waiting:
        raise UserError(f"There are no operations that {do}.", hint="history")
    ids = tuple(operation.id for operation in waiting)
    raise UserError(f"{len(ids)} operations {do}; say which.", nearest=ids[:5], hint="pending")
