"""Machines that nobody uses: told of, and stopped where their profile says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog

from slipway.bot.chat.model import Card, Consequence, Tone
from slipway.bot.clouds.machine_model import Activity, InstanceState
from slipway.bot.clouds.ports.machines import StopsMachines, TellsActivity
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.times import format_duration
from slipway.bot.operations.watches import WatchHost
from slipway.bot.subjects.machines.leases.model import IDLE, Machine
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.settings import IdleAction, ProfileSettings
from slipway.bot.subjects.machines.watching.sight import REMEMBERED, Offer, Sight, Teller, offering

EVERY = timedelta(minutes=15)
"""How often a cloud is asked what machines do; asking costs."""

_ASKED = "activity asked"
_MIB = 1024 * 1024
_PAID_FOR = (InstanceState.RUNNING, InstanceState.SHUT_DOWN)

log = structlog.get_logger(__name__)


class IdleMachines:
    """All that is asked and told in one pass."""

    def __init__(self, services: MachineServices, sight: Sight, host: WatchHost, teller: Teller) -> None:
        self._services = services
        self._sight = sight
        self._host = host
        self._teller = teller
        self._now = int(sight.now.timestamp())

    async def look(self) -> None:
        """Look at those whose profile has a time after which nobody uses them, and that run for that long; and take
        back what was said of those that do not run any more."""
        await self._take_back()
        asked: dict[tuple[str, str, timedelta], list[Machine]] = defaultdict(list)
        for machine in await self._services.leases.living():
            profile = self._services.profiles.get(machine.profile)
            seen = self._sight.of(machine)
            if profile is None or profile.idle_after is None or seen is None or machine.of_step:
                continue
            if seen.state not in _PAID_FOR or machine.due(self._sight.now):
                continue
            lately = 0 <= self._now - machine.told.get(_ASKED, 0) < EVERY.total_seconds()
            if machine.launched_at + profile.idle_after <= self._sight.now and not lately:
                asked[machine.cloud, machine.region, profile.idle_after].append(machine)
        for (_, _, during), machines in asked.items():
            await self._ask(machines, during)

    async def _take_back(self) -> None:
        leases = self._services.leases
        for machine in (*await leases.living(), *await leases.gone_since(self._sight.now - REMEMBERED)):
            since, seen = machine.told.get(IDLE), self._sight.of(machine)
            if since is None:
                continue
            if not machine.living:
                card = Card(tone=Tone.DONE, title=f"{machine.instance_id}: ended")
            elif seen is not None and seen.state is InstanceState.STOPPED:
                again = Offer("start", "Start it again", f"start {machine.instance_id}", "Start")
                card = Card(title=f"{machine.instance_id} is stopped: nobody used it")
                card = offering(self._services, card, machine.owner, again)
            else:
                continue
            await self._say(machine, since, card)
            await leases.note(machine, told={key: at for key, at in machine.told.items() if key != IDLE})

    async def _ask(self, machines: Sequence[Machine], during: timedelta) -> None:
        account = self._services.holdings.at(machines[0])  # it was seen there, so it is configured
        if not isinstance(account, TellsActivity):
            return
        try:
            found = await account.activity([each.instance_id for each in machines], during)
        except (CloudError, UserError) as error:
            log.warning("it is not known what machines do", cloud=machines[0].cloud, why=str(error))
            found = {}
        for machine in machines:
            activity = found.get(machine.instance_id)
            await self._judge(machine, activity, stops=isinstance(account, StopsMachines))

    async def _judge(self, machine: Machine, activity: Activity | None, *, stops: bool) -> None:
        profile = self._services.profiles[machine.profile]
        told = {**machine.told, _ASKED: self._now}
        seen = self._sight.of(machine)
        # Of one that is shut down no cloud measures anything.
        down = seen is not None and seen.state is InstanceState.SHUT_DOWN
        idle = down or (activity is not None and self._idle(activity))
        since = machine.told.get(IDLE)
        stopping = stops and profile.idle_action is IdleAction.STOP
        # It is noted before it is said, and that it was asked only afterwards: a look may break off in between.
        unsaid = since is None or machine.told.get(_ASKED, 0) < since
        if idle and unsaid:
            if since is None:
                since = told[IDLE] = self._now
                await self._services.leases.note(machine, told={**machine.told, IDLE: since})
            await self._say(machine, since, self._card(machine, profile, stopping=stopping, down=down))
        elif since is not None and activity is not None and not idle:
            del told[IDLE]
            await self._say(
                machine, since, Card(tone=Tone.DONE, title=f"{machine.instance_id} is used again")
            )
        elif idle and since is not None and stopping and self._patience_over(since):
            if await self._host.frozen("stop", cloud=machine.cloud, name=machine.instance_id):
                return
            hour = (self._now - since) // 3600  # what failed is asked for again an hour later
            await self._host.ask(f"idle {machine.place} {since} {hour}", f"stop {machine.instance_id}", None)
        await self._services.leases.note(machine, told=told)

    def _idle(self, activity: Activity) -> bool:
        """Whether it did so little that nobody can have used it. What the cloud does not tell speaks for its use."""
        rules = self._services.rules
        if activity.cpu_percent is None or activity.cpu_percent >= rules.idle_cpu:
            return False
        return activity.network_bytes is not None and (activity.network_bytes < rules.idle_traffic_mib * _MIB)

    def _patience_over(self, since: int) -> bool:
        return self._now - since >= self._services.rules.idle_grace.total_seconds()

    async def _say(self, machine: Machine, since: int, card: Card) -> None:
        await self._teller.tell(f"idle {machine.place} {since}", card, machine.owner, machine.reservation_id)

    def _card(self, machine: Machine, profile: ProfileSettings, *, stopping: bool, down: bool) -> Card:
        rules, name = self._services.rules, machine.instance_id
        after = format_duration(profile.idle_after or timedelta())
        then = (
            f" It is stopped in {format_duration(rules.idle_grace)} unless it is used."
            if stopping
            else " It goes on until its time is up."
        )
        card = Card(
            tone=Tone.WARNING,
            title=f"Nobody seems to use {name}",
            text=(
                "It is shut down, and its cost goes on."
                if down
                else f"For {after} its CPU stayed below {rules.idle_cpu:g} % and its traffic below "
                f"{rules.idle_traffic_mib:g} MiB."
            )
            + then,
        )
        return offering(
            self._services,
            card,
            machine.owner,
            Offer("stop", "Stop it", f"stop {name}", "Stop"),
            Offer("terminate", "End it", f"terminate {name}", "Terminate", Consequence.ENDING),
        )
