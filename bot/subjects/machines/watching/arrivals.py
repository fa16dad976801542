"""Telling owners once that the machines they launched came up and how to log in; or that they did not, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network

import structlog

from slipway.bot.chat.model import Card, Consequence, Field, Tone
from slipway.bot.clouds.machine_model import Health, HealthState, InstanceState
from slipway.bot.clouds.ports.machines import Machines, ShowsConsole, TellsHealth
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.reasons import clean_reason, with_reason
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.machines.leases.model import AWAITED, Machine
from slipway.bot.subjects.machines.requests import Launch
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.watching.host_keys import HostKey, host_keys
from slipway.bot.subjects.machines.watching.sight import Offer, Sight, Teller, group_of, offering

PATIENCE = timedelta(minutes=15)
"""How long after its launch a machine is waited for of which the cloud does not say whether it came up."""

FOR_KEYS = timedelta(minutes=3)
"""How long the host keys of one that came up are waited for: a console may be shown some minutes late."""

GIVEN_UP = timedelta(hours=1)
"""How long after its launch one is looked at whose checks fail."""

_FORGOTTEN = timedelta(days=1)  # who could not be told for so long has seen for themselves
_CHECKED = 100  # machines of a region in one pass: one call of EC2's
_READ = 20  # consoles in one pass

_UP, _UNSURE, _FAILED = "up", "up unsure", "not up"
"""Among what a machine's owner was told: at which moment it was to be told, for what is told together."""

_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
"""Sources: RFC 1918, RFC 6598, RFC 4193."""

_ENDS = ("terminate", "expire")  # kinds of operation
_UNDER_WAY_OR_DONE = (OperationState.RUNNING, OperationState.DONE, OperationState.FAILED)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Arrived:
    """A machine that came up, as far as that is known, and what is said of it."""

    machine: Machine
    login: str  # empty where nobody is to log in
    address: str
    keys: tuple[HostKey, ...]

    @property
    def how(self) -> str:
        """How it is reached."""
        if not self.address:
            return "no address"
        return f"`ssh {self.login}@{self.address}`" if self.login else self.address


class Arrivals:
    """All that is looked at and told in one pass.

    Args:
        services: what is stored, and the clouds.
        sight: what was seen.
        teller: tells owners.
    """

    def __init__(self, services: MachineServices, sight: Sight, teller: Teller) -> None:
        self._services = services
        self._leases = services.leases
        self._sight = sight
        self._teller = teller
        self._now = int(sight.now.timestamp())
        self._read: dict[str, tuple[HostKey, ...]] = {}
        self._logins: dict[str, str] = {}

    async def tell(self) -> None:
        """Look at those that are waited for, and tell of those that came up, fail, or are gone before."""
        places: dict[tuple[str, str], list[Machine]] = defaultdict(list)
        forgotten: list[Machine] = []
        for machine in await self._awaited():
            if machine.launched_at + _FORGOTTEN <= self._sight.now:
                forgotten.append(machine)
            elif not {_UP, _UNSURE} & machine.told.keys() and self._runs(machine):
                places[machine.cloud, machine.region].append(machine)
        await self._settle(forgotten)
        for machines in places.values():
            await self._look(machines[:_CHECKED])
        for since in (_UP, _UNSURE):
            await self._tell_arrived(since)
        for machine in await self._leases.gone_since(self._sight.now - _FORGOTTEN):
            if AWAITED in machine.told:
                await self._tell_ended(machine)

    async def _awaited(self) -> list[Machine]:
        return [each for each in await self._leases.living() if AWAITED in each.told]

    def _runs(self, machine: Machine) -> bool:
        seen = self._sight.of(machine)
        return seen is not None and seen.state is InstanceState.RUNNING

    async def _settle(self, machines: Sequence[Machine]) -> None:
        """Wait for these no longer."""
        await self._leases.note_each([(each, {"told": _settled(each)}) for each in machines])

    async def _look(self, machines: Sequence[Machine]) -> None:
        """Look at machines of one region, and note those of which it is time to tell."""
        account = self._services.holdings.at(machines[0])  # they were seen there, so it is configured
        found: Mapping[str, Health] = {}
        if isinstance(account, TellsHealth):
            try:
                found = await account.health([each.instance_id for each in machines])
            except CloudError as error:
                log.warning(
                    "it is not known whether machines came up", cloud=machines[0].cloud, why=error.words
                )
                return
        judged = [(each, await self._judge(each, found.get(each.instance_id), account)) for each in machines]
        await self._leases.note_each([(each, {"told": told}) for each, told in judged if told != each.told])

    async def _judge(self, machine: Machine, health: Health | None, account: Machines) -> Mapping[str, int]:
        """Tell of one that fails; else see whether it is time to tell of it. What is to be noted of that."""
        waited = self._sight.now - machine.launched_at
        match health.state if health is not None else HealthState.UNKNOWN:
            case HealthState.FAILED:
                if _FAILED not in machine.told:
                    await self._tell_failed(
                        machine, account.title, health.reason if health is not None else ""
                    )
                    return {**machine.told, _FAILED: self._now}
                return _settled(machine) if waited >= GIVEN_UP else machine.told
            case HealthState.UNKNOWN if isinstance(account, TellsHealth) and waited < PATIENCE:
                return machine.told
            case state:
                since = machine.told[AWAITED] or self._now
                told = {**machine.told, AWAITED: since}
                if await self._enough(machine, account, since):
                    told[_UP if state is HealthState.PASSED else _UNSURE] = self._now
                return told

    async def _enough(self, machine: Machine, account: Machines, since: int) -> bool:
        """Whether all is known that can be told of one that came up then, or was waited for long enough."""
        if not await self._login_of(machine):
            return True
        if len(self._read) < _READ:
            self._read[machine.place] = await self._host_keys(machine, account)
        seen = self._sight.of(machine)
        whole = self._read.get(machine.place) and seen is not None and seen.address
        return bool(whole) or self._now - since >= FOR_KEYS.total_seconds()

    async def _host_keys(self, machine: Machine, account: Machines) -> tuple[HostKey, ...]:
        if not isinstance(account, ShowsConsole):
            return ()
        try:
            return host_keys(await account.console_output(machine.instance_id))
        except CloudError as error:
            log.warning("a machine's console could not be read", machine=machine.place, why=error.words)
            return ()

    async def _login_of(self, machine: Machine) -> str:
        """Whom its launch let log in; empty where nobody is to."""
        launch = machine.reservation_id or ""
        if launch not in self._logins:
            claim = await self._leases.reservation(launch)
            operation = await self._services.operations.find(launch)
            request = operation.plan.request if operation is not None else None
            nobody = claim is None or (isinstance(request, Launch) and not request.ssh)
            self._logins[launch] = "" if claim is None or nobody else claim.ssh_user
        return self._logins[launch]

    async def _tell_arrived(self, since: str) -> None:
        """Tell of those that are noted so. What was noted at once of one launch is one message, which waits where one
        of them is not seen now."""
        together: dict[tuple[str, str, int], list[Machine]] = defaultdict(list)
        for machine in await self._awaited():
            if since in machine.told:
                together[group_of(machine), machine.owner, machine.told[since]].append(machine)
        for (group, owner, at), machines in together.items():
            if any(self._sight.of(each) is None for each in machines):
                continue
            arrived = [await self._arrived(each) for each in machines]
            card = self._up_card(arrived, sure=since == _UP)
            await self._teller.tell(f"{since} {group} {owner} {at}", card, owner, machines[0].reservation_id)
            for machine in machines:
                if _FAILED in machine.told:
                    after_all = Card(tone=Tone.DONE, title=f"{machine.instance_id}: came up after all")
                    await self._say_of(machine, _FAILED, after_all)
            await self._settle(machines)

    async def _arrived(self, machine: Machine) -> _Arrived:
        login, seen = await self._login_of(machine), self._sight.of(machine)
        if login and machine.place not in self._read:
            self._read[machine.place] = await self._host_keys(machine, self._services.holdings.at(machine))
        keys = self._read.get(machine.place, ())
        return _Arrived(machine, login, seen.address if seen is not None else "", keys)

    def _up_card(self, arrived: Sequence[_Arrived], *, sure: bool) -> Card:
        first, one = arrived[0], len(arrived) == 1
        which = first.machine.instance_id if one else f"{len(arrived)} machines"
        state = ("is up" if one else "are up") if sure else ("runs" if one else "run")
        lines = [each.how if one else f"{each.machine.instance_id}: {each.how}" for each in arrived]
        if not sure:
            cloud = self._services.holdings.at(first.machine).title
            lines.append(f"{cloud} does not say whether {'it' if one else 'they'} came up.")
        if any(_is_private(each.address) for each in arrived):
            lines.append("A private address is reached from inside its network only.")
        card = Card(
            tone=Tone.DONE if sure else Tone.INFO,
            title=f"{which} {state}",
            text="\n".join(lines),
            fields=_host_key_fields(arrived),
        )
        dark = [each.machine.instance_id for each in arrived if each.login and not each.keys]
        if not dark:
            return card
        card = card.model_copy(update={"notes": (_no_keys(dark),)})
        return offering(self._services, card, first.machine.owner, _logs(dark[0]))

    async def _tell_failed(self, machine: Machine, cloud: str, reason: str) -> None:
        name = machine.instance_id
        card = Card(
            tone=Tone.FAILED,
            title=f"{name} did not come up",
            text=with_reason(
                f"{cloud}'s own checks of it fail. It goes on until its time is up.", clean_reason(reason)
            ),
        )
        ending = Offer("terminate", "End it", f"terminate {name}", "Terminate", Consequence.ENDING)
        card = offering(self._services, card, machine.owner, _logs(name), ending)
        await self._say_of(machine, _FAILED, card)

    async def _tell_ended(self, machine: Machine) -> None:
        """Tell of one that is gone before it came up, unless Slipway ended it, which is told of already."""
        target = f"machine {machine.cloud} {machine.instance_id}"
        by_us = await self._services.operations.past(_ENDS, _UNDER_WAY_OR_DONE, [target])
        if not by_us:
            name = machine.instance_id
            try:
                sentence, reason = await self._why_ended(machine)
            except (CloudError, UserError) as error:
                log.warning("it is not known why a machine ended", machine=machine.place, why=str(error))
                return
            card = Card(
                tone=Tone.FAILED,
                title=f"{name} ended before it came up",
                text=with_reason(sentence, reason),
                notes=("Nothing was launched in its place.",),
            )
            await self._say_of(machine, "ended", card)
        await self._settle([machine])

    async def _why_ended(self, machine: Machine) -> tuple[str, str]:
        """That a machine is gone, and why, in its cloud's own words; empty where it does not say."""
        account = self._services.holdings.at(machine)
        try:
            end = (await account.instance(machine.instance_id)).end
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            end = None
        if end is None:
            return f"{account.title} does not say why.", ""
        by_itself = end.kind is not CloudErrorKind.UNVERIFIED
        sentence = f"{account.title} ended it." if by_itself else "Somebody ended it there."
        return sentence, clean_reason(end.reason)

    async def _say_of(self, machine: Machine, what: str, card: Card) -> None:
        await self._teller.tell(f"{what} {machine.place}", card, machine.owner, machine.reservation_id)


def _settled(machine: Machine) -> Mapping[str, int]:
    """What was told of one that is waited for no longer."""
    gone = {AWAITED, _UP, _UNSURE, _FAILED}
    return {entry: at for entry, at in machine.told.items() if entry not in gone}


def _host_key_fields(arrived: Sequence[_Arrived]) -> tuple[Field, ...]:
    """All of one machine; of several the first of each, which is the one that people are shown."""
    if len(arrived) == 1:
        return tuple(Field(label=f"Host key {key.kind}", value=key.fingerprint) for key in arrived[0].keys)
    return tuple(
        Field(label=f"{each.machine.instance_id} {each.keys[0].kind}", value=each.keys[0].fingerprint)
        for each in arrived
        if each.keys
    )


def _no_keys(dark: Sequence[str]) -> str:
    whose = dark[0] if len(dark) == 1 else f"{len(dark)} machines"
    return f"The console of {whose} does not show the fingerprints of host keys."


def _logs(name: str) -> Offer:
    return Offer("instance.logs", "See its console", f"instance logs {name}")


def _is_private(address: str) -> bool:
    try:
        return any(ip_address(address) in network for network in _PRIVATE)
    except ValueError:
        return False
