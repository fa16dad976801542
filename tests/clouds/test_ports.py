"""What stands where a cloud is not configured, and the mapping from capability and name to adapter."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from slipway.bot.clouds.capabilities import Adapter, Capability, Clouds
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, NotConfiguredImageVersions
from slipway.bot.clouds.ports.machines import MACHINES, NotConfiguredMachines
from slipway.bot.core.errors import UserError

NEEDED_BY_ALL = {"title", "close", "could_be_image_id", "could_be_instance_id"}
"""What needs no account, and so refuses nothing."""


def calls(port: type) -> list[str]:
    """Everything that a port can be asked."""
    return [name for name in vars(port) if not name.startswith("_") and name not in NEEDED_BY_ALL]


async def ask(port: object, name: str) -> None:
    """Call a method, or look at a property, with whatever arguments it takes."""
    member = inspect.getattr_static(port, name)
    if isinstance(member, property):
        getattr(port, name)
        return
    arguments: dict[str, Any] = dict.fromkeys(list(inspect.signature(getattr(port, name)).parameters))
    await getattr(port, name)(**arguments)


@pytest.mark.parametrize(
    ("capability", "name"),
    [(IMAGE_VERSIONS, each) for each in calls(NotConfiguredImageVersions)]
    + [(MACHINES, each) for each in calls(NotConfiguredMachines)],
    ids=str,
)
async def test_every_call_to_what_is_not_configured_says_so_in_one_sentence(
    capability: Capability[Any], name: str
) -> None:
    with pytest.raises(UserError, match=r"^This Slipway .* slipway\.toml has no table of a cloud that"):
        await ask(Clouds().only(capability), name)
    with pytest.raises(UserError, match=r"azure\.gone.*slipway\.toml has no \[azure\.gone\] table"):
        await ask(Clouds().get(capability, "azure.gone"), name)


async def test_what_is_not_configured_knows_no_ids_and_is_closed_without_a_word() -> None:
    machines = Clouds().only(MACHINES)
    assert not machines.could_be_image_id("ami-0123456789abcdef0")
    assert not machines.could_be_instance_id("i-0123456789abcdef0")
    await machines.close()
    await Clouds().only(IMAGE_VERSIONS).close()
    assert Clouds().get(MACHINES, "aws.eu").title == "aws.eu"


async def test_adapters_are_found_by_capability_and_name_in_the_order_of_the_configuration() -> None:
    first, second = NotConfiguredMachines("one"), NotConfiguredMachines("two")
    clouds = Clouds([Adapter("aws", {MACHINES: first}), Adapter("aws.eu", {MACHINES: second})])
    assert list(clouds.all(MACHINES)) == ["aws", "aws.eu"]
    assert clouds.only(MACHINES) is first
    assert clouds.get(MACHINES, "aws.eu") is second
    assert not clouds.all(IMAGE_VERSIONS)
    assert Adapter("aws", {MACHINES: first}).port(MACHINES) is first
