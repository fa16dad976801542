"""All commands of Slipway: the one place to add a new one to."""

from __future__ import annotations

from commands.approve import approve
from commands.call import Reply
from commands.cancel import cancel
from commands.cleanup import cleanup
from commands.grammar import CommandSpec, Registry, build_registry
from commands.help import help_
from commands.history import history
from commands.images import images
from commands.instances import instances
from commands.launch import launch
from commands.op import op
from commands.pending import pending
from commands.promote import promote
from commands.reject import reject
from commands.rollback import rollback
from commands.status import status
from commands.terminate import terminate
from commands.whoami import whoami

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
