"""Commands about Slipway itself."""

from slipway.bot.operations.declarations import HomeSection, Subject, nothing
from slipway.commands.general.help import help_
from slipway.commands.general.home import schedules_section
from slipway.commands.general.status import status
from slipway.commands.general.whoami import whoami

SUBJECT: Subject[None] = Subject(
    name="general",
    title="Slipway",
    services=nothing,
    commands=(help_, whoami, status),
    home=(HomeSection(schedules_section),),
)
