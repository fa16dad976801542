"""Commands that report, for rooms that read them on a schedule, and their subject."""

from slipway.bot.operations.declarations import Subject, nothing

_REPORTS: Subject[None] = Subject(name="reports", title="Reports", services=nothing)

SUBJECT = _REPORTS.with_parts(
    __name__,
    "digest",
    "report",
    "home",
)
