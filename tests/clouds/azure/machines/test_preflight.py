"""What is known of a launch on Azure before it: rights, sizes, quotas, and who reaches port 22."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.azure.machines.firewall import ssh_access
from slipway.bot.clouds.machine_model import Permission, QuotaUse
from slipway.bot.clouds.simulated.azure.machines.seed import (
    SeedMachines,
    SeedNetwork,
    SeedRule,
    SeedSecurityGroup,
    security_group_document,
)
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import DESCRIBED, azure_machines, launch_spec
from tests.support.clock import NOW


def group(*rules: SeedRule) -> dict[str, Any]:
    """A security group as its document."""
    return security_group_document(SeedSecurityGroup("g", "eastus", rules), "/base")


def machines_seed(**more: Any) -> Any:
    """Fedora's gallery, with other surroundings for machines."""
    return replace(fedora_gallery(NOW), machines=SeedMachines(**more))


@pytest.mark.parametrize(
    ("groups", "public", "sources"),
    [
        ([group(SeedRule("ssh", ("203.0.113.0/24",)))], True, ("203.0.113.0/24",)),
        ([group(SeedRule("any", ("*",), ("*",), protocol="*"))], True, ("*",)),
        ([group(SeedRule("range", ("Internet",), ("20-30",)))], True, ("Internet",)),
        ([group(SeedRule("list", ("*",), ("80", "22")))], True, ("*",)),
        ([group(SeedRule("web", ("*",), ("80", "443")))], True, ()),
        ([group(SeedRule("udp", ("*",), protocol="Udp"))], True, ()),
        ([group()], True, ()),
        ([group()], False, ("VirtualNetwork",)),
        ([], True, ()),
        ([], False, ("VirtualNetwork",)),
        ([group(SeedRule("vpn", ("VirtualNetwork",)))], True, ("VirtualNetwork",)),
        # An earlier rule that keeps everybody out decides.
        (
            [
                group(
                    SeedRule("late", ("*",), priority=300), SeedRule("no", ("*",), allows=False, priority=200)
                )
            ],
            True,
            (),
        ),
        # One that keeps some out takes these from a later one.
        (
            [
                group(
                    SeedRule("no", ("198.51.100.0/24",), allows=False, priority=100),
                    SeedRule("yes", ("198.51.100.7", "203.0.113.9"), priority=200),
                )
            ],
            True,
            ("203.0.113.9",),
        ),
        # One that keeps the internet out leaves the network around.
        ([group(SeedRule("no", ("Internet",), allows=False))], False, ("VirtualNetwork",)),
        (
            [group(SeedRule("no", ("Internet",), allows=False), SeedRule("all", ("*",), priority=200))],
            False,
            ("VirtualNetwork",),
        ),
        (
            [
                group(
                    SeedRule("no", ("Internet",), allows=False),
                    SeedRule("some", ("10.1.0.0/16", "203.0.113.9"), priority=200),
                )
            ],
            True,
            ("10.1.0.0/16",),
        ),
        # Both groups have to let it in.
        (
            [group(SeedRule("open", ("*",))), group(SeedRule("some", ("203.0.113.0/24", "10.0.0.0/8")))],
            True,
            ("203.0.113.0/24", "10.0.0.0/8"),
        ),
        (
            [
                group(SeedRule("wide", ("10.0.0.0/8",))),
                group(SeedRule("narrow", ("10.1.0.0/16", "192.0.2.1"))),
            ],
            True,
            ("10.1.0.0/16",),
        ),
    ],
)
def test_who_reaches_port_22_is_what_all_groups_let_in(
    groups: list[dict[str, Any]], public: bool, sources: tuple[str, ...]
) -> None:
    found = ssh_access(groups, public_address=public)
    assert found.sources == sources
    assert found.closed is (not sources)
    assert found.public_address is public


RULES = st.builds(
    SeedRule,
    name=st.just("r"),
    sources=st.lists(
        st.sampled_from(["*", "Internet", "10.0.0.0/8", "10.1.2.3", "VirtualNetwork"]), min_size=1, max_size=3
    ).map(tuple),
    ports=st.sampled_from([("22",), ("1-100",), ("80",), ("*",)]),
    allows=st.booleans(),
    priority=st.integers(100, 4096),
)


@given(st.lists(RULES, max_size=5), st.lists(RULES, max_size=5))
def test_a_second_group_never_opens_what_the_first_one_closes(
    first: list[SeedRule], second: list[SeedRule]
) -> None:
    alone = ssh_access([group(*first)], public_address=True)
    both = ssh_access([group(*first), group(*second)], public_address=True)
    if alone.closed:
        assert set(both.sources) <= {"VirtualNetwork"}, "which every group lets in by default"
    if not alone.open_to_world:
        assert not both.open_to_world


async def test_a_launch_that_may_be_made_tells_its_quotas_and_ranges() -> None:
    async with azure_machines() as here:
        found = await here.machines.preflight(launch_spec(count=2))
        assert (found.permission, found.why) == (Permission.GRANTED, "")
        assert found.ssh is not None
        assert found.ssh.sources == ("203.0.113.0/24", "198.51.100.7")
        assert found.quotas == (
            QuotaUse("Total Regional vCPUs", 0, 20, 4, "vCPUs"),
            QuotaUse("standardBSFamily vCPUs", 0, 10, 4, "vCPUs"),
        )
        assert here.azure.writes == []
        await here.machines.launch(launch_spec(count=4), "token")
        used = await here.machines.preflight(launch_spec(count=2))
        assert [(each.used, each.enough) for each in used.quotas] == [(8, True), (8, False)]


async def test_rights_that_the_role_lacks_are_named() -> None:
    taken = ("Microsoft.Network/publicIPAddresses/*", "*/subnets/join/action")
    async with azure_machines(seed=machines_seed(not_actions=taken)) as here:
        found = await here.machines.preflight(launch_spec())
        assert found.permission is Permission.DENIED
        assert "Microsoft.Network/publicIPAddresses/write" in found.why
        assert "Microsoft.Network/virtualNetworks/subnets/join/action" in found.why
        assert "virtualMachines" not in found.why
    async with azure_machines(
        DESCRIBED.model_copy(update={"public_address": False}),
        seed=machines_seed(not_actions=("Microsoft.Network/publicIPAddresses/*",)),
    ) as here:
        described = DESCRIBED.model_copy(update={"public_address": False})
        assert (await here.machines.preflight(launch_spec(described))).permission is Permission.GRANTED


async def test_a_size_that_the_subscription_cannot_have_is_told_before_it_is_asked_for() -> None:
    async with azure_machines() as here:
        found = await here.machines.preflight(launch_spec(instance_type="Standard_M8ms"))
        assert found.permission is Permission.DENIED
        assert "cannot have Standard_M8ms in eastus (NotAvailableForSubscription)" in found.why
        found = await here.machines.preflight(launch_spec(instance_type="Standard_Nope"))
        assert "eastus does not have machines of the size Standard_Nope" in found.why


async def test_what_cannot_be_looked_up_is_called_unknown_and_the_rest_is_told() -> None:
    async with azure_machines() as here:
        for match in ("*/permissions", "*/networkSecurityGroups/*", "*/usages"):
            here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match=f"GET {match}", times=None))
        found = await here.machines.preflight(launch_spec())
        assert found.permission is Permission.UNKNOWN
        assert "refused" in found.why
        assert found.ssh is None
        assert "refused" in found.ssh_unknown
        assert found.quotas == ()


async def test_an_azure_that_cannot_be_reached_is_an_error() -> None:
    async with azure_machines(more={"max_attempts": 1}) as here:
        here.azure.faults.add(Fault(kind=FaultKind.DROP, match="*", times=None))
        with pytest.raises(CloudError) as failed:
            await here.machines.preflight(launch_spec())
        assert failed.value.kind is CloudErrorKind.UNREACHABLE


async def test_the_subnet_s_own_group_counts_beside_the_interface_s() -> None:
    networks = (SeedNetwork("machines-eastus", "eastus", {"default": "closed-eastus"}),)
    async with azure_machines(seed=machines_seed(networks=networks)) as here:
        found = await here.machines.preflight(launch_spec())
        assert found.ssh is not None
        assert found.ssh.closed
