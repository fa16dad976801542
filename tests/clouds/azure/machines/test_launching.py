"""Launching machines on Azure: one launch makes them with all that is theirs, once, or leaves nothing behind."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from slipway.bot.clouds.azure.machines import names
from slipway.bot.clouds.machine_model import InstanceState, Leftover
from slipway.bot.clouds.ports.machines import (
    ChecksLaunches,
    FindsLeftovers,
    ShowsConsole,
    StopsMachines,
    TellsActivity,
    TellsHealth,
)
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from tests.support.azure import (
    DESCRIBED,
    LATEST,
    X64,
    AzureMachinesHarness,
    azure_machines,
    launch_spec,
)

TOKEN = "op-abc:launch-machines"
CREATE = "PUT */virtualMachines/vm-*"


async def test_it_can_do_all_that_a_cloud_may_do() -> None:
    async with azure_machines() as here:
        for protocol in (
            ChecksLaunches,
            StopsMachines,
            ShowsConsole,
            TellsHealth,
            TellsActivity,
            FindsLeftovers,
        ):
            assert isinstance(here.machines, protocol)


async def test_a_launch_makes_machines_with_their_own_disk_interface_and_address() -> None:
    async with azure_machines() as here:
        made = await here.machines.launch(launch_spec(count=2), TOKEN)
        assert [each.id for each in made] == here.names == list(names.machine_names("slipway", TOKEN, 2))
        assert {each.state for each in made} == {InstanceState.RUNNING}
        assert {each.image_id for each in made} == {f"{X64}/{LATEST}"}
        assert len({each.address for each in made}) == 2
        assert all(each.address.startswith("192.0.2.") for each in made)
        assert {each.tags["slipway:owner"] for each in made} == {"alice"}
        assert sorted(here.parts) == ["disks"] * 2 + ["networkInterfaces"] * 2 + ["publicIPAddresses"] * 2


async def test_what_is_sent_is_one_document_a_machine_with_keys_user_data_and_tags_everywhere() -> None:
    async with azure_machines() as here:
        (machine,) = await here.machines.launch(launch_spec(user_data=b"MIME..."), TOKEN)
        (sent,) = [each for each in here.azure.machines.sent if each["location"] == "eastus"]
        login = sent["properties"]["osProfile"]
        assert base64.b64decode(login["customData"]) == b"MIME..."
        assert login["adminUsername"] == "fedora"
        assert login["linuxConfiguration"]["ssh"]["publicKeys"] == [
            {"path": "/home/fedora/.ssh/authorized_keys", "keyData": launch_spec().keys[0]}
        ]
        (interface,) = sent["properties"]["networkProfile"]["networkInterfaceConfigurations"]
        assert interface["tags"] == dict(machine.tags)
        assert machine.tags["slipway"] == "slipway"
        assert [each.method for each in here.azure.writes] == ["PUT"]


async def test_a_launch_without_keys_has_one_that_nobody_holds_and_the_description_s_user_data() -> None:
    async with azure_machines() as here:
        await here.machines.launch(launch_spec(keys=()), TOKEN)
        (sent,) = here.azure.machines.sent
        login = sent["properties"]["osProfile"]
        (key,) = login["linuxConfiguration"]["ssh"]["publicKeys"]
        assert key["keyData"].startswith("ssh-rsa AAAA")
        assert base64.b64decode(login["customData"]).decode() == DESCRIBED.user_data


async def test_a_key_that_azure_does_not_take_is_left_to_cloud_init() -> None:
    rsa, ecdsa = "ssh-rsa AAAAB3NzaC1yc2E alice", "ecdsa-sha2-nistp256 AAAAE2VjZHNh alice"
    async with azure_machines() as here:
        await here.machines.launch(launch_spec(keys=(ecdsa, rsa), user_data=ecdsa.encode()), TOKEN)
        (sent,) = here.azure.machines.sent
        login = sent["properties"]["osProfile"]
        assert [each["keyData"] for each in login["linuxConfiguration"]["ssh"]["publicKeys"]] == [rsa]
        assert base64.b64decode(login["customData"]).decode() == ecdsa


async def test_the_same_launch_again_makes_nothing_and_finds_the_same() -> None:
    async with azure_machines() as here:
        first = await here.machines.launch(launch_spec(count=2), TOKEN)
        again = await here.machines.launch(launch_spec(count=2), TOKEN)
        assert again == first
        assert [entry.status for entry in here.azure.writes] == [201, 201, 412, 412], "only if there is none"
        assert await here.machines.launched_with(TOKEN) == first
        assert await here.machines.launched_with("another") == ()


async def test_a_launch_that_broke_off_goes_on_with_what_is_there() -> None:
    """The process died after the second of three requests, and with the first machine still being made."""
    async with azure_machines(polls=3) as here:
        hold = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match=f"{CREATE}-3"))
        broken = asyncio.create_task(here.machines.launch(launch_spec(count=3), TOKEN))
        await hold.reached.wait()
        broken.cancel()
        with pytest.raises(asyncio.CancelledError):
            await broken
        here.azure.faults.clear()
        made = await here.machines.launch(launch_spec(count=3), TOKEN)
        assert [each.state for each in made] == [InstanceState.RUNNING] * 3
        created = [each for each in here.azure.requests if each.status == 201]
        assert len(created) == 3, "each machine was made once"


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.ERROR_AFTER])
async def test_an_answer_that_is_lost_makes_no_second_machine(kind: FaultKind) -> None:
    async with azure_machines() as here:
        here.azure.faults.add(Fault(kind=kind, match=CREATE))
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        assert here.names == [machine.id]
        assert machine.state is InstanceState.RUNNING


async def test_a_launch_whose_operation_cannot_be_followed_is_followed_by_its_machine() -> None:
    """Recorded in 2017: a look at an operation may itself fail."""
    async with azure_machines(polls=3) as here:
        here.azure.faults.add(Fault(kind=FaultKind.ERROR, match="GET */operations/*", times=None))
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        assert machine.state is InstanceState.RUNNING


async def test_a_launch_that_takes_too_long_is_in_doubt_and_takes_nothing_away() -> None:
    async with azure_machines(more={"operation_timeout": timedelta(seconds=0.3)}) as here:
        here.azure.faults.add(Fault(kind=FaultKind.NEVER_END, match=f"{CREATE}-2"))
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(launch_spec(count=2), TOKEN)
        assert failed.value.kind is CloudErrorKind.TIMED_OUT
        assert failed.value.doubtful
        assert len(here.names) == 2


async def test_what_cannot_be_taken_away_again_is_named_with_the_next_command() -> None:
    async with azure_machines(polls=0) as here:
        here.azure.faults.add(
            Fault(kind=FaultKind.FAIL_HALFWAY, match=f"{CREATE}-2", code="AllocationFailed")
        )
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="DELETE *", times=None))
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(launch_spec(count=2), TOKEN)
        assert all(name in failed.value.sentence for name in here.names)
        assert failed.value.remedy.command == "instances"
        assert failed.value.kind is CloudErrorKind.CAPACITY


async def test_one_that_cannot_be_made_takes_the_others_of_its_launch_with_it() -> None:
    async with azure_machines(polls=0) as here:
        here.azure.faults.add(
            Fault(
                kind=FaultKind.FAIL_HALFWAY,
                match=f"{CREATE}-2",
                code="OverconstrainedZonalAllocationRequest",
                message="Allocation failed. We do not have sufficient capacity in this zone.",
            )
        )
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(launch_spec(count=3), TOKEN)
        assert failed.value.kind is CloudErrorKind.CAPACITY
        assert "OverconstrainedZonalAllocationRequest" in failed.value.sentence
        assert "sufficient capacity" in failed.value.reason
        assert not failed.value.doubtful
        assert (here.names, here.parts) == ([], [])


async def test_a_failure_that_is_found_after_a_restart_is_told_in_azure_s_words() -> None:
    async with azure_machines(polls=0) as here:
        here.azure.faults.add(
            Fault(
                kind=FaultKind.FAIL_HALFWAY, match=CREATE, code="AllocationFailed", message="No room today."
            )
        )
        hold = here.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET */operations/*"))
        broken = asyncio.create_task(here.machines.launch(launch_spec(), TOKEN))
        await hold.reached.wait()
        broken.cancel()
        with pytest.raises(asyncio.CancelledError):
            await broken
        here.azure.faults.clear()
        (half,) = await here.machines.launched_with(TOKEN)
        assert half.state.gone
        assert half.end is not None
        assert (half.end.kind, half.end.reason) == (CloudErrorKind.CAPACITY, "No room today.")
        assert await here.machines.instances() == ()
        (left,) = await here.machines.leftovers()
        assert left == Leftover(half.id, "half-built machine", "eastus", TOKEN, cloud="azure")
        with pytest.raises(CloudError, match="AllocationFailed"):
            await here.machines.launch(launch_spec(), TOKEN)
        assert (here.names, here.parts) == ([], [])


@pytest.mark.parametrize(
    ("size", "kind", "words"),
    [
        ("Standard_M8ms", CloudErrorKind.CAPACITY, "SkuNotAvailable"),
        ("Standard_D4s_v5", CloudErrorKind.QUOTA, "OperationNotAllowed"),
    ],
)
async def test_what_azure_has_no_room_or_no_quota_for_is_told_apart(
    size: str, kind: CloudErrorKind, words: str
) -> None:
    async with azure_machines() as here:
        with pytest.raises(CloudError, match=words) as failed:
            await here.machines.launch(launch_spec(count=3, instance_type=size), TOKEN)
        assert failed.value.kind is kind
        await _ends_empty(here)


async def test_a_deployment_s_error_is_told_as_what_it_wraps() -> None:
    async with azure_machines() as here:
        body = (
            '{"error": {"code": "InvalidTemplateDeployment", "message": "See inner errors.", "details": '
            '[{"code": "SkuNotAvailable", "message": "Try another size."}]}}'
        )
        here.azure.faults.add(Fault(kind=FaultKind.GARBAGE, match=CREATE, body=body, status=409))
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(launch_spec(), TOKEN)
        assert (failed.value.kind, failed.value.code) == (CloudErrorKind.CAPACITY, "SkuNotAvailable")
        assert failed.value.reason == "Try another size."


async def test_an_image_that_the_region_does_not_have_is_not_found() -> None:
    async with azure_machines() as here:
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(launch_spec(image_id=f"{X64}/1.0.0"), TOKEN)
        assert (failed.value.kind, failed.value.code) == (CloudErrorKind.NOT_FOUND, "GalleryImageNotFound")


async def test_a_throttled_launch_is_sent_again_after_the_pause() -> None:
    async with azure_machines() as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, match=CREATE, times=2, seconds=1))
        assert len(await here.machines.launch(launch_spec(), TOKEN)) == 1


async def test_a_machine_of_that_name_that_is_somebody_else_s_is_left_alone() -> None:
    async with azure_machines() as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        await here.machines.retag(machine.id, {names.TOKEN_TAG: "somebody's"})
        with pytest.raises(CloudError, match="somebody else's") as failed:
            await here.machines.launch(launch_spec(), TOKEN)
        assert failed.value.kind is CloudErrorKind.CONFLICT
        assert here.names == [machine.id]


async def test_a_description_that_changed_since_the_plan_launches_nothing() -> None:
    async with azure_machines() as here:
        older = replace(launch_spec(), template_version="0123456789ab")
        with pytest.raises(CloudError, match="described otherwise by now") as failed:
            await here.machines.launch(older, TOKEN)
        assert failed.value.kind is CloudErrorKind.CONFLICT
        with pytest.raises(UserError, match="described otherwise by now"):
            await here.machines.template("small", "0123456789ab")
        assert here.azure.writes == []


async def _ends_empty(here: AzureMachinesHarness) -> None:
    """Let operations that were begun come to their end, and see that nothing is there."""
    for _ in range(5):
        here.azure.machines.all_machines()
    assert here.parts == []
