"""Carrying out the second step of a boot test: its machine is looked at until it came up or did not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Health, HealthState, Instance, InstanceState
from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, ImageEvidence, Outcome
from slipway.bot.clouds.ports.machines import Machines, ShowsConsole, TellsHealth
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock, format_duration
from slipway.bot.core.waiting import Sleep
from slipway.bot.people import service_id
from slipway.bot.subjects.machines.consoles import readable
from slipway.bot.subjects.machines.doubts import conflict, machines_of
from slipway.bot.subjects.machines.testing.judging import (
    PATIENT,
    CameUp,
    CloudInit,
    DidNotComeUp,
    HostSeen,
    LoggedIn,
    NoResult,
    Result,
    Seen,
    judged,
    judged_at_end,
)
from slipway.bot.subjects.machines.testing.login import LoginTrial
from slipway.bot.subjects.machines.testing.steps import WatchBoot
from slipway.bot.subjects.machines.testing.terms import ENDING, launch_token
from slipway.bot.subjects.machines.watching.host_keys import host_keys

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases

PAUSE = timedelta(seconds=15)
"""Between two looks. A status check of EC2's is made each minute (EC2 User Guide, “Status checks”)."""

SOURCE = service_id("boot-test")
"""Whose word the result of a boot test is, whoever asked for it: of several the newest counts."""


@dataclass(frozen=True)
class Sights:
    """By what a machine is looked at.

    Attributes:
        clouds: one of them has it.
        leases: since when it is there.
        login: tries to log in; None where there is no key to do that with.
        clock: the present.
        sleep: passes the time between two looks.
    """

    clouds: Clouds
    leases: Leases
    login: LoginTrial | None
    clock: Clock
    sleep: Sleep


class WatchBootExecutor:
    """Carries out :class:`.steps.WatchBoot`. Its token is the key of what it records, so that is there once.

    Args:
        sights: by what the machine is looked at.
        evidence: gives what keeps results.
    """

    def __init__(self, sights: Sights, evidence: Callable[[], ImageEvidence]) -> None:
        self._sights = sights
        self._evidence = evidence
        self._unrecorded: dict[str, Result] = {}
        """Results about images of no gallery, by token: a later process looks again."""

    async def observe(self, step: WatchBoot, token: str) -> StepDone | None:
        """Done already if its result is recorded.

        Raises:
            CloudError: UNVERIFIED where that is that it did not come up; CONFLICT where nothing was launched.
        """
        known = await self._evidence().recorded(token)
        if known is not None:
            return _told(step, known.outcome, known.summary, known.detail, already=True)
        machines = machines_of(self._sights.clouds, step)
        if not await machines.launched_with(launch_token(token, step.launch)):
            raise conflict(step, "There is no machine to look at, so there is no result.")
        return None

    async def act(self, step: WatchBoot, token: str) -> None:
        """Look until it is certain, or no time is left; record what was found out.

        Raises:
            CloudError: there is no result, and why.
        """
        result = await self._result(step, token)
        match result:
            case NoResult(sentence, kind):
                raise CloudError(
                    kind,
                    cloud=step.cloud,
                    sentence=f"There is no result for {step.image_name}: {sentence}",
                )
            case CameUp() | DidNotComeUp():
                if not step.definition:
                    self._unrecorded[token] = result
                    return
                await self._evidence().record(
                    Evidence(
                        cloud=step.cloud,
                        definition=step.definition,
                        version=step.version,
                        kind=EvidenceKind.BOOT,
                        outcome=_outcome(result),
                        summary=result.summary,
                        source=SOURCE,
                        at=self._sights.clock(),
                        key=token,
                        detail=result.detail,
                    )
                )

    async def verify(self, step: WatchBoot, token: str) -> StepDone:
        """Say what was found out.

        Raises:
            CloudError: UNVERIFIED where it did not come up, or where the result is not there.
        """
        known = await self._evidence().recorded(token)
        if known is not None:
            return _told(step, known.outcome, known.summary, known.detail, already=False)
        result = self._unrecorded.pop(token, None)
        if isinstance(result, CameUp | DidNotComeUp):
            return _told(step, _outcome(result), result.summary, result.detail, already=False)
        raise CloudError(
            CloudErrorKind.UNVERIFIED,
            cloud=step.cloud,
            sentence=f"The result for {step.image_name} was recorded, and is not there.",
        )

    async def _result(self, step: WatchBoot, token: str) -> Result:
        sights = self._sights
        launch = launch_token(token, step.launch)
        claim = await sights.leases.reservation(launch)
        limit = timedelta(seconds=step.seconds)
        ends_at = claim.lease_ends_at - ENDING if claim is not None else sights.clock() + limit
        machines = machines_of(sights.clouds, step)
        seen = Seen(
            cloud=machines.title,
            tells=isinstance(machines, TellsHealth),
            log_in=step.log_in,
            consoles=PATIENT if isinstance(machines, ShowsConsole) else 0,
        )
        for number in range(_looks(ends_at - sights.clock())):
            if number:
                await sights.sleep(PAUSE.total_seconds())
            seen = await self._look(step, launch, machines, seen)
            result = judged(seen)
            if result is not None:
                return result
            if self._over(ends_at):
                break
        return judged_at_end(seen, format_duration(limit))

    def _over(self, ends_at: datetime) -> bool:
        return ends_at <= self._sights.clock()

    async def _look(self, step: WatchBoot, launch: str, machines: Machines, before: Seen) -> Seen:
        """Look once. What cannot be looked at now may be at the next look; it is never taken for a result."""
        try:
            found = await machines.launched_with(launch)
            if not found:
                return replace(before, trouble="it is not listed", failing=0)
            if found[0].state.gone:
                return replace(before, gone=_why_gone(found[0]))
            health = await _health(machines, found[0])
        except CloudError as error:
            return replace(before, trouble=error.words)
        failing = before.failing + 1 if health.state is HealthState.FAILED else 0
        seen = replace(before, health=health.state, reason=health.reason, failing=failing, trouble="")
        if self._sights.login is None or not step.log_in:
            return seen
        if not _is_done(before):
            if found[0].state is not InstanceState.RUNNING or health.state is HealthState.FAILED:
                return seen
            seen = replace(seen, login=await self._sights.login.attempt(found[0].address, step.login))
        return await _with_host(machines, found[0], seen)


def _looks(left: timedelta) -> int:
    """How many looks fit into what time is left; one always does."""
    return 1 + max(0, ceil(left / PAUSE))


async def _health(machines: Machines, machine: Instance) -> Health:
    if not isinstance(machines, TellsHealth):
        return Health(HealthState.UNKNOWN)
    return (await machines.health([machine.id])).get(machine.id, Health(HealthState.UNKNOWN))


async def _with_host(machines: Machines, machine: Instance, seen: Seen) -> Seen:
    """The same, with whether what let somebody log in is the machine, as far as its console shows its keys."""
    ready = _is_done(seen) and seen.host is HostSeen.UNKNOWN and seen.consoles
    if not ready or not isinstance(seen.login, LoggedIn) or not isinstance(machines, ShowsConsole):
        return seen
    try:
        keys = host_keys(readable(await machines.console_output(machine.id)))
    except CloudError:  # without the console it is unverified, and no more
        keys = ()
    if not keys or not seen.login.host_key:
        return replace(seen, consoles=seen.consoles - 1)
    same = any(key.fingerprint == seen.login.host_key for key in keys)
    return replace(seen, host=HostSeen.SAME if same else HostSeen.OTHER)


def _is_done(seen: Seen) -> bool:
    return isinstance(seen.login, LoggedIn) and seen.login.cloud_init is not CloudInit.RUNNING


def _why_gone(machine: Instance) -> str:
    if machine.end is None or not machine.end.reason:
        return ""
    return f"The cloud's words: {machine.end.reason}"


def _outcome(result: CameUp | DidNotComeUp) -> Outcome:
    return Outcome.PASSED if isinstance(result, CameUp) else Outcome.FAILED


def _told(step: WatchBoot, outcome: Outcome, summary: str, detail: str, *, already: bool) -> StepDone:
    """That it came up.

    Raises:
        CloudError: UNVERIFIED: it did not. Nobody shall read that under a card that says that all is well.
    """
    if outcome is Outcome.PASSED:
        facts = {"outcome": outcome.value, "definition": step.definition, "version": step.version}
        return StepDone(summary=f"{step.image_name} comes up: {summary}.", already=already, facts={**facts})
    recorded = " This is recorded." if step.definition else ""
    raise CloudError(
        CloudErrorKind.UNVERIFIED,
        cloud=step.cloud,
        sentence=f"{step.image_name} did not come up: {summary}.{recorded}",
        reason=detail,
        remedy=Remedy(f"images {step.definition}/{step.version}", "to see what is known of it")
        if step.definition
        else None,
    )
