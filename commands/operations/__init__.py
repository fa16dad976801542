"""Commands about operations of every kind."""

from slipway.bot.operations.declarations import HomeSection, Subject, nothing
from slipway.commands.operations.approve import approve
from slipway.commands.operations.cancel import cancel
from slipway.commands.operations.history import history
from slipway.commands.operations.home import pending_section
from slipway.commands.operations.op import op
from slipway.commands.operations.pending import pending
from slipway.commands.operations.reject import reject

SUBJECT: Subject[None] = Subject(
    name="operations",
    title="Operations",
    services=nothing,
    commands=(pending, approve, reject, cancel, op, history),
    home=(HomeSection(pending_section, asks=True),),
)
