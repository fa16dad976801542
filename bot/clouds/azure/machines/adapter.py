"""Machines on Azure, of one account, in one resource group."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any, Self

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.machines import calls, names
from slipway.bot.clouds.azure.machines.calls import MachineCalls
from slipway.bot.clouds.azure.machines.images import GalleryImages
from slipway.bot.clouds.azure.machines.launching import Launching
from slipway.bot.clouds.azure.machines.leftovers import Leftovers
from slipway.bot.clouds.azure.machines.login_keys import LEFT_TO_IMAGE, TAKEN_KEYS
from slipway.bot.clouds.azure.machines.making import Making, Order
from slipway.bot.clouds.azure.machines.observing import Observing
from slipway.bot.clouds.azure.machines.preflight import LaunchChecks
from slipway.bot.clouds.azure.machines.reading import (
    Addresses,
    Machine,
    instance,
    power_state,
    read_addresses,
    read_machine,
    read_views,
)
from slipway.bot.clouds.azure.machines.specs.deploying import Deploying
from slipway.bot.clouds.azure.machines.specs.versions import SpecTemplates, is_spec
from slipway.bot.clouds.azure.machines.templates import DescribedTemplates
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.machine_model import (
    Activity,
    Backstop,
    Health,
    Instance,
    KeyVerdict,
    LaunchSpec,
    Leftover,
    MachineImage,
    Preflight,
    Template,
)
from slipway.bot.clouds.throttling import ThrottleGate
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.times import Clock, system_clock


class AzureMachines:
    """Fulfils :class:`slipway.bot.clouds.ports.machines.Machines`, and all that a cloud may do besides.

    Templates are the descriptions in slipway.toml. Images are versions of the account's gallery.

    Args:
        settings: ``[azure]`` or ``[azure.NAME]``, with ``machines_group`` and ``regions``.
        context: the adapter's name, the deployment's, and the descriptions.
        gallery: the account's, whose client is shared; whoever made it closes it.
        clock: the present, for how far back a machine's numbers are asked for.
    """

    def __init__(
        self,
        settings: AzureSettings,
        context: CloudContext,
        gallery: AzureGallery,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._settings = settings
        self._account = AzureAccount(context.name, context.contact, fence=context.fence)
        self._deployment = context.deployment
        self._clock = clock
        self._region = settings.regions[0]
        timing = gallery.timing
        self._calls = MachineCalls(
            settings,
            self._account,
            gallery,
            ThrottleGate(timing.patience, self._account.title, self._account.contact.throttled),
        )
        self._images = GalleryImages(gallery, self._account, settings.gallery)
        gallery_id = (
            f"{self._calls.subscription}/resourceGroups/{settings.resource_group}"
            f"/providers/Microsoft.Compute/galleries/{settings.gallery}"
        )
        self._checks = LaunchChecks(self._account, self._calls)
        self._templates = DescribedTemplates(
            self._account, self._calls, self._checks, gallery_id, context.descriptions
        )
        self._specs = SpecTemplates(self._account, self._calls, self._checks)
        self._observing = Observing(self._account, self._calls, settings.parallel_listings)
        waiting = (self._account, self._calls, timing.polling, settings.operation_timeout, timing.sleep)
        self._making = Making(
            self._calls, self._templates, self._specs, Launching(*waiting), Deploying(*waiting)
        )
        self._leftovers = Leftovers(
            self._account,
            self._calls,
            self._deployment,
            context.name,
            schedules=self._templates.scheduled,
        )

    @property
    def title(self) -> str:
        """What people call it in a sentence: Azure, and which one where it has a name."""
        return self._account.title

    @property
    def region(self) -> str:
        """The region in which machines are launched."""
        return self._region

    @property
    def regions(self) -> tuple[str, ...]:
        """All configured regions, this one first."""
        return (self._region, *(each for each in self._settings.regions if each != self._region))

    @property
    def backstop(self) -> Backstop:
        """None: shutting down from inside does not end the bill. Templates may have a schedule of Azure's."""
        return Backstop.NONE

    @property
    def one_by_one(self) -> bool:
        """A machine is a request; :meth:`launch` goes on with one that broke off."""
        return True

    def at(self, region: str) -> Self:
        """The same account, as seen from another of its regions; shares connections.

        Raises:
            UserError: the region is not configured.
        """
        if region not in self._settings.regions:
            known = ", ".join(self._settings.regions)
            raise UserError(f"{self.title} is configured for {known}, and not for {region}.")
        if region == self._region:
            return self
        other = copy.copy(self)
        other._region = region
        return other

    def could_be_image_id(self, text: str) -> bool:
        """Whether this looks like ``DEFINITION/VERSION``."""
        return names.read_image_id(text) is not None

    def could_be_instance_id(self, text: str) -> bool:
        """Whether Slipway names machines like this; others are not its business."""
        return names.is_machine_name(text)

    async def images(self) -> tuple[MachineImage, ...]:
        """What a launch of each definition resolves to in the region, by the definition's name."""
        return await self._images.latest(self._region)

    async def image(self, image_id: str) -> MachineImage:
        """One version, ``DEFINITION/VERSION``; CloudError NOT_FOUND where there is none."""
        return await self._images.image(image_id, self._region)

    async def template(self, name: str, version: int | str | None = None) -> Template:
        """A description by the name of its profile, or a template spec; UserError where it is another one than at
        this version, or unfit."""
        if is_spec(name):
            return await self._specs.template(name, version, self._region)
        return await self._templates.template(name, version, self._region)

    async def template_names(self) -> tuple[str, ...]:
        """The names of all descriptions, in order."""
        return self._templates.names

    async def architectures(self, instance_type: str) -> tuple[str, ...]:
        """What machines of a size run; CloudError NOT_FOUND where the region does not sell it."""
        size = await self._checks.size(self._region, instance_type)
        if size is None:
            raise self._account.error(
                CloudErrorKind.NOT_FOUND, f"{self.title} has no machines of the size {instance_type} here."
            )
        return (size.architecture,)

    def key_verdict(self, key: str) -> KeyVerdict:
        """Azure's own ``osProfile`` takes some kinds; the others are left to cloud-init in the machine."""
        return KeyVerdict() if key.startswith(TAKEN_KEYS) else KeyVerdict(why=LEFT_TO_IMAGE)

    async def preflight(self, spec: LaunchSpec) -> Preflight:
        """What is known of this launch before it: rights, the size, quotas, and who reaches port 22."""
        link, size = "", spec.instance_type
        if is_spec(spec.template_id):
            found = await self._specs.pinned(spec)
            link, described = found.link, self._specs.described(spec.template_id, found, self._region, size)
        else:
            described = self._templates.pinned(spec, self._region)
        place = self._templates.place(spec, described, self._region)
        return await self._checks.preflight(spec, place, described, link=link)

    async def instances(self) -> tuple[Instance, ...]:
        """All machines that carry this deployment's tag and are not gone, oldest first."""
        return tuple(each for each in await self._ours() if not each.state.gone)

    async def instances_named(self, ids: Sequence[str]) -> tuple[Instance, ...]:
        """Those of these names that carry this deployment's tag and are not gone."""
        wanted = frozenset(ids)
        return tuple(each for each in await self.instances() if each.id in wanted)

    async def instance(self, instance_id: str) -> Instance:
        """One machine by its name, whoever's it is: that its tags tell.

        Raises:
            CloudError: NOT_FOUND where there is none (any more).
        """
        machine = await self._machine(instance_id, f"show the machine {instance_id}")
        interfaces, addresses = await self._addresses()
        known = read_addresses(interfaces, addresses, {machine.id.casefold()}, self._account)
        return instance(machine, machine.properties.instance_view, known, self._account.name)

    async def launched_with(self, token: str) -> tuple[Instance, ...]:
        """The machines that the launch with this token made, while Azure shows them."""
        return tuple(each for each in await self._ours() if each.tags.get(names.TOKEN_TAG) == token)

    async def launch(self, spec: LaunchSpec, token: str) -> tuple[Instance, ...]:
        """Launch machines once for one token, all or none, and wait until Azure has made them.

        Asked again for the same token, it goes on with what is there. Of the keys, Azure is given those that it
        takes; the others are for ``user_data`` to put in place.

        Raises:
            CloudError: nothing was launched, or it is not known; the sentence and ``doubtful`` say which.
        """
        wanted = names.machine_names(self._deployment, token, spec.count)
        machines = "1 machine" if spec.count == 1 else f"{spec.count} machines"
        action = f"launch {machines} from {spec.image_id}"
        tags = {**spec.tags, names.DEPLOYMENT_TAG: self._deployment, names.TOKEN_TAG: token}
        await self._making.make(Order(spec, wanted, tags, self._region, action))
        made = tuple(each for each in await self._ours() if each.id in wanted)
        if len(made) != spec.count:
            unseen = self._account.error(
                CloudErrorKind.UNVERIFIED,
                f"{self.title} was asked to {action}, and lists {len(made)} of them.",
            )
            unseen.doubtful = True
            raise unseen
        return made

    async def terminate(self, instance_id: str) -> None:
        """Delete one machine with its disk, interface and address; one that is gone already is no error."""
        action = f"terminate {instance_id}"
        await self._calls.change(
            "DELETE", self._calls.id(calls.MACHINES, instance_id), calls.MACHINES, action
        )
        if self._leftovers.schedules:
            schedule = self._calls.id(calls.SCHEDULES, names.schedule_name(instance_id))
            try:
                await self._calls.change("DELETE", schedule, calls.SCHEDULES, action)
            except CloudError as error:  # the machine goes all the same; what is left of it is looked for
                _log().warning("a schedule was left behind", schedule=schedule, why=error.words)

    async def stop(self, instance_id: str) -> None:
        """Deallocate one machine, since one that is only shut down is paid for. Does not wait."""
        action = f"stop {instance_id}"
        machine = await self._machine(instance_id, action)
        if power_state(machine.properties.instance_view) not in ("deallocated", "deallocating"):
            await self._act(instance_id, "deallocate", action)

    async def start(self, instance_id: str) -> None:
        """Start one that rests; one that runs already is no error. Does not wait."""
        action = f"start {instance_id}"
        machine = await self._machine(instance_id, action)
        if power_state(machine.properties.instance_view) not in ("running", "starting"):
            await self._act(instance_id, "start", action)

    async def retag(self, instance_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags of a machine, and leave its others as they are."""
        machine = self._calls.id(calls.MACHINES, instance_id)
        await self._calls.change(
            "PATCH",
            f"{machine}/providers/{calls.TAGS.type}/default",
            calls.TAGS,
            f"tag {instance_id}",
            {"operation": "Merge", "properties": {"tags": dict(tags)}},
        )

    async def console_output(self, instance_id: str) -> str:
        """The newest of what it wrote to its console; empty where there is nothing yet."""
        return await self._observing.console_output(instance_id)

    async def health(self, instance_ids: Sequence[str]) -> Mapping[str, Health]:
        """What Azure's agent in each says; nothing of one that is gone."""
        return await self._observing.health(instance_ids, self._machine)

    async def activity(self, instance_ids: Sequence[str], during: timedelta) -> Mapping[str, Activity]:
        """What each of them did lately, by Azure Monitor's numbers of five minutes each."""
        return await self._observing.activity(instance_ids, during, self._clock().astimezone(UTC))

    async def leftovers(self) -> tuple[Leftover, ...]:
        """What of this deployment belongs to no machine."""
        parts = await self._leftovers.parts()  # first: a machine that is made meanwhile is seen then
        return await self._leftovers.found(await self._ours(), parts)

    async def remove_leftover(self, leftover: Leftover) -> None:
        """Delete one for good; see the port."""
        await self._leftovers.remove(leftover)

    async def close(self) -> None:
        """Nothing: the connections are the gallery's."""

    async def _machine(self, name: str, action: str) -> Machine:
        if not names.is_machine_name(name):
            raise self._account.error(
                CloudErrorKind.NOT_FOUND, f"{self.title} has no machine {name} that Slipway could have made."
            )
        path = self._calls.id(calls.MACHINES, name)
        document = await self._calls.read(path, calls.MACHINES, action, **{"$expand": "instanceView"})
        return read_machine(document, self._account)

    async def _ours(self) -> tuple[Instance, ...]:
        """All machines of this deployment, gone ones included, oldest first."""
        path = self._calls.id(calls.MACHINES)
        everywhere = f"{self._calls.subscription}/providers/{calls.MACHINES.type}"
        listed, states, (interfaces, addresses) = await asyncio.gather(
            self._calls.list(path, calls.MACHINES, "machines"),
            # Only the listing of the subscription tells what machines are doing.
            self._calls.list(everywhere, calls.MACHINES, "the states of machines", statusOnly="true"),
            self._addresses(),
        )
        machines = [
            read_machine(each, self._account) for each in listed if _deployment(each) == self._deployment
        ]
        ids = {each.id.casefold() for each in machines}
        views = read_views(states, ids, self._account)
        known: Addresses = read_addresses(interfaces, addresses, ids, self._account)
        found = (
            instance(each, views.get(each.id.casefold()), known, self._account.name) for each in machines
        )
        return tuple(sorted(found, key=lambda each: (each.launched_at, each.id)))

    async def _addresses(self) -> tuple[Sequence[Any], Sequence[Any]]:
        interfaces, addresses = await asyncio.gather(
            self._calls.list(self._calls.id(calls.INTERFACES), calls.INTERFACES, "network interfaces"),
            self._calls.list(self._calls.id(calls.ADDRESSES), calls.ADDRESSES, "public addresses"),
        )
        return interfaces, addresses

    async def _act(self, name: str, verb: str, action: str) -> None:
        path = f"{self._calls.id(calls.MACHINES, name)}/{verb}"
        await self._calls.change("POST", path, calls.MACHINES, action)


def _deployment(document: object) -> str | None:
    """Whose machine a document is, by its tag; None where it has none, or is no machine."""
    match document:
        case {"tags": {names.DEPLOYMENT_TAG: str(deployment)}}:
            return deployment
        case _:
            return None


def _log() -> Any:
    """The log, whose library takes long to import: who only checks a configuration needs none."""
    import structlog

    return structlog.get_logger(__name__)
