"""What EC2's machine types can run, and how they count against quotas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_list, read_text
from slipway.bot.core.errors import CloudError, CloudErrorKind

_UNKNOWN = "InvalidInstanceType"
_AT_ONCE = 100  # the most types that DescribeInstanceTypes takes by name


@dataclass(frozen=True)
class InstanceType:
    """A machine type.

    Attributes:
        architectures: what it can run, such as ``("i386", "x86_64")``.
        vcpus: how many it has, as quotas count.
    """

    name: str
    architectures: tuple[str, ...]
    vcpus: int


class InstanceTypes:
    """The types of one region, each asked for once, for a type never changes."""

    def __init__(self, account: AwsAccount, region: str) -> None:
        self._account = account
        self._region = region
        self._known: dict[str, InstanceType] = {}

    async def get(self, name: str) -> InstanceType:
        """One type.

        Raises:
            CloudError: NOT_FOUND where the region has none of this name.
        """
        try:
            await self.learn([name])
        except CloudError as error:
            if error.code != _UNKNOWN:
                raise
        if name not in self._known:
            request = self._account.request(f"describe the instance type {name}")
            raise request.failed(CloudErrorKind.NOT_FOUND, f"there is none in {self._region}")
        return self._known[name]

    async def learn(self, names: Sequence[str]) -> None:
        """Ask for all of these that are not known, as few times as can be."""
        missing = [each for each in dict.fromkeys(names) if each not in self._known]
        what = f"the instance type {missing[0]}" if len(missing) == 1 else "instance types"
        for start in range(0, len(missing), _AT_ONCE):
            found = await self._account.calls(self._region).call(
                self._account.request(f"describe {what}"),
                "describe_instance_types",
                lambda answer: [read_instance_type(each) for each in read_list(answer, "InstanceTypes")],
                InstanceTypes=missing[start : start + _AT_ONCE],
            )
            self._known.update((each.name, each) for each in found)


def read_instance_type(response: Response) -> InstanceType:
    """One type of DescribeInstanceTypes."""
    processor, vcpu = response.get("ProcessorInfo"), response.get("VCpuInfo")
    architectures = processor.get("SupportedArchitectures") if isinstance(processor, dict) else None
    if not isinstance(architectures, list) or not all(isinstance(each, str) for each in architectures):
        raise UnexpectedResponseError("ProcessorInfo")
    count = vcpu.get("DefaultVCpus") if isinstance(vcpu, dict) else None
    if not isinstance(count, int):
        raise UnexpectedResponseError("VCpuInfo")
    return InstanceType(read_text(response, "InstanceType"), tuple(architectures), count)
