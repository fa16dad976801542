"""Machines, what they are launched from, and what is known before they are: in words common to all clouds.

Everything that is found says where: ``cloud`` is the name of the adapter that found it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from slipway.bot.core.errors import CloudErrorKind, Remedy


@dataclass(frozen=True)
class MachineImage:
    """An image that machines can be launched from. ``state`` is the cloud's own word."""

    id: str
    name: str
    architecture: str
    state: str
    owner: str
    region: str
    created_at: datetime | None = None
    deprecated_at: datetime | None = None
    cloud: str = field(kw_only=True)
    launchable: bool = field(kw_only=True)

    @property
    def called(self) -> str:
        """How people tell it from others: by its name, or by its id where that says the name already."""
        return self.id if self.id.startswith(f"{self.name}/") else self.name

    @property
    def words(self) -> str:
        """Name and id, as a card has them."""
        return self.id if self.called == self.id else f"{self.name} ({self.id})"


def template_in_words(name: str, version: int | str) -> str:
    """A template and its version: ``slipway-small v2``, or ``cloudy (be3714df8dbb)`` where that is no number."""
    return f"{name} v{version}" if isinstance(version, int) else f"{name} ({version})"


@dataclass(frozen=True)
class Template:
    """How machines are set up, resolved to one immutable version: a launch template of the cloud's, or a description
    in slipway.toml where the cloud has none.

    Attributes:
        id: the cloud's; of a description, its name.
        version: its number, or as the cloud writes it; of a description, the beginning of its digest.
        architectures: what the machine type can run; empty where not known.
        user_data: what it has cloud-init do, decoded; empty for nothing.
        fixed: what else it fixes, as labelled words for people: ``("Subnet", "subnet-0abc")``.
        backstop: what ends its machines where the bot itself is gone; None for what the account has for all.
    """

    id: str
    name: str
    version: int | str
    instance_type: str | None
    image_id: str | None = None
    architectures: tuple[str, ...] = ()
    user_data: bytes = b""
    fixed: tuple[tuple[str, str], ...] = ()
    backstop: Backstop | None = None

    @property
    def words(self) -> str:
        """Its name and version."""
        return template_in_words(self.name, self.version)

    def as_type(self, instance_type: str, architectures: tuple[str, ...]) -> Template:
        """The same with machines of another type."""
        return replace(self, instance_type=instance_type, architectures=architectures)


class InstanceState(StrEnum):
    """What a machine is doing."""

    PENDING = "pending"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SHUT_DOWN = "stopped, still paid for"
    """Shut down from inside on a cloud that keeps its place for it: the cost of running goes on."""

    @property
    def gone(self) -> bool:
        """Whether the machine is gone or going for good."""
        return self in (InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED)


@dataclass(frozen=True, slots=True)
class InstanceEnd:
    """Why a machine is gone, where the cloud says.

    Attributes:
        kind: decides whose move it is; UNVERIFIED where somebody ended it.
        reason: the cloud's own words.
        code: the cloud's code for it.
        remedy: what to type next.
    """

    kind: CloudErrorKind
    reason: str
    code: str = ""
    remedy: Remedy = field(default_factory=Remedy)


@dataclass(frozen=True)
class Instance:
    """A machine. Its tags tell who asked for it and until when."""

    id: str
    image_id: str
    instance_type: str
    state: InstanceState
    region: str
    launched_at: datetime
    address: str = ""  # public address, or the private one, or empty
    tags: Mapping[str, str] = field(default_factory=dict)
    end: InstanceEnd | None = None  # of a machine that is gone
    cloud: str = field(kw_only=True)


@dataclass(frozen=True)
class LaunchSpec:
    """What one launch asks for. All or nothing: ``count`` machines or none.

    Attributes:
        template_id: the template's id.
        template_version: its version, resolved.
        image_id: what they are launched from.
        count: how many.
        tags: what they are tagged with, beside the adapter's own tags.
        instance_type: their type; None for the template's.
        user_data: what cloud-init is to do; None leaves what the template has.
        login: the user that ``keys`` are for, on clouds that make that user themselves.
        keys: public keys, a line each: ``ssh-ed25519 AAAA… comment``. Those clouds that do not put them in place
            themselves leave it to ``user_data``.
        ends_at: the latest moment of their whole life, for a cloud that can end them by itself.
    """

    template_id: str
    template_version: int | str
    image_id: str
    count: int
    tags: Mapping[str, str]
    instance_type: str | None = None
    user_data: bytes | None = None
    login: str = ""
    keys: tuple[str, ...] = ()
    ends_at: datetime | None = None


class Permission(StrEnum):
    """Whether the bot's own credentials let it do something, as far as the cloud tells without doing it."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SshAccess:
    """From where port 22 can be reached, by the rules of the firewall that a template puts before its machines.

    Attributes:
        sources: address ranges, and names of groups or lists of them, in the cloud's own words.
        public_address: whether machines get an address that the internet knows; None where that is not known.
    """

    sources: tuple[str, ...]
    public_address: bool | None = None

    @property
    def closed(self) -> bool:
        """Whether nobody reaches it."""
        return not self.sources

    @property
    def open_to_world(self) -> bool:
        """Whether everybody reaches it."""
        return any(source.casefold() in _WORLD for source in self.sources)


_WORLD = frozenset({"0.0.0.0/0", "::/0", "*", "internet", "any"})


@dataclass(frozen=True)
class QuotaUse:
    """How much of a quota is used, and how much a launch would take; ``unit`` as the cloud counts, such as vCPUs."""

    name: str
    used: float
    limit: float
    needed: float
    unit: str

    @property
    def enough(self) -> bool:
        """Whether the launch fits."""
        return self.used + self.needed <= self.limit


@dataclass(frozen=True)
class Preflight:
    """What is known of a launch before it.

    Attributes:
        permission: whether the bot may do it.
        why: what is missing, in the cloud's words; empty where nothing is.
        ssh: from where port 22 is reached; None where that is not known.
        ssh_unknown: why it is not known.
        quotas: those that it counts against, as far as they are known.
    """

    permission: Permission
    why: str = ""
    ssh: SshAccess | None = None
    ssh_unknown: str = ""
    quotas: tuple[QuotaUse, ...] = ()


class Backstop(StrEnum):
    """What ends a machine at the end of its whole life where the bot itself is gone."""

    GUEST_TIMER = "timer in the machine"  # shutting down from inside ends it, and its cost
    CLOUD_SCHEDULE = "schedule of the cloud"  # the cloud stops it, which ends the cost of running
    NONE = "no backstop"


@dataclass(frozen=True)
class KeyVerdict:
    """Whether a public key can be put into the machines of a cloud.

    Attributes:
        taken: whether it can be.
        why: why not, or what it rests on where the cloud itself does not put it in: the rest of a sentence that
            begins with “it”; empty where there is nothing to say.
    """

    taken: bool = True
    why: str = ""


class HealthState(StrEnum):
    """Whether a machine came up, by its cloud's own checks."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"  # they run still, or the cloud has none of this machine


@dataclass(frozen=True)
class Health:
    """What a cloud's own checks of a machine say; ``reason`` is why they failed, in the cloud's words."""

    state: HealthState
    reason: str = ""


@dataclass(frozen=True)
class Activity:
    """How much a machine did in a span of time, as far as the cloud tells; None for what it does not.

    Attributes:
        cpu_percent: the highest average of five minutes.
        network_bytes: sent and received.
    """

    cpu_percent: float | None = None
    network_bytes: float | None = None


@dataclass(frozen=True)
class Leftover:
    """Something that a launch made and that belongs to no machine any more: a disk, an interface, an address.

    Attributes:
        id: the cloud's.
        kind: in words, such as ``network interface``.
        token: of the launch that made it, where its tags say.
    """

    id: str
    kind: str
    region: str
    token: str = ""
    cloud: str = field(kw_only=True)
