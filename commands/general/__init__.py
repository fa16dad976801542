"""Commands about Slipway itself."""

from slipway.bot.operations.declarations import Subject, nothing

_GENERAL: Subject[None] = Subject(name="general", title="Slipway", services=nothing)

SUBJECT = _GENERAL.with_parts(
    __name__,
    "help",
    "whoami",
    "status",
    "home",
    "problems",
    "sections",
)
