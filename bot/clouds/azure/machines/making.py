"""What is sent for a launch: machines by a description, or deployments of a template spec."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.bot.clouds.azure.machines import calls, names
from slipway.bot.clouds.azure.machines.calls import MachineCalls
from slipway.bot.clouds.azure.machines.documents import Login, machine_document, schedule_document
from slipway.bot.clouds.azure.machines.launching import Launching
from slipway.bot.clouds.azure.machines.login_keys import TAKEN_KEYS
from slipway.bot.clouds.azure.machines.specs.contract import spec_parameters
from slipway.bot.clouds.azure.machines.specs.deploying import Deploying, deployment_document
from slipway.bot.clouds.azure.machines.specs.versions import SpecTemplates, is_spec
from slipway.bot.clouds.azure.machines.templates import DescribedTemplates
from slipway.bot.clouds.machine_model import LaunchSpec
from slipway.bot.core.errors import CloudError

_USUAL_LOGIN = "fedora"


@dataclass(frozen=True)
class Order:
    """One launch.

    Attributes:
        spec: what is asked for.
        machines: the machines' names.
        tags: what they are tagged with, the adapter's own tags included.
        region: where.
        action: completes “Azure could not …”.
    """

    spec: LaunchSpec
    machines: Sequence[str]
    tags: Mapping[str, str]
    region: str
    action: str

    @property
    def token(self) -> str:
        """The launch's."""
        return self.tags[names.TOKEN_TAG]


@dataclass(frozen=True)
class Making:
    """Makes the machines of launches.

    Attributes:
        calls: asks Azure; makes machines by descriptions.
        templates: the descriptions.
        specs: the template specs.
        launching: all machines of a launch, or none.
        deploying: makes machines by template specs.
    """

    calls: MachineCalls
    templates: DescribedTemplates
    specs: SpecTemplates
    launching: Launching
    deploying: Deploying

    async def make(self, order: Order) -> None:
        """Make all machines of a launch.

        Raises:
            CloudError: as :meth:`.launching.Launching.run`; the template is another one by now.
        """
        spec = order.spec
        taken = tuple(key for key in spec.keys if key.startswith(TAKEN_KEYS))
        login = Login(spec.login or _USUAL_LOGIN, taken or (await _nobodys_key(),))
        if is_spec(spec.template_id):
            await self._deploy(order, login)
        else:
            await self._create(order, login)

    async def _create(self, order: Order, login: Login) -> None:
        spec = order.spec
        described = self.templates.pinned(spec, order.region)
        place = self.templates.place(spec, described, order.region)
        data = described.user_data.encode() if spec.user_data is None else spec.user_data
        size = spec.instance_type or described.size
        documents = {
            name: machine_document(name, place, described, login, size=size, user_data=data, tags=order.tags)
            for name in order.machines
        }
        await self.launching.run(self.calls, documents, order.token, order.action)
        if described.auto_shutdown and spec.ends_at is not None:
            try:
                await self._schedule(order, spec.ends_at)
            except CloudError as error:  # what ends them in the end is part of what was asked for
                await self.launching.undo(order.machines, order.token, error)
                raise

    async def _deploy(self, order: Order, login: Login) -> None:
        spec = order.spec
        found = await self.specs.pinned(spec)
        described = self.specs.described(spec.template_id, found, order.region, spec.instance_type)
        place = self.templates.place(spec, described, order.region)
        data = found.user_data if spec.user_data is None else spec.user_data
        documents = {
            name: deployment_document(
                found.link,
                spec_parameters(name, place, login, data, order.tags, size=spec.instance_type),
                order.tags,
            )
            for name in order.machines
        }
        await self.launching.run(self.deploying, documents, order.token, order.action)

    async def _schedule(self, order: Order, ends_at: datetime) -> None:
        """Have Azure stop these machines by the clock, which outlives Slipway."""
        for name in order.machines:
            body = schedule_document(
                self.calls.id(calls.MACHINES, name), order.region, ends_at.astimezone(UTC), order.tags
            )
            path = self.calls.id(calls.SCHEDULES, names.schedule_name(name))
            await self.calls.change("PUT", path, calls.SCHEDULES, f"have {name} stopped by the clock", body)


async def _nobodys_key() -> str:
    from slipway.bot.clouds.azure.machines.nobodys_key import nobodys_key

    return await asyncio.to_thread(nobodys_key)
