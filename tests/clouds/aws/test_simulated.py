"""The simulated EC2 as its users meet it: plain boto3, its control API, and its own process."""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from slipway.bot.clouds.simulated.aws.process import SimulatorError
from slipway.bot.clouds.simulated.aws.seed import SeedMachines, fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.support.aws import boto3_client, call_in_thread, simulated_aws
from tests.support.clock import NOW


async def test_what_real_ec2_refuses_is_refused_and_a_token_counts() -> None:
    async with simulated_aws() as aws:
        client = boto3_client(aws.url)
        image = (await call_in_thread(client, "describe_images", Owners=["125523088429"]))["Images"][0][
            "ImageId"
        ]
        launch = {"ImageId": image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
        for change, code in [
            ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
            ({"InstanceType": "t3.tiny"}, "InvalidInstanceType"),
        ]:
            with pytest.raises(ClientError) as caught:
                await call_in_thread(client, "run_instances", **{**launch, **change, "ClientToken": "a"})
            assert caught.value.response["Error"]["Code"].startswith(code)
        first, again = await asyncio.gather(
            *(call_in_thread(client, "run_instances", ClientToken="a", **launch) for _ in range(2))
        )
        assert first["ReservationId"] == again["ReservationId"]
        with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
            await call_in_thread(
                client, "run_instances", ClientToken="a", **{**launch, "InstanceType": "t3.micro"}
            )
        assert len((await aws.state())["instances"]) == 1


async def test_the_address_is_there_at_once_and_the_first_request_waits_for_moto() -> None:
    async with SimulatedAws(fedora_machines(NOW)) as aws:
        names = await call_in_thread(boto3_client(aws.url), "describe_launch_templates")
    assert [each["LaunchTemplateName"] for each in names["LaunchTemplates"]] == [
        "slipway-arm",
        "slipway-small",
    ]


async def test_a_moto_that_cannot_start_says_why() -> None:
    async with SimulatedAws(SeedMachines(region="nowhere-at-all-1")) as aws:
        with pytest.raises(SimulatorError, match="nowhere-at-all-1"):
            await aws.ready()
        with pytest.raises(ClientError, match="Unavailable"):
            await call_in_thread(boto3_client(aws.url), "describe_images")


async def test_a_taken_port_is_said() -> None:
    async with SimulatedAws(SeedMachines()) as aws:
        port = int(aws.url.rpartition(":")[2])
        with pytest.raises(SimulatorError, match=str(port)):
            await SimulatedAws(SeedMachines(), port=port).start()


async def test_without_moto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slipway.bot.clouds.simulated.aws.process.find_spec", lambda _name: None)
    with pytest.raises(SimulatorError, match=r"slipway\[demo\]"):
        await SimulatedAws(SeedMachines()).start()


async def test_before_its_start_there_is_nothing_to_look_at() -> None:
    with pytest.raises(SimulatorError, match="not been started"):
        await SimulatedAws(SeedMachines()).state()


@asynccontextmanager
async def _own_process() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "slipway.bot.clouds.simulated.aws.simulator",
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        yield process, json.loads(line)["url"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_another_process_can_drive_it_and_its_moto_ends_with_it() -> None:
    async with _own_process() as (process, url), aiohttp.ClientSession(url) as session:
        state = await _get(session, "/_sim/state")
        assert state["instances"] == []
        client = boto3_client(url)
        async with session.post("/_sim/faults", json={"kind": "refuse", "match": "describeimages"}) as answer:
            assert await answer.json() == {"id": 1}
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            await call_in_thread(client, "describe_images")
        assert (await call_in_thread(client, "describe_images"))["Images"]
        async with session.post("/_sim/faults", json={"kind": "no such kind"}) as answer:
            assert answer.status == 400
        log = await _get(session, "/_sim/requests")
        assert [(entry["label"], entry["status"]) for entry in log] == [
            ("DescribeImages", 403),
            ("DescribeImages", 200),
        ]
        moto = os.pidfd_open(state["pid"])
        process.kill()
        ended, _, _ = await asyncio.to_thread(select.select, [moto], [], [], 30)
        os.close(moto)
        assert ended


async def test_an_interrupt_ends_it_without_a_traceback() -> None:
    async with _own_process() as (process, _url):
        process.terminate()
        async with asyncio.timeout(30):
            assert await process.wait() == 0
