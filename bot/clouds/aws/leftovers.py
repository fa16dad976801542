"""What launches left behind: volumes and network interfaces of the deployment that belong to no machine."""

from __future__ import annotations

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.responses import Response, read_list, read_tags, read_text
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG, TOKEN_TAG
from slipway.bot.clouds.machine_model import Leftover
from slipway.bot.core.errors import CloudError, CloudErrorKind

_PAGE = 500
_VOLUME, _INTERFACE = "volume", "network interface"


class Leftovers:
    """Looks for them in one region."""

    def __init__(self, account: AwsAccount, region: str) -> None:
        self._account = account
        self._region = region

    async def find(self) -> tuple[Leftover, ...]:
        """All of them. One that is still being made or attached is none."""
        volumes = await self._available("describe_volumes", "Volumes", "VolumeId", _VOLUME)
        interfaces = await self._available(
            "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", _INTERFACE
        )
        return (*volumes, *interfaces)

    async def _available(self, operation: str, name: str, key: str, kind: str) -> list[Leftover]:
        def read(response: Response) -> Leftover:
            tags = read_tags(response) if "Tags" in response else read_tags({"Tags": response.get("TagSet")})
            return Leftover(
                read_text(response, key),
                kind,
                self._region,
                tags.get(TOKEN_TAG, ""),
                cloud=self._account.name,
            )

        return await self._account.calls(self._region).pages(
            self._account.request(f"list {kind}s"),
            operation,
            lambda page: [read(each) for each in read_list(page, name)],
            page_size=_PAGE,
            Filters=[
                {"Name": f"tag:{DEPLOYMENT_TAG}", "Values": [self._account.deployment]},
                {"Name": "status", "Values": ["available"]},
            ],
        )

    async def remove(self, leftover: Leftover) -> None:
        """Delete one for good; one that is gone already is no error.

        Raises:
            CloudError: CONFLICT where it belongs to a machine by now, or it was not done for another reason.
        """
        operation, key = (
            ("delete_volume", "VolumeId")
            if leftover.kind == _VOLUME
            else ("delete_network_interface", "NetworkInterfaceId")
        )
        request = self._account.request(f"delete the {leftover.kind} {leftover.id}", changes=True)
        try:
            await self._account.calls(self._region).call(
                request, operation, lambda _answer: None, **{key: leftover.id}
            )
        except CloudError as error:
            if error.code in ("VolumeInUse", "InvalidParameterValue", "InvalidNetworkInterface.InUse"):
                why = "it belongs to a machine by now"
                raise request.failed(CloudErrorKind.CONFLICT, why, error.code, reason=error.reason) from error
            if not error.code.endswith(".NotFound"):
                raise
