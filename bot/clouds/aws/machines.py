"""Machines on EC2 in one region, by boto3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from slipway.bot.clouds.aws.calls import Ec2Calls
from slipway.bot.clouds.aws.errors import CLOUD_NAME, Ec2Request
from slipway.bot.clouds.aws.responses import (
    Origin,
    Response,
    read_architectures,
    read_image,
    read_instance,
    read_list,
    read_name,
    read_template,
)
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.model import Instance, InstanceState, LaunchSpec, MachineImage, Template
from slipway.bot.core.errors import CloudErrorKind

DEPLOYMENT_TAG = "slipway"
"""On everything that Slipway makes: the name of the deployment that made it."""

TOKEN_TAG = "slipway:token"  # noqa: S105 - the name of a tag, no secret
"""On everything that Slipway makes: the token of the launch that made it."""

_TAGGED = ("instance", "network-interface", "volume")
_ALIVE = [state.value for state in InstanceState if not state.gone]
_TOKEN = re.compile(r"[\x21-\x7e]{1,64}", re.ASCII)
_WILDCARD = re.compile(r"[*?\\]")  # what a filter does not take as it stands
_IMAGE_ID = re.compile(r"ami-[0-9a-f]{8,17}", re.ASCII)
_INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{17}|[0-9a-f]{8})", re.ASCII)
_PAGE = 1000  # the most that EC2 gives of images and machines in one answer
_TEMPLATE_PAGE = 200  # the most that DescribeLaunchTemplates gives


class AwsMachines:
    """Fulfils :class:`slipway.bot.clouds.ports.machines.Machines`.

    Args:
        settings: region, owners of images, endpoint, credentials, and how long to wait: ``timeout`` is for
            one request, and a call makes up to ``max_attempts`` of them.
        context: the adapter's name, and the deployment's, which tells its machines from another's in the
            same account.
        page_size: images and machines in one answer, 5 to 1000.
    """

    def __init__(self, settings: AwsSettings, context: CloudContext, *, page_size: int = _PAGE) -> None:
        self._settings = settings
        self._cloud = context.name
        self._deployment = context.deployment
        self._origin = Origin(context.name, settings.region)
        self._page_size = page_size
        self._calls = Ec2Calls(settings)
        self._architectures: dict[str, tuple[str, ...]] = {}

    @property
    def title(self) -> str:
        """What people call it in a sentence: EC2, and of which account where it has a name."""
        return "EC2" if self._cloud == CLOUD_NAME else f"EC2 ({self._cloud})"

    @property
    def region(self) -> str:
        """The region all ids belong to."""
        return self._settings.region

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

    async def template(self, name: str, version: int | None = None) -> Template:
        """A launch template by name, at this version or else its default one, resolved to a number."""
        asked = f"the launch template {name}" if version is None else f"version {version} of {name}"
        request = self._request(f"show {asked}")
        found = await self._calls.call(
            request,
            "describe_launch_template_versions",
            lambda answer: [read_template(each) for each in read_list(answer, "LaunchTemplateVersions")],
            LaunchTemplateName=name,
            Versions=["$Default" if version is None else str(version)],
        )
        if not found:
            raise request.failed(CloudErrorKind.NOT_FOUND, f"there is none in {self.region}")
        template = found[0]
        if template.instance_type is None:
            return template
        return replace(template, architectures=await self._architectures_of(template.instance_type))

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
        """All machines that carry this deployment's tag and are not gone, oldest first."""
        return await self._tagged(self._request("list machines"), {"instance-state-name": _ALIVE})

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
        launched = await self._calls.call(
            request,
            "run_instances",
            self._read_machines,
            LaunchTemplate={"LaunchTemplateId": spec.template_id, "Version": str(spec.template_version)},
            ImageId=spec.image_id,
            MinCount=spec.count,
            MaxCount=spec.count,
            ClientToken=token,
            InstanceInitiatedShutdownBehavior="terminate",
            TagSpecifications=self._tags(spec, token),
        )
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

    async def close(self) -> None:
        """Let go of connections and threads; a request under way ends by itself and starts no other."""
        self._calls.close()

    def _request(self, action: str, *, changes: bool = False) -> Ec2Request:
        return Ec2Request(action, changes, self._cloud)

    async def _images(self, request: Ec2Request, **parameters: object) -> list[MachineImage]:
        return await self._calls.pages(
            request,
            "describe_images",
            lambda page: [read_image(each, self._origin) for each in read_list(page, "Images")],
            page_size=self._page_size,
            Owners=list(self._settings.owners),
            IncludeDeprecated=True,
            **parameters,
        )

    async def _tagged(self, request: Ec2Request, wanted: Mapping[str, list[str]]) -> tuple[Instance, ...]:
        return await self._filtered(request, {f"tag:{DEPLOYMENT_TAG}": [self._deployment], **wanted})

    async def _filtered(self, request: Ec2Request, wanted: Mapping[str, list[str]]) -> tuple[Instance, ...]:
        found = await self._calls.pages(
            request,
            "describe_instances",
            self._read_reservations,
            page_size=self._page_size,
            Filters=_filters(wanted),
        )
        return tuple(sorted(found, key=lambda machine: (machine.launched_at, machine.id)))

    async def _architectures_of(self, instance_type: str) -> tuple[str, ...]:
        """What an instance type can run; asked once, for a type never changes."""
        if instance_type not in self._architectures:
            request = self._request(f"describe the instance type {instance_type}")
            found = await self._calls.call(
                request,
                "describe_instance_types",
                lambda answer: [read_architectures(each) for each in read_list(answer, "InstanceTypes")],
                InstanceTypes=[instance_type],
            )
            if not found:
                raise request.failed(CloudErrorKind.NOT_FOUND, f"there is none in {self.region}")
            self._architectures[instance_type] = found[0]
        return self._architectures[instance_type]

    def _read_machines(self, reservation: Response) -> list[Instance]:
        return [read_instance(each, self._origin) for each in read_list(reservation, "Instances")]

    def _read_reservations(self, answer: Response) -> list[Instance]:
        reservations = read_list(answer, "Reservations")
        return [machine for reservation in reservations for machine in self._read_machines(reservation)]

    def _tags(self, spec: LaunchSpec, token: str) -> list[dict[str, object]]:
        """The same for the same launch in every order of the spec's tags, as ClientToken demands."""
        own = {DEPLOYMENT_TAG: self._deployment, TOKEN_TAG: token}
        tags = [{"Key": key, "Value": value} for key, value in sorted({**spec.tags, **own}.items())]
        return [{"ResourceType": kind, "Tags": tags} for kind in _TAGGED]


def _filters(wanted: Mapping[str, list[str]]) -> list[dict[str, object]]:
    return [{"Name": name, "Values": values} for name, values in wanted.items()]
