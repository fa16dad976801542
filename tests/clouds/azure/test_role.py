"""The role that Slipway ships for Azure allows what the adapter asks for, and nothing else."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.machines import rights
from slipway.bot.clouds.azure.machines.adapter import AzureMachines
from slipway.bot.clouds.azure.machines.names import machine_names
from slipway.bot.clouds.machine_model import Leftover
from slipway.bot.clouds.ports.image_activity import NamesAuthors, VersionEvent
from slipway.bot.clouds.ports.image_protection import ProtectsVersions
from slipway.bot.clouds.ports.image_removal import KeepsDeletedVersions
from slipway.bot.clouds.ports.image_usage import TellsUsage
from slipway.bot.clouds.ports.image_versions import ImageVersions
from slipway.bot.clouds.ports.machines import (
    ChecksLaunches,
    FindsLeftovers,
    KnowsMachineTypes,
    Machines,
    ShowsConsole,
    StopsMachines,
    TellsActivity,
    TellsHealth,
)
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from tests.support.azure import (
    CANDIDATE_NUMBER,
    DESCRIBED,
    LATEST_NUMBER,
    OLDER_NUMBER,
    X64,
    azure_harness,
    azure_machines,
    launch_spec,
    leave_behind,
)
from tests.support.clock import NOW
from tests.support.quality import ROOT

SPEC_TEMPLATE = Path(__file__).parents[3] / "deploy" / "azure-machine-spec.json"
ROLE = Path(__file__).parents[3] / "deploy" / "azure-role.json"

LOCK_ROLE = ROLE.parent / "azure-lock-role.json"


async def _protections(gallery: AzureGallery) -> None:
    await gallery.protections([await gallery.version(X64, LATEST_NUMBER)])


CALLS: dict[str, Callable[[AzureGallery], Awaitable[object]]] = {
    "definitions": lambda gallery: gallery.definitions(),
    "versions": lambda gallery: gallery.versions(X64),
    "version": lambda gallery: gallery.version(X64, LATEST_NUMBER),
    "set_promoted": lambda gallery: gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True),
    "locks": lambda gallery: gallery.locks(),
    "usage": lambda gallery: gallery.usage(NOW),
    "protections": _protections,
    "protect_version": lambda gallery: gallery.protect_version(X64, LATEST_NUMBER),
    "lift_protection": lambda gallery: gallery.lift_protection(X64, LATEST_NUMBER),
    "delete_version": lambda gallery: gallery.delete_version(X64, OLDER_NUMBER),
    "deleted_kept_for": lambda gallery: gallery.deleted_kept_for(),
    "authors": lambda gallery: gallery.authors(
        X64, LATEST_NUMBER, VersionEvent.HIDDEN, (), (NOW - timedelta(hours=1), NOW)
    ),
    "try_log": lambda gallery: gallery.try_log(),
}
"""What the port offers, each so that the adapter has something to do."""

RESTORING: dict[str, Callable[[AzureGallery], Awaitable[object]]] = {
    "deleted_kept_for": lambda gallery: gallery.deleted_kept_for(),
    "deleted_versions": lambda gallery: gallery.deleted_versions(X64),
    "undelete_version": lambda gallery: gallery.undelete_version(X64, OLDER_NUMBER),
}
"""The same of a gallery that keeps what was deleted."""

SOFT_DELETED = "Microsoft.Compute/galleries/softDeletedArtifactTypes/artifacts/versions/read"
"""The action that a listing of deleted versions takes, by its address; Azure's list of actions does not name it."""

_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}

SCHEDULED = DESCRIBED.model_copy(update={"auto_shutdown": True})
NAME = machine_names("slipway", "token", 1)[0]
SPEC = launch_spec(SCHEDULED, ends_at=NOW + timedelta(days=1))
LEFT = [
    Leftover(f"{NAME}-nic-1", "network interface", "eastus", cloud="azure"),
    Leftover(f"{NAME}-ip-1", "public address", "eastus", cloud="azure"),
    Leftover(f"{NAME}-os", "disk", "eastus", cloud="azure"),
    Leftover(f"shutdown-computevm-{NAME}", "shutdown schedule", "eastus", cloud="azure"),
]

MACHINE_CALLS: dict[str, Callable[[AzureMachines], Awaitable[object]]] = {
    "images": lambda machines: machines.images(),
    "image": lambda machines: machines.image(SPEC.image_id),
    "template": lambda machines: machines.template("small"),
    "architectures": lambda machines: machines.architectures("Standard_B2s"),
    "template_names": lambda machines: machines.template_names(),
    "preflight": lambda machines: machines.preflight(SPEC),
    "launch": lambda machines: machines.launch(SPEC, "token"),
    "instances": lambda machines: machines.instances(),
    "instance": lambda machines: machines.instance(NAME),
    "instances_named": lambda machines: machines.instances_named([NAME]),
    "launched_with": lambda machines: machines.launched_with("token"),
    "retag": lambda machines: machines.retag(NAME, {"a": "b"}),
    "console_output": lambda machines: machines.console_output(NAME),
    "health": lambda machines: machines.health([NAME]),
    "activity": lambda machines: machines.activity([NAME], timedelta(hours=1)),
    "stop": lambda machines: machines.stop(NAME),
    "start": lambda machines: machines.start(NAME),
    "leftovers": lambda machines: machines.leftovers(),
    "terminate": lambda machines: machines.terminate(NAME),
}
"""What the ports about machines offer, in an order in which each has something to do; what is left behind besides."""


def action_of(method: str, path: str) -> str:
    """The action that Resource Manager looks for in a role: the types after the last provider, and the verb."""
    provider, *rest = path.rpartition("/providers/")[2].split("/")
    if rest[0] == "locations":
        types = ["locations", rest[2]]
    else:
        types = rest[0::2]
        if method == "POST":  # what is to be done stands where a type would
            types = [*rest[0:-1:2], rest[-1]]
    return "/".join((provider, *types, _VERBS[method]))


def test_actions_are_named_as_azure_does() -> None:
    gallery = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/G"
    operation = "/subscriptions/s/providers/Microsoft.Compute/locations/eastus/capsOperations/1"
    assert action_of("DELETE", f"{gallery}/images/i/versions/1.0.0") == (
        "Microsoft.Compute/galleries/images/versions/delete"
    )
    assert action_of("GET", operation) == "Microsoft.Compute/locations/capsOperations/read"
    locks = f"{gallery}/providers/Microsoft.Authorization/locks"
    assert action_of("GET", locks) == "Microsoft.Authorization/locks/read"


async def test_the_role_holds_exactly_the_actions_that_the_adapter_needs() -> None:
    offered = _offered(ImageVersions) | _offered(TellsUsage) | _offered(ProtectsVersions)
    offered |= _offered(KeepsDeletedVersions) | _offered(NamesAuthors)
    assert offered == CALLS.keys() | RESTORING.keys(), "each call of the ports is tried here"
    async with azure_harness(polls=2) as here:
        for call in CALLS.values():
            await call(here.gallery)
        sent = {action_of(entry.method, entry.path) for entry in here.azure.requests}
        assert {entry.status for entry in here.azure.requests} <= {200, 202}
    sent |= await _sent_about_machines()
    linked = {
        *(*rights.ON_GROUP, *rights.WITH_ADDRESS, *rights.WITH_SCHEDULE),
        *(*rights.WITH_DEPLOYMENT, *rights.ON_SPEC),
        *(*rights.ON_SUBNET, *rights.ON_SECURITY_GROUP, *rights.ON_IMAGE),
    }
    role = json.loads(ROLE.read_text())
    assert sorted(role["Actions"]) == sorted(sent | linked)
    assert role["NotActions"] == role["DataActions"] == role["NotDataActions"] == []


async def test_what_locks_take_is_a_role_of_its_own() -> None:
    async with azure_harness(more={"protection": "lock"}) as here:
        await here.gallery.protect_version(X64, LATEST_NUMBER)
        await here.gallery.lift_protection(X64, LATEST_NUMBER)
        sent = {action_of(entry.method, entry.path) for entry in here.azure.requests}
    known = set(json.loads(ROLE.read_text())["Actions"])
    assert sorted(sent - known) == sorted(json.loads(LOCK_ROLE.read_text())["Actions"])


async def test_what_bringing_versions_back_takes_besides_stands_in_the_documentation() -> None:
    async with azure_harness(conditions=Conditions(soft_delete=True)) as here:
        await here.gallery.delete_version(X64, OLDER_NUMBER)
        for call in RESTORING.values():
            await call(here.gallery)
        sent = {action_of(entry.method, entry.path) for entry in here.azure.requests}
    assert sent - set(json.loads(ROLE.read_text())["Actions"]) == {SOFT_DELETED}
    assert SOFT_DELETED in (ROOT / "docs/operating.md").read_text("utf-8")


async def _sent_about_machines() -> set[str]:
    """The actions that all calls about machines take, and the removal of what one left behind."""
    ports = (
        Machines,
        ChecksLaunches,
        FindsLeftovers,
        KnowsMachineTypes,
        ShowsConsole,
        StopsMachines,
        TellsActivity,
        TellsHealth,
    )
    offered = set().union(*(_offered(port) for port in ports))
    assert offered - {"remove_leftover"} == MACHINE_CALLS.keys(), "each call of the ports is tried here"
    async with azure_machines(SCHEDULED, polls=0) as here:
        for call in MACHINE_CALLS.values():
            await call(here.machines)
        here.azure.machines.specs.add("templates", "small", "1.0", json.loads(SPEC_TEMPLATE.read_text()))
        template = await here.machines.template("spec:templates/small")
        deployed = replace(SPEC, template_id=template.id, template_version=template.version)
        await here.machines.preflight(deployed)
        await here.machines.launch(deployed, "another token")
        for each in LEFT:
            leave_behind(here.azure, each)
            await here.machines.remove_leftover(each)
        asked = [entry for entry in here.azure.requests if not entry.path.startswith("/blobs/")]
        return {action_of(entry.method, entry.path) for entry in asked}


def _offered(port: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(port, inspect.iscoroutinefunction)} - {"close"}
