"""Tries every right that a configuration takes at AWS, for `slipway doctor`: nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.tags import PROTECTED_TAG
from slipway.bot.clouds.aws.responses import Response
from slipway.bot.clouds.aws.rights.policy import wanted_actions
from slipway.bot.clouds.aws.rights.trials import Samples, Trial, trial
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG
from slipway.bot.clouds.rights import Usage
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.probes import Check, Verdict

_WOULD_SUCCEED = "DryRunOperation"
_BLIND = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.TIMED_OUT, CloudErrorKind.THROTTLED})
_AT_ONCE = 4
"""So many are tried at a time: EC2 counts describing calls of an account together."""

ADD = "give the credentials what `slipway permissions aws` prints"


class RightsTrial:
    """Tries the rights of one account in its first region.

    Args:
        account: the account's clients.
        usage: what is done with it.
    """

    def __init__(self, account: AwsAccount, usage: Usage) -> None:
        self._account = account
        self._region = account.settings.region
        self._usage = usage
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def rights(self) -> Check:
        """What came of each, by its action."""
        samples = await self._samples()
        actions = sorted(wanted_actions(self._usage))
        parts = await asyncio.gather(*(self._right(action, samples) for action in actions))
        return Check("rights", says=f"tried in {self._region}", parts=tuple(parts))

    async def _right(self, action: str, samples: Samples) -> Check:
        how = trial(action, samples, self._usage)
        if isinstance(how, str):
            return Check(action, Verdict.UNTRIED, f"Not tried: {how}.")
        async with self._turns:
            return await self._tried(action, how)

    async def _tried(self, action: str, how: Trial) -> Check:
        dry = {"DryRun": True} if how.service == "ec2" else {}
        request = self._account.request(f"tell whether {action} is allowed")
        try:
            await self._account.calls(self._region, how.service).call(
                request, how.operation, lambda _answer: None, **{**how.parameters, **dry}
            )
        except CloudError as error:
            return self._meaning(action, error, dry=bool(dry))
        return Check(action)

    def _meaning(self, action: str, error: CloudError, *, dry: bool) -> Check:
        if error.code == _WOULD_SUCCEED:
            return Check(action)
        if error.kind is CloudErrorKind.REFUSED:
            return Check(action, Verdict.FAIL, f"{action} is not allowed ({error.code}).", ADD)
        if error.kind in _BLIND:
            return Check(action, Verdict.WARN, error.words, "try again later")
        if dry:  # EC2 may look at what is named before it looks at the right
            return Check(action, Verdict.UNTRIED, f"Not known: {error.words}")
        return Check(action)  # the service let us in, and had something to say of what was asked

    async def _samples(self) -> Samples:
        """What there is to ask about; what may not be looked for counts as not there."""
        own = [{"Name": f"tag:{DEPLOYMENT_TAG}", "Values": [self._usage.deployment]}]
        mine, launchable = await asyncio.gather(self._images(["self"]), self._images(self._owners))
        protected = [each for each in mine if _tag(each, PROTECTED_TAG) == self._usage.deployment]
        image: Mapping[str, object] = mine[0] if mine else {}
        machines = await self._found("describe_instances", "Reservations", Filters=own)
        instances = [each for group in machines for each in _entries(group, "Instances")]
        templates = await self._found("describe_launch_templates", "LaunchTemplates")
        volumes = await self._found("describe_volumes", "Volumes", Filters=own)
        interfaces = await self._found("describe_network_interfaces", "NetworkInterfaces", Filters=own)
        return Samples(
            machine=_first(instances, "InstanceId"),
            image=str(image.get("ImageId", "")),
            protected=_first(protected, "ImageId"),
            snapshot=_snapshot(image),
            launchable=_first(launchable, "ImageId"),
            template=_first(templates, "LaunchTemplateId"),
            volume=_first(volumes, "VolumeId"),
            interface=_first(interfaces, "NetworkInterfaceId"),
        )

    @property
    def _owners(self) -> list[str]:
        return list(self._account.settings.owners)

    async def _images(self, owners: list[str]) -> list[Response]:
        return await self._found("describe_images", "Images", Owners=owners)

    async def _found(self, operation: str, name: str, **parameters: object) -> list[Response]:
        request = self._account.request("look for something to ask about")
        try:
            return await self._account.calls(self._region).call(
                request, operation, lambda answer: _entries(answer, name), MaxResults=5, **parameters
            )
        except CloudError:  # which the right's own trial tells
            return []


def _entries(answer: Mapping[str, object], name: str) -> list[Response]:
    found = answer.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _first(found: list[Response], key: str) -> str:
    return str(found[0].get(key, "")) if found else ""


def _tag(image: Mapping[str, object], name: str) -> str:
    return next((str(each.get("Value")) for each in _entries(image, "Tags") if each.get("Key") == name), "")


def _snapshot(image: Mapping[str, object]) -> str:
    for device in _entries(image, "BlockDeviceMappings"):
        disk = device.get("Ebs")
        if isinstance(disk, dict) and disk.get("SnapshotId"):
            return str(disk["SnapshotId"])
    return ""
