"""All commands of Slipway: the one place to add a new one to."""

from __future__ import annotations

from slipway.commands.dispatch.context import CommandResult
from slipway.commands.general.help import help_
from slipway.commands.general.status import status
from slipway.commands.general.whoami import whoami
from slipway.commands.grammar.declaration import CommandSpec, Registry, build_registry
from slipway.commands.images.cleanup import cleanup
from slipway.commands.images.images import images
from slipway.commands.images.promote import promote
from slipway.commands.images.rollback import rollback
from slipway.commands.machines.instances import instances
from slipway.commands.machines.launch import launch
from slipway.commands.machines.terminate import terminate
from slipway.commands.operations.approve import approve
from slipway.commands.operations.cancel import cancel
from slipway.commands.operations.history import history
from slipway.commands.operations.op import op
from slipway.commands.operations.pending import pending
from slipway.commands.operations.reject import reject

COMMANDS: tuple[CommandSpec[CommandResult], ...] = (
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


def registry() -> Registry[CommandResult]:
    """The commands, in the order of help."""
    return build_registry(COMMANDS)


def rights() -> frozenset[str]:
    """The names that a role of the configuration may hold rights to."""
    return frozenset(spec.name for spec in COMMANDS)
