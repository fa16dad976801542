"""Commands about operations of every kind."""

from slipway.bot.operations.declarations import Subject, nothing

_OPERATIONS: Subject[None] = Subject(name="operations", title="Operations", services=nothing)

SUBJECT = _OPERATIONS.with_parts(
    __name__,
    "pending",
    "approve",
    "reject",
    "withdraw",
    "cancel",
    "op",
    "history",
    "home",
    "lockouts",
    "sections",
    "reach",
    "audit_sinks",
)
