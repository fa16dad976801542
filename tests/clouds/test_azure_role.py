"""The role that Slipway ships for Azure allows what the adapter asks for, and nothing else."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from slipway.bot.clouds.azure.gallery import AzureGallery
from slipway.bot.clouds.ports.image_versions import ImageVersions
from tests.support.azure import CANDIDATE_NUMBER, LATEST_NUMBER, OLDER_NUMBER, X64, azure_harness

ROLE = Path(__file__).parents[2] / "deploy" / "azure-role.json"

CALLS: dict[str, Callable[[AzureGallery], Awaitable[object]]] = {
    "definitions": lambda gallery: gallery.definitions(),
    "versions": lambda gallery: gallery.versions(X64),
    "version": lambda gallery: gallery.version(X64, LATEST_NUMBER),
    "set_promoted": lambda gallery: gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True),
    "locks": lambda gallery: gallery.locks(),
    "delete_version": lambda gallery: gallery.delete_version(X64, OLDER_NUMBER),
}
"""What the port offers, each so that the adapter has something to do."""

_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def action_of(method: str, path: str) -> str:
    """The action that Resource Manager looks for in a role: the types after the last provider, and the verb."""
    provider, *rest = path.rpartition("/providers/")[2].split("/")
    types = (
        rest[0::2] if provider != "Microsoft.Compute" or rest[0] != "locations" else ["locations", rest[2]]
    )
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
    offered = {name for name, _ in inspect.getmembers(ImageVersions, inspect.iscoroutinefunction)}
    assert offered - {"close"} == CALLS.keys(), "each call of the port is tried here"
    async with azure_harness(polls=2) as here:
        for call in CALLS.values():
            await call(here.gallery)
        sent = {action_of(entry.method, entry.path) for entry in here.azure.requests}
        assert {entry.status for entry in here.azure.requests} <= {200, 202}
    role = json.loads(ROLE.read_text())
    assert sorted(role["Actions"]) == sorted(sent)
    assert role["NotActions"] == role["DataActions"] == role["NotDataActions"] == []
