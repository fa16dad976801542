"""What a machine does once it is there: its console, whether it came up, how much it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.machines import calls
from slipway.bot.clouds.azure.machines.calls import MachineCalls
from slipway.bot.clouds.azure.machines.reading import Machine, health
from slipway.bot.clouds.machine_model import Activity, Health
from slipway.bot.core.errors import CloudError, CloudErrorKind

_NEWEST = 64 * 1024
"""So many bytes of a console are shown, from its end; as EC2 keeps them."""

_REFUSED = frozenset({CloudErrorKind.CONFLICT, CloudErrorKind.INVALID, CloudErrorKind.BROKEN})

_NOT_YET = frozenset({CloudErrorKind.NOT_FOUND, CloudErrorKind.CONFLICT})

_METRICS = {"Percentage CPU": "Average", "Network In Total": "Total", "Network Out Total": "Total"}
"""Source: “Supported metrics for Microsoft.Compute/virtualMachines”."""

_SPAN = "PT5M"


class Observing:
    """Looks at machines.

    Args:
        account: for errors.
        machine_calls: asks Azure.
        parallel: so many machines are asked about at a time.
    """

    def __init__(self, account: AzureAccount, machine_calls: MachineCalls, parallel: int) -> None:
        self._account = account
        self._calls = machine_calls
        self._turns = asyncio.Semaphore(parallel)

    async def console_output(self, name: str) -> str:
        """The newest of what the machine wrote to its console; empty where there is nothing yet.

        Azure tells an address that opens it to whoever knows it, so that is neither shown nor kept.
        """
        action = f"show the console of {name}"
        machine = self._calls.id(calls.MACHINES, name)
        try:
            answer = await self._calls.change(
                "POST",
                f"{machine}/retrieveBootDiagnosticsData",
                calls.MACHINES,
                action,
                sasUriExpirationTimeInMinutes="5",
            )
        except CloudError as error:
            if error.kind in _REFUSED and not await self._keeps_console(machine, action):
                raise self._account.error(CloudErrorKind.CONFIGURATION, self._off(name)) from error
            raise
        match answer.body:
            case {"serialConsoleLogBlobUri": str(address)} if address:
                pass
            case dict():
                return ""
            case _:
                raise self._account.unexpected_answer(
                    f"{self._account.title} was asked to {action} and gave an answer that cannot be read."
                )
        try:
            written = await self._calls.blob(address, action)
        except CloudError as error:
            if error.kind in _NOT_YET:
                return ""
            raise
        return written[-_NEWEST:].decode("utf-8", errors="replace").replace("\r\n", "\n").strip("\x00")

    async def _keeps_console(self, machine: str, action: str) -> bool:
        """Whether boot diagnostics are on: by which code Azure says that they are not, is not documented."""
        document = await self._calls.read(machine, calls.MACHINES, action)
        match document:
            case {"properties": {"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}}}:
                return True
        return False

    def _off(self, name: str) -> str:
        group = self._calls.group.rpartition("/")[2]
        return (
            f"Boot diagnostics of {name} are off, so {self._account.title} keeps nothing of its console. "
            f"`az vm boot-diagnostics enable --resource-group {group} --name {name}` switches them on, for what it "
            "writes from then on."
        )

    async def health(
        self, machine_names: Sequence[str], look: Callable[[str, str], Awaitable[Machine]]
    ) -> Mapping[str, Health]:
        """What Azure's agent in each says, by a look at each; those that are gone are left out."""
        found = await asyncio.gather(*(self._health_of(name, look) for name in machine_names))
        return {name: each for name, each in zip(machine_names, found, strict=True) if each is not None}

    async def _health_of(self, name: str, look: Callable[[str, str], Awaitable[Machine]]) -> Health | None:
        async with self._turns:
            try:
                machine = await look(name, f"show the machine {name}")
            except CloudError as error:
                if error.kind is CloudErrorKind.NOT_FOUND:
                    return None
                raise
        return health(machine, machine.properties.instance_view)

    async def activity(
        self, machine_names: Sequence[str], during: timedelta, now: datetime
    ) -> Mapping[str, Activity]:
        """What each of them did until now; those of which Azure has no numbers are left out."""
        found = await asyncio.gather(*(self._activity_of(name, during, now) for name in machine_names))
        return {name: each for name, each in zip(machine_names, found, strict=True) if each is not None}

    async def _activity_of(self, name: str, during: timedelta, now: datetime) -> Activity | None:
        async with self._turns:
            try:
                document = await self._calls.read(
                    f"{self._calls.id(calls.MACHINES, name)}/providers/{calls.METRICS.type}",
                    calls.METRICS,
                    f"tell what {name} does",
                    metricnames=",".join(_METRICS),
                    aggregation=",".join(dict.fromkeys(_METRICS.values())),
                    interval=_SPAN,
                    timespan=f"{now - during:%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}",
                )
            except CloudError as error:
                if error.kind is CloudErrorKind.NOT_FOUND:
                    return None
                raise
        try:
            return _read_activity(document)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._account.unexpected_answer(
                f"{self._account.title} told what {name} does in a way that cannot be read."
            ) from error


def _read_activity(document: Mapping[str, Any]) -> Activity | None:
    values: dict[str, list[float]] = {}
    for metric in document["value"]:
        name = metric["name"]["value"]
        field = _METRICS.get(name, "").lower()
        for series in metric.get("timeseries") or ():
            for point in series.get("data") or ():
                if field and point.get(field) is not None:
                    values.setdefault(name, []).append(float(point[field]))
    cpu = values.pop("Percentage CPU", [])
    network = [value for each in values.values() for value in each]
    if not cpu and not network:
        return None
    return Activity(max(cpu) if cpu else None, sum(network) if network else None)
