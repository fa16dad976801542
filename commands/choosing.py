"""Which operation somebody means who names none."""

from __future__ import annotations

from bot.errors import Mistake
from bot.operations.model import OperationState
from commands.call import Call

_OPEN = (OperationState.PROPOSED, OperationState.APPROVED, OperationState.RUNNING)


async def the_operation(call: Call, named: str | None) -> str:
    """The operation named, or else the only one that is open.

    Raises:
        Mistake: none is named, and none or several are open.
    """
    if named is not None:
        return named
    waiting = await call.services.records.in_states(_OPEN)
    if len(waiting) == 1:
        return waiting[0].id
    if not waiting:
        raise Mistake("No operation is open.", hint="history")
    ids = tuple(operation.id for operation in waiting)
    raise Mistake(f"{len(ids)} operations are open; say which.", nearest=ids[:5], hint="pending")
