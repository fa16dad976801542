"""All commands of Slipway: the one place to add a new one to."""

from __future__ import annotations

from slipway.commands.approve import approve
from slipway.commands.call import Reply
from slipway.commands.cancel import cancel
from slipway.commands.cleanup import cleanup
from slipway.commands.grammar import CommandSpec, Registry, build_registry
from slipway.commands.help import help_
from slipway.commands.history import history
from slipway.commands.images import images
from slipway.commands.instances import instances
from slipway.commands.launch import launch
from slipway.commands.op import op
from slipway.commands.pending import pending
from slipway.commands.promote import promote
from slipway.commands.reject import reject
from slipway.commands.rollback import rollback
from slipway.commands.status import status
from slipway.commands.terminate import terminate
from slipway.commands.whoami import whoami

COMMANDS: tuple[CommandSpec[Reply], ...] = (
    images,
    promote,
    rollback,
    cleanup,
    launch,
    instances,
    terminate,
    pending,
    approve,
    reject,
    cancel,
    op,
    history,
    help_,
    whoami,
    status,
)


def registry() -> Registry[Reply]:
    """The commands, in the order of help."""
    return build_registry(COMMANDS)


def rights() -> frozenset[str]:
    """The names that a role of the configuration may hold rights to."""
    return frozenset(spec.name for spec in COMMANDS)
