"""Adding and removing keys, declared; a part of the subject of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.steps import Target
from slipway.bot.operations.declarations import WHOEVER_ASKS, OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.machines.keys.executors import ForgetKeyExecutor, StoreKeyExecutor
from slipway.bot.subjects.machines.keys.requests import AddKeys, RemoveKeys
from slipway.bot.subjects.machines.keys.steps import ForgetKey, StoreKey

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.services import MachineServices

A_KEY = "KEY"
"""Stands for a pasted key in the line that asks for it: a key itself is long, and nobody reads it."""


def _add_arguments(request: AddKeys) -> tuple[str, ...]:
    return (request.account or A_KEY,)


def _target(step: StoreKey | ForgetKey) -> tuple[str, ...]:
    return (f"ssh-key {step.person} {step.fingerprint}",)


def _touched(step: StoreKey | ForgetKey) -> tuple[str, ...]:
    """All keys of a person, since there is a limit to them."""
    return (f"ssh-keys {step.person}",)


ADD_KEYS: OperationKind[AddKeys, MachineServices] = OperationKind(
    request=AddKeys,
    planner=lambda services: services.keys.adding,
    arguments=_add_arguments,
    policy=PolicyDefaults(approvals=1, by_oneself=True),
    needs=MACHINES,
    named_by=WHOEVER_ASKS,
    names=lambda settings: (Target(person.id) for person in settings.person),
    right="sshkey.add",
)

REMOVE_KEYS: OperationKind[RemoveKeys, MachineServices] = OperationKind(
    request=RemoveKeys,
    planner=lambda services: services.keys.removing,
    arguments=lambda request: (request.what,),
    policy=PolicyDefaults(approvals=0),
    needs=MACHINES,
    named_by=WHOEVER_ASKS,
    names=lambda settings: (Target(person.id) for person in settings.person),
    right="sshkey.remove",
)

STORE_KEY: StepKind[StoreKey, MachineServices] = StepKind(
    step=StoreKey,
    executor=lambda services: StoreKeyExecutor(services.keys.stored, services.clock),
    touches=_touched,
    targets=_target,
)

FORGET_KEY: StepKind[ForgetKey, MachineServices] = StepKind(
    step=ForgetKey,
    executor=lambda services: ForgetKeyExecutor(services.keys.stored),
    touches=_touched,
    targets=_target,
)
