"""What clouds can do, and the mapping from capability and name to the adapter that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar, cast

from slipway.bot.clouds.contact import CloudContact
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest


class Port(Protocol):
    """What every port has."""

    async def close(self) -> None:
        """Let go of connections."""
        ...


PortT = TypeVar("PortT", bound=Port)


@dataclass(frozen=True, eq=False)
class Capability(Generic[PortT]):
    """Something that a cloud can do, such as machines or image versions.

    Attributes:
        name: as people read it, such as ``image versions``.
        absent: makes what stands where nothing is configured: fulfils the port, and every call of it raises
            :class:`slipway.bot.core.errors.UserError` with one sentence. It is given the name that was asked
            for; empty where any would do.
    """

    name: str
    absent: Callable[[str], PortT]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Adapter:
    """One configured account of a cloud.

    Attributes:
        name: ``azure`` for the unnamed table, ``azure.staging`` for ``[azure.staging]``.
        ports: what it can do.
        contact: when its cloud answered last.
    """

    name: str
    ports: Mapping[Capability[Any], Port]
    contact: CloudContact = field(default_factory=CloudContact)

    def port(self, capability: Capability[PortT]) -> PortT:
        """What fulfils this capability, which it must have.

        Raises:
            KeyError: it has none.
        """
        return cast("PortT", self.ports[capability])


def unknown_account(wanted: str, known: Iterable[str], hint: str) -> UserError:
    """What somebody is told who named an account that there is none of.

    Args:
        wanted: what they named.
        known: the accounts that they may have meant.
        hint: what to type next.
    """
    names = tuple(known)
    configured = ", ".join(names) or "none"
    return UserError(
        f"No account is called {wanted}; configured: {configured}.",
        nearest=nearest(wanted, names),
        given=wanted,
        hint=hint,
    )


class Clouds:
    """The configured adapters, by capability and name. A name that is not configured gives the capability's
    ``absent``, so that nobody has to ask whether there is one."""

    def __init__(self, adapters: Iterable[Adapter] = ()) -> None:
        self._ports: dict[Capability[Any], dict[str, Port]] = {}
        self.contacts: dict[str, CloudContact] = {}
        """When each account's cloud answered last, by the account's name."""
        for adapter in adapters:
            self.contacts[adapter.name] = adapter.contact
            for capability, port in adapter.ports.items():
                self._ports.setdefault(capability, {})[adapter.name] = port

    def all(self, capability: Capability[PortT]) -> Mapping[str, PortT]:
        """Every adapter that can do this, by name, in the order of the configuration; empty if none can."""
        return MappingProxyType(cast("dict[str, PortT]", self._ports.get(capability, {})))

    def each(self, capability: Capability[PortT]) -> Mapping[str, PortT]:
        """The same, where each is to be asked: if none can do this, ``absent`` stands there and says so."""
        return self.all(capability) or {"": capability.absent("")}

    def get(self, capability: Capability[PortT], name: str) -> PortT:
        """The adapter of this name, or the capability's ``absent``."""
        found = self.all(capability).get(name)
        return found if found is not None else capability.absent(name)

    def only(self, capability: Capability[PortT]) -> PortT:
        """The first adapter that can do this, where it does not matter which or there is one; or ``absent``."""
        return next(iter(self.all(capability).values()), None) or capability.absent("")

    def with_ports(self, capability: Capability[PortT], ports: Mapping[str, PortT]) -> Clouds:
        """The same, with other ports for one capability, by the adapters' names."""
        other = Clouds()
        other.contacts = self.contacts
        other._ports = {**self._ports, capability: dict(ports)}
        return other

    async def close(self) -> None:
        """Let go of every connection, each port once."""
        async with AsyncExitStack() as stack:
            for port in {
                id(port): port for ports in self._ports.values() for port in ports.values()
            }.values():
                stack.push_async_callback(port.close)
