"""Machines on EC2 in one region, by boto3."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import Ec2Request
from slipway.bot.clouds.aws.instance_types import InstanceTypes
from slipway.bot.clouds.aws.leftovers import Leftovers
from slipway.bot.clouds.aws.monitoring import Monitoring
from slipway.bot.clouds.aws.preflight import LaunchChecks
from slipway.bot.clouds.aws.responses import (
    STATES,
    Origin,
    Response,
    read_image,
    read_instance,
    read_list,
    read_name,
)
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG, TOKEN_TAG
from slipway.bot.clouds.aws.templates import read_template
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.machine_model import (
    Activity,
    Backstop,
    Health,
    Instance,
    LaunchSpec,
    Leftover,
    MachineImage,
    Preflight,
    Template,
)
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudErrorKind, UserError

_TAGGED = ("instance", "network-interface", "volume")
_ALIVE = [name for name, state in STATES.items() if not state.gone]
_TOKEN = re.compile(r"[\x21-\x7e]{1,64}", re.ASCII)
_WILDCARD = re.compile(r"[*?\\]")  # what a filter does not take as it stands
_IMAGE_ID = re.compile(r"ami-[0-9a-f]{8,17}", re.ASCII)
_TEMPLATE_ID = re.compile(r"lt-[0-9a-f]{8,17}", re.ASCII)
_INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{17}|[0-9a-f]{8})", re.ASCII)
_PAGE = 1000  # the most that EC2 gives of images and machines in one answer
_TEMPLATE_PAGE = 200  # the most that DescribeLaunchTemplates gives
_FILTER_VALUES = 200  # the most that a filter takes


class AwsMachines:
    """Fulfils :class:`slipway.bot.clouds.ports.machines.Machines`, and all that a cloud may have besides.

    Args:
        settings: of the account.
        context: the adapter's name, and the deployment's.
        page_size: images and machines in one answer, 5 to 1000.
        account: the account's clients, where others work with them, too.
    """

    def __init__(
        self,
        settings: AwsSettings,
        context: CloudContext,
        *,
        page_size: int = _PAGE,
        account: AwsAccount | None = None,
    ) -> None:
        self._take(account or AwsAccount(settings, context), settings.region, page_size)

    def _take(self, account: AwsAccount, region: str, page_size: int) -> None:
        self._account = account
        self._region = region
        self._origin = Origin(account.name, region)
        self._page_size = page_size
        self._calls = account.calls(region)
        self._types = InstanceTypes(account, region)
        self._checks = LaunchChecks(account, region, self._types)
        self._monitoring = Monitoring(account, region)
        self._leftovers = Leftovers(account, region)

    @property
    def title(self) -> str:
        """What people call it in a sentence: EC2, and of which account where it has a name."""
        return self._account.title

    @property
    def account(self) -> AwsAccount:
        """Its account, for what else is asked there."""
        return self._account

    @property
    def region(self) -> str:
        """The region all ids belong to."""
        return self._region

    @property
    def regions(self) -> tuple[str, ...]:
        """All configured regions."""
        return self._account.regions

    @property
    def backstop(self) -> Backstop:
        """A timer in the machine: one that shuts itself down is terminated, as :meth:`launch` demands of EC2."""
        return Backstop.GUEST_TIMER

    def at(self, region: str) -> Self:
        """The same account, as seen from another of its regions.

        Raises:
            UserError: the region is not configured.
        """
        if region == self._region:
            return self
        if region not in self.regions:
            raise UserError(
                f"{self.title} is configured for {' and '.join(self.regions)}, and not for {region}."
            )
        other = type(self).__new__(type(self))
        other._take(self._account, region, self._page_size)
        return other

    async def credentials_method(self) -> str:
        """How credentials were found, as botocore calls it: ``env``, ``iam-role``; ``explicit`` for the settings'.

        Raises:
            CloudError: what there is cannot be used.
        """
        return await self._calls.credentials_method(self._request("find credentials"))

    def could_be_image_id(self, text: str) -> bool:
        """Whether this looks like the id of an AMI. Source: Amazon EC2 User Guide, "Resource IDs"."""
        return _IMAGE_ID.fullmatch(text) is not None

    def could_be_instance_id(self, text: str) -> bool:
        """Whether this looks like the id of an EC2 instance: 17 hexadecimal digits, or 8 in ids from before 2016.

        Source: Amazon EC2 User Guide, "Resource IDs".
        """
        return _INSTANCE_ID.fullmatch(text) is not None

    async def images(self) -> tuple[MachineImage, ...]:
        """All images of the configured owners, deprecated ones included, in any order."""
        return tuple(await self._images(self._request("list images")))

    async def image(self, image_id: str) -> MachineImage:
        """One image by id; CloudError NOT_FOUND where there is none or its owner is not configured.

        Asks by filter rather than by id: so the owners count, and any text may stand for an id.
        """
        request = self._request(f"show the image {image_id}")
        found = await self._images(request, Filters=_filters({"image-id": [image_id]}))
        for image in found:
            if image.id == image_id:  # a filter takes * and ? for wildcards
                return image
        raise request.failed(
            CloudErrorKind.NOT_FOUND, f"the configured owners have no such image in {self.region}"
        )

    async def template(self, name: str, version: int | str | None = None) -> Template:
        """A launch template by name or id, at this version or else its default one, resolved to a number."""
        asked = f"the launch template {name}" if version is None else f"version {version} of {name}"
        request = self._request(f"show {asked}")
        found = await self._calls.call(
            request,
            "describe_launch_template_versions",
            lambda answer: [read_template(each) for each in read_list(answer, "LaunchTemplateVersions")],
            **{"LaunchTemplateId" if _TEMPLATE_ID.fullmatch(name) else "LaunchTemplateName": name},
            Versions=["$Default" if version is None else str(version)],
        )
        if not found:
            raise request.failed(CloudErrorKind.NOT_FOUND, f"there is none in {self.region}")
        template = found[0]
        if template.instance_type is None:
            return template
        kind = await self._types.get(template.instance_type)
        return replace(template, architectures=kind.architectures)

    async def template_names(self) -> tuple[str, ...]:
        """The names of all launch templates in the region, in order."""
        names = await self._calls.pages(
            self._request("list launch templates"),
            "describe_launch_templates",
            lambda page: [read_name(each) for each in read_list(page, "LaunchTemplates")],
            page_size=min(_TEMPLATE_PAGE, self._page_size),
        )
        return tuple(sorted(names))

    async def instances(self) -> tuple[Instance, ...]:
        """All machines that carry this deployment's tag and are not gone, of all regions, oldest first."""
        found = await side_by_side({region: self.at(region)._alive() for region in self.regions})
        machines = (machine for each in found.values() for machine in each)
        return tuple(sorted(machines, key=lambda machine: (machine.launched_at, machine.id)))

    async def _alive(self) -> tuple[Instance, ...]:
        return await self._tagged(self._request("list machines"), {"instance-state-name": _ALIVE})

    async def instances_named(self, ids: Sequence[str]) -> tuple[Instance, ...]:
        """Those of these ids that are in this region, carry this deployment's tag, and are not gone."""
        request = self._request("list machines")
        plain = [each for each in dict.fromkeys(ids) if not _WILDCARD.search(each)]
        found: list[Instance] = []
        for start in range(0, len(plain), _FILTER_VALUES):
            wanted = {"instance-state-name": _ALIVE, "instance-id": plain[start : start + _FILTER_VALUES]}
            found += await self._tagged(request, wanted)
        return tuple(found)

    async def instance(self, instance_id: str) -> Instance:
        """One machine by id, gone ones included for the hour or so that EC2 still shows them.

        Any machine of the account: whether it is this deployment's, its tags tell.
        """
        request = self._request(f"show the machine {instance_id}")
        found = await self._calls.call(
            request, "describe_instances", self._read_reservations, InstanceIds=[instance_id]
        )
        if not found:
            raise request.failed(CloudErrorKind.NOT_FOUND, f"there is no such machine in {self.region}")
        return found[0]

    async def launched_with(self, token: str) -> tuple[Instance, ...]:
        """The machines that the launch with this token made, gone ones included while EC2 shows them.

        Looks by the tag, and where none carries it by EC2's own record of the ClientToken, which nobody can take
        away. EC2's listings may lag some seconds behind its changes; asking for the same launch again does not.
        """
        request = self._request("list the machines of a launch")
        tagged = await self._tagged(request, {f"tag:{TOKEN_TAG}": [token]})
        found = tuple(machine for machine in tagged if machine.tags.get(TOKEN_TAG) == token)
        if found or _WILDCARD.search(token):
            return found
        return await self._filtered(request, {"client-token": [token]})

    async def launch(self, spec: LaunchSpec, token: str) -> tuple[Instance, ...]:
        """Launch machines once for one token, all or none, tagged with deployment and token.

        The token is EC2's ClientToken: the same token with the same spec gives the same machines again, for
        at least a day (EC2 User Guide, "Ensuring idempotency"); with another spec it is a CONFLICT.
        The machines terminate, rather than stop, when they are shut down from inside.

        Raises:
            ValueError: the token is not 1 to 64 visible ASCII characters.
            CloudError: nothing was launched, or it is not known; the sentence and ``doubtful`` say which.
        """
        if not _TOKEN.fullmatch(token):
            raise ValueError("a launch token is 1 to 64 visible ASCII characters")
        machines = "1 machine" if spec.count == 1 else f"{spec.count} machines"
        request = self._request(f"launch {machines} from {spec.image_id}", changes=True)
        parameters = {**self._parameters(spec, token), "ClientToken": token}
        launched = await self._calls.call(request, "run_instances", self._read_machines, **parameters)
        if len(launched) != spec.count:
            raise request.failed(
                CloudErrorKind.UNVERIFIED,
                f"{spec.count} were asked for, and its answer names {len(launched)}",
                doubtful=True,
            )
        return tuple(launched)

    async def terminate(self, instance_id: str) -> None:
        """Terminate one machine; one that is going or gone already is no error. Does not wait for its end.

        EC2 forgets a machine about an hour after its end, and it is NOT_FOUND from then on, like one that
        never was; a caller that knows it was there may take that for gone.
        """
        request = self._request(f"terminate {instance_id}", changes=True)
        named = await self._calls.call(
            request,
            "terminate_instances",
            lambda answer: [each.get("InstanceId") for each in read_list(answer, "TerminatingInstances")],
            InstanceIds=[instance_id],
        )
        if instance_id not in named:
            why = "its answer does not name the machine"
            raise request.failed(CloudErrorKind.UNEXPECTED_ANSWER, why, doubtful=True)

    async def retag(self, instance_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags of a machine, and leave its others as they are."""
        await self._calls.call(
            self._request(f"tag {instance_id}", changes=True),
            "create_tags",
            lambda _answer: None,
            Resources=[instance_id],
            Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        )

    async def close(self) -> None:
        """Let go of connections and threads; a request under way ends by itself and starts no other."""
        self._account.close()

    async def architectures(self, instance_type: str) -> tuple[str, ...]:
        """What machines of a type can run."""
        return (await self._types.get(instance_type)).architectures

    async def preflight(self, spec: LaunchSpec) -> Preflight:
        """What is known of a launch before it: by DryRun, security groups and quotas."""
        return await self._checks.preflight(spec, self._parameters(spec, "preflight"))

    async def stop(self, instance_id: str) -> None:
        """Stop one machine; one that is stopped or stopping already is no error. Does not wait."""
        await self._power("stop", instance_id, "StoppingInstances")

    async def start(self, instance_id: str) -> None:
        """Start one machine; one that runs already is no error. Does not wait."""
        await self._power("start", instance_id, "StartingInstances")

    async def _power(self, verb: str, instance_id: str, named: str) -> None:
        await self._calls.call(
            self._request(f"{verb} {instance_id}", changes=True),
            f"{verb}_instances",
            lambda answer: read_list(answer, named),
            InstanceIds=[instance_id],
        )

    async def console_output(self, instance_id: str) -> str:
        """The newest of a machine's console; empty where there is none yet."""
        return await self._monitoring.console_output(instance_id)

    async def health(self, instance_ids: Sequence[str]) -> Mapping[str, Health]:
        """What EC2's status checks say."""
        return await self._monitoring.health(instance_ids)

    async def activity(self, instance_ids: Sequence[str], during: timedelta) -> Mapping[str, Activity]:
        """What each of these did lately, by CloudWatch."""
        return await self._monitoring.activity(instance_ids, during)

    async def leftovers(self) -> tuple[Leftover, ...]:
        """Volumes and network interfaces of this deployment that belong to no machine, of all regions; not those of a
        launch of which a machine lives, for somebody may have detached them to put them back."""
        found = await side_by_side({region: self.at(region)._leftovers.find() for region in self.regions})
        living = {each.tags.get(TOKEN_TAG) for each in await self.instances()}
        return tuple(each for several in found.values() for each in several if each.token not in living)

    async def remove_leftover(self, leftover: Leftover) -> None:
        """Delete one for good; one that is gone already is no error."""
        await self.at(leftover.region)._leftovers.remove(leftover)

    def _request(self, action: str, *, changes: bool = False) -> Ec2Request:
        return self._account.request(action, changes=changes)

    async def _images(self, request: Ec2Request, **parameters: object) -> list[MachineImage]:
        return await self._calls.pages(
            request,
            "describe_images",
            lambda page: [read_image(each, self._origin) for each in read_list(page, "Images")],
            page_size=self._page_size,
            Owners=list(self._account.settings.owners),
            IncludeDeprecated=True,
            **parameters,
        )

    async def _tagged(self, request: Ec2Request, wanted: Mapping[str, list[str]]) -> tuple[Instance, ...]:
        return await self._filtered(request, {f"tag:{DEPLOYMENT_TAG}": [self._account.deployment], **wanted})

    async def _filtered(self, request: Ec2Request, wanted: Mapping[str, list[str]]) -> tuple[Instance, ...]:
        found = await self._calls.pages(
            request,
            "describe_instances",
            self._read_reservations,
            page_size=self._page_size,
            Filters=_filters(wanted),
        )
        return tuple(sorted(found, key=lambda machine: (machine.launched_at, machine.id)))

    def _read_machines(self, reservation: Response) -> list[Instance]:
        return [read_instance(each, self._origin) for each in read_list(reservation, "Instances")]

    def _read_reservations(self, answer: Response) -> list[Instance]:
        reservations = read_list(answer, "Reservations")
        return [machine for reservation in reservations for machine in self._read_machines(reservation)]

    def _parameters(self, spec: LaunchSpec, token: str) -> dict[str, Any]:
        """Of RunInstances: the same for the same launch."""
        found: dict[str, Any] = {
            "LaunchTemplate": {
                "LaunchTemplateId": spec.template_id,
                "Version": str(spec.template_version),
            },
            "ImageId": spec.image_id,
            "MinCount": spec.count,
            "MaxCount": spec.count,
            "InstanceInitiatedShutdownBehavior": "terminate",
            "TagSpecifications": self._tags(spec, token),
        }
        if spec.instance_type is not None:
            found["InstanceType"] = spec.instance_type
        if spec.user_data is not None:
            found["UserData"] = spec.user_data
        return found

    def _tags(self, spec: LaunchSpec, token: str) -> list[dict[str, object]]:
        """The same for the same launch in every order of the spec's tags, as ClientToken demands."""
        own = {DEPLOYMENT_TAG: self._account.deployment, TOKEN_TAG: token}
        tags = [{"Key": key, "Value": value} for key, value in sorted({**spec.tags, **own}.items())]
        return [{"ResourceType": kind, "Tags": tags} for kind in _TAGGED]


def _filters(wanted: Mapping[str, list[str]]) -> list[dict[str, object]]:
    return [{"Name": name, "Values": values} for name, values in wanted.items()]
