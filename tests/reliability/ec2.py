"""EC2 in an episode: the machines of its deployment, EC2's log of what was changed, and what strangers do there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.reliability.machines import EpisodeMachines, MachineAction, MachineWrite
from tests.support.aws import boto3_client

_CHANGING = {
    "TerminateInstances": MachineAction.END,
    "StopInstances": MachineAction.STOP,
    "StartInstances": MachineAction.START,
    "DeleteVolume": MachineAction.REMOVE,
}
"""The requests that change one machine or one volume each, as the bot makes them."""


class Ec2EpisodeMachines(EpisodeMachines):
    """Machines in the EC2 that all episodes share.

    Args:
        aws: EC2; its log of requests begins anew.
        deployment: the episode's own.
    """

    def __init__(self, aws: SimulatedAws, deployment: str) -> None:
        super().__init__()
        self._aws = aws
        self._deployment = deployment
        self._forms: deque[dict[str, str]] = deque()
        self._client = boto3_client(aws.url)
        aws.forms = self._forms

    async def start(self) -> None:
        """Let somebody else have a machine beside the bot's."""
        self.bystander = await self._run({"Name": "somebody-else-s", "slipway:owner": "alice"})

    async def all(self) -> Mapping[str, Mapping[str, Any]]:
        state = await self._aws.state()
        return {
            each["id"]: each
            for each in state["instances"]
            if each["tags"].get("slipway") == self._deployment or each["id"] == self.bystander
        }

    async def terminate(self, machine: str) -> None:
        if await self._call("terminate_instances", InstanceIds=[machine]) is not None:
            self.ended_by_strangers.add(machine)

    async def orphan(self, owner: str) -> str:
        """A machine with this deployment's tags of which nothing is stored, as after a lost database; empty where
        EC2 fails."""
        now = datetime.now(UTC)
        tags = {
            "slipway": self._deployment,
            "slipway:owner": owner,
            "slipway:profile": "small",
            "slipway:until": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "slipway:cap": f"{now + timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}",
        }
        found = await self._run(tags)
        if found:
            self.made_by_strangers.add(found)
        return found

    async def volume(self) -> str:
        """A volume with this deployment's tag that belongs to no machine; empty where EC2 fails."""
        tags = [{"Key": "slipway", "Value": self._deployment}]
        answer = await self._call(
            "create_volume",
            AvailabilityZone="us-east-1a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
        )
        return str(answer["VolumeId"]) if answer else ""

    def writes(self) -> Sequence[MachineWrite]:
        return tuple(_writes(self._forms))

    async def _run(self, tags: dict[str, str]) -> str:
        images = (await self._call("describe_images", Owners=["125523088429"]) or {}).get("Images") or ()
        image = next((each["ImageId"] for each in images if each["Architecture"] == "x86_64"), None)
        if image is None:
            return ""
        specified = [
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ]
        answer = await self._call(
            "run_instances",
            ImageId=image,
            InstanceType="t3.small",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=specified,
        )
        return str(answer["Instances"][0]["InstanceId"]) if answer else ""

    async def _call(self, operation: str, **parameters: Any) -> Any:
        """What EC2 answers; None where it fails, as it does for strangers, too."""
        try:
            return await asyncio.to_thread(getattr(self._client, operation), **parameters)
        except Exception:  # noqa: BLE001 - whatever fails, nothing came of it
            return None


def _writes(forms: Sequence[dict[str, str]] | deque[dict[str, str]]) -> Iterator[MachineWrite]:
    for form in tuple(forms):
        action = _CHANGING.get(form.get("Action", ""))
        if action is not None and form.get("DryRun") != "true":
            for name, value in form.items():
                if name == "VolumeId" or name.startswith("InstanceId."):
                    yield MachineWrite(action, value)
