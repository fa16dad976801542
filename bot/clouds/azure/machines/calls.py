"""Single calls about machines and what surrounds them, through the gallery's own client.

Reads are sent again as the gallery's are; a change is sent once, and again only where Azure throttled it, for then it
was not taken. Every method raises :class:`slipway.bot.core.errors.CloudError` and nothing else of the SDK's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.throttling import ThrottleGate
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import format_duration

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.images.arm import Answer, Poller

Document = Mapping[str, Any]

COMPUTE = "2026-04-01"
"""What azure-mgmt-compute 39 asks for about machines, usages and disks' owners."""

UNSURE = frozenset(
    {
        CloudErrorKind.UNREACHABLE,
        CloudErrorKind.BROKEN,
        CloudErrorKind.TIMED_OUT,
        CloudErrorKind.UNEXPECTED_ANSWER,
    }
)
"""After these, a change may or may not have been taken."""

T = TypeVar("T")


@dataclass(frozen=True)
class Api:
    """A kind of resource: its provider and type, and the version by which it is asked for."""

    type: str
    version: str


MACHINES = Api("Microsoft.Compute/virtualMachines", COMPUTE)
DISKS = Api("Microsoft.Compute/disks", "2025-01-02")
INTERFACES = Api("Microsoft.Network/networkInterfaces", "2024-05-01")
ADDRESSES = Api("Microsoft.Network/publicIPAddresses", "2024-05-01")
NETWORKS = Api("Microsoft.Network/virtualNetworks", "2024-05-01")
SECURITY_GROUPS = Api("Microsoft.Network/networkSecurityGroups", "2024-05-01")
SCHEDULES = Api("Microsoft.DevTestLab/schedules", "2018-09-15")
SKUS = Api("Microsoft.Compute/skus", "2021-07-01")
PERMISSIONS = Api("Microsoft.Authorization/permissions", "2022-04-01")
METRICS = Api("Microsoft.Insights/metrics", "2024-02-01")
TAGS = Api("Microsoft.Resources/tags", "2021-04-01")
SPECS = Api("Microsoft.Resources/templateSpecs", "2022-02-01")
DEPLOYMENTS = Api("Microsoft.Resources/deployments", "2022-09-01")


class MachineCalls:
    """Calls about one resource group of one account.

    Args:
        settings: the account's; ``machines_group`` is there.
        account: for errors.
        gallery: whose client is used, and who closes it.
        gate: where changes wait that Azure throttles.
    """

    def __init__(
        self, settings: AzureSettings, account: AzureAccount, gallery: AzureGallery, gate: ThrottleGate
    ) -> None:
        self._settings = settings
        self._account = account
        self._gallery = gallery
        self._gate = gate
        self.subscription = f"/subscriptions/{quote(settings.subscription_id, safe='')}"
        self.group = f"{self.subscription}/resourceGroups/{quote(settings.machines_group or '', safe='')}"

    def id(self, api: Api, *path: str) -> str:
        """The id of a resource of the group."""
        return "/".join((f"{self.group}/providers/{api.type}", *(quote(part, safe="") for part in path)))

    async def read(self, path: str, api: Api, action: str, **query: str) -> Document:
        """One document; ``action`` completes “Azure could not …”."""
        answer = await self._ask("GET", path, api, action, query=query)
        return self._object(answer, action)

    async def list(self, path: str, api: Api, what: str, **query: str) -> tuple[Any, ...]:
        """All entries of a listing; ``what`` completes “list …”."""
        action = f"list {what}"

        async def pages() -> tuple[Any, ...]:
            arm = await self._gallery.connect()
            listing = arm.listing(path, {"api-version": api.version, **query}, what)
            found = []
            while not listing.ended:
                found.append(await listing.next_page())
            return tuple(chain.from_iterable(found))

        return await self._in_time(pages(), action)

    async def change(
        self, method: str, path: str, api: Api, action: str, body: object = None, **query: str
    ) -> Answer:
        """Send a change, and answer with what was said at once; nothing is waited for."""
        return await self.patiently(lambda: self._ask(method, path, api, action, body, query))

    async def begin(self, name: str, body: dict[str, Any], action: str) -> Poller:
        """Start making a machine, only if there is none of this name."""

        async def begin() -> Poller:
            arm = await self._gallery.connect()
            group = self._settings.machines_group or ""
            return await self._in_time(arm.begin_create_machine(group, name, body, action=action), action)

        return await self.patiently(begin)

    async def finish(self, poller: Poller, action: str) -> None:
        """Wait for the end of an operation, as long as one may take.

        Raises:
            CloudError: it ended in failure; or, where ``doubtful``, it could not be followed to its end.
        """
        arm = await self._gallery.connect()
        limit = self._settings.operation_timeout
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await arm.finish(poller, action=action)
        except TimeoutError as error:
            late = self._timed_out(action, format_duration(limit))
            late.doubtful = True
            raise late from error

    async def blob(self, address: str, action: str) -> bytes:
        """What stands at an address that Azure signed; nothing of the address is ever shown."""
        arm = await self._gallery.connect()
        return await self._in_time(arm.blob(address, action=action), action)

    async def patiently(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send a change again for as long as Azure throttles it, which says that it was not taken, and the budget of
        pauses lasts that all changes of the account share."""
        with self._gate:
            while True:
                sent_in = await self._gate.enter()
                try:
                    answer = await send()
                except CloudError as error:
                    if error.kind is CloudErrorKind.THROTTLED and await self._gate.refused(
                        sent_in, error.retry_after
                    ):
                        continue
                    raise
                self._gate.served()
                return answer

    async def _ask(
        self,
        method: str,
        path: str,
        api: Api,
        action: str,
        body: object = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        arm = await self._gallery.connect()
        asked = {"api-version": api.version, **(query or {})}
        try:
            return await self._in_time(arm.ask(method, path, asked, body, action=action), action)
        except CloudError as error:
            error.doubtful = method != "GET" and error.kind in UNSURE
            raise

    async def _in_time(self, work: Awaitable[T], action: str) -> T:
        settings = self._settings
        limit = settings.timeout * settings.max_attempts + self._gallery.timing.patience.budget
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await work
        except TimeoutError as error:
            raise self._timed_out(action, format_duration(limit)) from error

    def _timed_out(self, action: str, limit: str) -> CloudError:
        sentence = f"{self._account.title} was asked to {action} and has not finished within {limit}."
        return self._account.error(CloudErrorKind.TIMED_OUT, sentence)

    def _object(self, answer: Answer, action: str) -> Document:
        if isinstance(answer.body, dict):
            return answer.body
        raise self._account.unexpected_answer(
            f"{self._account.title} was asked to {action} and gave an answer that cannot be read."
        )
