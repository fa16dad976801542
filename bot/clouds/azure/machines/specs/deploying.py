"""Machines made by deployments of a template spec, one a machine, each called as its machine.

A deployment takes no condition, so that there is no machine of the name yet is looked at before. What a deployment
that was begun comes to is read from the deployment itself, also by another process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.error_codes import kind_of
from slipway.bot.clouds.azure.machines import calls
from slipway.bot.clouds.azure.machines.calls import Api, Document, MachineCalls
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import format_duration

_ACTIVE = "DeploymentActive"
"""A deployment of this name is under way: ours, since its name is made of the launch's token."""


@dataclass(frozen=True)
class Deploying:
    """Makes machines by deployments.

    Attributes:
        account: for errors.
        calls: asks Azure.
        polling: between two looks at a deployment.
        limit: so long that is waited for.
        sleep: lets time pass.
    """

    account: AzureAccount
    calls: MachineCalls
    polling: timedelta
    limit: timedelta
    sleep: Callable[[float], Awaitable[None]]

    async def begin(self, name: str, body: dict[str, Any], action: str) -> str:
        """Start making a machine, if there is none of this name; its deployment's name is what it is followed by.

        Raises:
            CloudError: CONFLICT where there is one; refused; or nobody knows.
        """
        if await self._seen(calls.MACHINES, name, action) is not None:
            raise self.account.error(
                CloudErrorKind.CONFLICT, f"{self.account.title} has a machine {name} already."
            )
        try:
            await self.calls.change(
                "PUT", self.calls.id(calls.DEPLOYMENTS, name), calls.DEPLOYMENTS, action, body
            )
        except CloudError as error:
            begun = error.code == _ACTIVE or (
                error.kind in calls.UNSURE and await self._seen(calls.DEPLOYMENTS, name, action) is not None
            )
            if not begun:
                raise
        return name

    async def finish(self, name: str, action: str) -> None:
        """Wait for the end of a deployment.

        Raises:
            CloudError: it ended in failure; or, where ``doubtful``, it could not be followed to its end.
        """
        waited = timedelta()
        while True:
            try:
                seen = await self.calls.read(
                    self.calls.id(calls.DEPLOYMENTS, name), calls.DEPLOYMENTS, action
                )
            except CloudError as error:
                error.doubtful = True
                raise
            properties = seen.get("properties") or {}
            match str(properties.get("provisioningState")).casefold():
                case "succeeded":
                    return
                case "failed" | "canceled" as end:
                    raise self._failed(properties, end, action)
            if waited >= self.limit:
                late = self.account.error(
                    CloudErrorKind.TIMED_OUT,
                    f"{self.account.title} was asked to {action} and has not finished within "
                    f"{format_duration(self.limit)}.",
                )
                late.doubtful = True
                raise late
            await self.sleep(self.polling.total_seconds())
            waited += self.polling

    def _failed(self, properties: Mapping[str, Any], end: str, action: str) -> CloudError:
        """The error of a failed deployment: the innermost, which says why."""
        inner: Any = properties.get("error") or {"code": end.capitalize()}
        while isinstance(inner, dict) and isinstance(inner.get("details"), list) and inner["details"]:
            inner = inner["details"][0]
        code, message = (str(inner.get(key) or "") for key in ("code", "message"))
        return self.account.error(
            kind_of(code, message) or CloudErrorKind.BROKEN,
            f"{self.account.title} began to {action} and ended in failure ({code or 'no code given'}).",
            code,
            message,
        )

    async def _seen(self, api: Api, name: str, action: str) -> Document | None:
        try:
            return await self.calls.read(self.calls.id(api, name), api, action)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return None
            raise


def deployment_document(link: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """The body of a deployment that adds to its group, and takes nothing away."""
    return {
        "tags": dict(tags),
        "properties": {
            "mode": "Incremental",
            "templateLink": {"id": link},
            "parameters": {name: {"value": value} for name, value in parameters.items()},
        },
    }
