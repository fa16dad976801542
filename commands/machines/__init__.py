"""Commands about machines, and the subject with them."""

from slipway.bot.subjects.machines.subject import MACHINES_SUBJECT

SUBJECT = MACHINES_SUBJECT.with_parts(
    __name__,
    "launch",
    "test",
    "profiles",
    "instances",
    "show",
    "logs",
    "extend",
    "stop",
    "handover",
    "terminate",
    "adopt",
    "sshkeys",
    "home",
    "forms",
)
