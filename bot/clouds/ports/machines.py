"""Machines: images and templates to launch them from, launching, looking, terminating.

:class:`Machines` is what every adapter has. What a cloud may be able to do besides has a protocol of its own, and is
asked for by ``isinstance``; where an adapter lacks it, people are told that the cloud does not say, or cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NoReturn, Protocol, Self, runtime_checkable

from slipway.bot.clouds.capabilities import Capability
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
from slipway.bot.core.errors import UserError


class Machines(Protocol):
    """Where machines are launched: one account, as seen from one of its regions.

    :meth:`instances` lists machines of all configured regions; everything else is of :attr:`region`.
    """

    @property
    def title(self) -> str:
        """What people call it in a sentence, such as ``EC2``."""
        ...

    @property
    def region(self) -> str:
        """The region all ids belong to."""
        ...

    @property
    def regions(self) -> tuple[str, ...]:
        """All configured regions of the account, :attr:`region` first."""
        ...

    @property
    def backstop(self) -> Backstop:
        """What ends a machine at the end of its whole life where the bot itself is gone."""
        ...

    def at(self, region: str) -> Self:
        """The same account, as seen from another of its regions; shares connections, and is not closed.

        Raises:
            UserError: the region is not configured.
        """
        ...

    def could_be_image_id(self, text: str) -> bool:
        """Whether this is how the cloud writes ids of images, rather than a name; asks nobody."""
        ...

    def could_be_instance_id(self, text: str) -> bool:
        """Whether this, written in small letters, is how the cloud writes ids of machines; asks nobody."""
        ...

    async def images(self) -> tuple[MachineImage, ...]:
        """All images of the configured owners."""
        ...

    async def image(self, image_id: str) -> MachineImage:
        """One image by id; CloudError NOT_FOUND where there is none or its owner is not configured."""
        ...

    async def template(self, name: str, version: int | str | None = None) -> Template:
        """A launch template by name, or as the cloud writes ids of them, at this version or else its default one,
        resolved to a number."""
        ...

    async def template_names(self) -> tuple[str, ...]:
        """The names of all launch templates in the region, in order."""
        ...

    async def instances(self) -> tuple[Instance, ...]:
        """All machines that carry this deployment's tag and are not gone, of all configured regions."""
        ...

    async def instances_named(self, ids: Sequence[str]) -> tuple[Instance, ...]:
        """Those of these ids that :meth:`instances` would list; an id of no such machine is no error."""
        ...

    async def instance(self, instance_id: str) -> Instance:
        """One machine by id, gone ones included while the cloud still shows them; NOT_FOUND otherwise."""
        ...

    async def launched_with(self, token: str) -> tuple[Instance, ...]:
        """The machines that the launch with this token made, gone ones included, however long ago it can tell."""
        ...

    async def launch(self, spec: LaunchSpec, token: str) -> tuple[Instance, ...]:
        """Launch machines once for one token (at most 64 ASCII characters), tagged with deployment and token."""
        ...

    async def terminate(self, instance_id: str) -> None:
        """Terminate one machine; one that is going or gone already is no error. Does not wait for its end."""
        ...

    async def retag(self, instance_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags of a machine, and leave its others as they are."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class ChecksLaunches(Protocol):
    """A cloud that tells before a launch what would become of it."""

    async def preflight(self, spec: LaunchSpec) -> Preflight:
        """What is known of this launch before it; what cannot be known is called so, and fails nothing.

        Raises:
            CloudError: the cloud cannot be reached at all.
        """
        ...


@runtime_checkable
class LaunchesOneByOne(Protocol):
    """A cloud that makes each machine of a launch by itself, so that one which broke off may have made some.

    Asked for the launch again, it goes on with the others, or takes away what there is where that cannot be.
    """

    @property
    def one_by_one(self) -> bool:
        """That it does."""
        ...


@runtime_checkable
class KnowsMachineTypes(Protocol):
    """A cloud that tells of its machine types."""

    async def architectures(self, instance_type: str) -> tuple[str, ...]:
        """What machines of a type can run.

        Raises:
            CloudError: NOT_FOUND where the region has no such type.
        """
        ...


@runtime_checkable
class JudgesKeys(Protocol):
    """A cloud that does not take each kind of public key that sshd takes, or not in the same way."""

    def key_verdict(self, key: str) -> KeyVerdict:
        """Whether a key, a line of authorized_keys, can be put into machines here; asks nobody."""
        ...


@runtime_checkable
class StopsMachines(Protocol):
    """A cloud where a machine can rest without the cost of running."""

    async def stop(self, instance_id: str) -> None:
        """Stop one machine, so that only its disks cost; one that rests already is no error. Does not wait."""
        ...

    async def start(self, instance_id: str) -> None:
        """Start one that rests; one that runs already is no error. Does not wait."""
        ...


@runtime_checkable
class ShowsConsole(Protocol):
    """A cloud that keeps what a machine writes to its console."""

    async def console_output(self, instance_id: str) -> str:
        """The newest of it, as far as the cloud has it; empty where there is none yet. It may hold passwords."""
        ...


@runtime_checkable
class TellsHealth(Protocol):
    """A cloud that looks whether a machine came up."""

    async def health(self, instance_ids: Sequence[str]) -> Mapping[str, Health]:
        """What its own checks of machines of this region say; one of which it tells nothing is left out."""
        ...


@runtime_checkable
class TellsActivity(Protocol):
    """A cloud that measures what machines do."""

    async def activity(self, instance_ids: Sequence[str], during: timedelta) -> Mapping[str, Activity]:
        """What each of them did lately; one of which nothing is known is left out."""
        ...


@runtime_checkable
class FindsLeftovers(Protocol):
    """A cloud where something of a launch can be left behind."""

    async def leftovers(self) -> tuple[Leftover, ...]:
        """What carries this deployment's tag and belongs to no machine, of all configured regions."""
        ...

    async def remove_leftover(self, leftover: Leftover) -> None:
        """Delete one for good; one that is gone already is no error.

        Raises:
            CloudError: CONFLICT where it belongs to a machine by now.
        """
        ...


class NotConfiguredMachines:
    """Stands where no cloud for machines is configured, or none of the name that was asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def title(self) -> str:
        """The name that was asked for."""
        return self._name

    @property
    def region(self) -> str:
        """Raises UserError."""
        self._refuse()

    @property
    def regions(self) -> tuple[str, ...]:
        """Raises UserError."""
        self._refuse()

    @property
    def backstop(self) -> Backstop:
        """Raises UserError."""
        self._refuse()

    def at(self, region: str) -> Self:
        """Raises UserError."""
        self._refuse()

    def could_be_image_id(self, text: str) -> bool:
        """No text is an id here."""
        return False

    def could_be_instance_id(self, text: str) -> bool:
        """No text is an id here."""
        return False

    async def images(self) -> tuple[MachineImage, ...]:
        """Raises UserError."""
        self._refuse()

    async def image(self, image_id: str) -> MachineImage:
        """Raises UserError."""
        self._refuse()

    async def template(self, name: str, version: int | str | None = None) -> Template:
        """Raises UserError."""
        self._refuse()

    async def template_names(self) -> tuple[str, ...]:
        """Raises UserError."""
        self._refuse()

    async def instances(self) -> tuple[Instance, ...]:
        """Raises UserError."""
        self._refuse()

    async def instances_named(self, ids: Sequence[str]) -> tuple[Instance, ...]:
        """Raises UserError."""
        self._refuse()

    async def instance(self, instance_id: str) -> Instance:
        """Raises UserError."""
        self._refuse()

    async def launched_with(self, token: str) -> tuple[Instance, ...]:
        """Raises UserError."""
        self._refuse()

    async def launch(self, spec: LaunchSpec, token: str) -> tuple[Instance, ...]:
        """Raises UserError."""
        self._refuse()

    async def terminate(self, instance_id: str) -> None:
        """Raises UserError."""
        self._refuse()

    async def retag(self, instance_id: str, tags: Mapping[str, str]) -> None:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        if self._name:
            raise UserError(
                f"No machines can be launched in {self._name}: slipway.toml has no [{self._name}] table that says "
                "where."
            )
        raise UserError("This Slipway launches no machines: slipway.toml has no table of a cloud that can.")


MACHINES: Capability[Machines] = Capability("machines", NotConfiguredMachines)
