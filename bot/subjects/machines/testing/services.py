"""What boot tests work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.bot.clouds.ports.image_candidates import IMAGE_CANDIDATES
from slipway.bot.clouds.ports.image_evidence import IMAGE_EVIDENCE
from slipway.bot.subjects.machines.ending.executor import TerminateExecutor
from slipway.bot.subjects.machines.launching.executor import LaunchExecutor
from slipway.bot.subjects.machines.launching.keys import ChosenKeys, Keys
from slipway.bot.subjects.machines.launching.planner import LaunchPlanner
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.testing.ending import EndTestExecutor
from slipway.bot.subjects.machines.testing.launching import LaunchForTestExecutor
from slipway.bot.subjects.machines.testing.login import LoginTrial, OpenSsh, check_program
from slipway.bot.subjects.machines.testing.planner import BootTestPlanner, TestTerms
from slipway.bot.subjects.machines.testing.private_key import read_private_key
from slipway.bot.subjects.machines.testing.watching import Sights, WatchBootExecutor

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.services import MachineServices


def boot_test_planner(services: MachineServices) -> BootTestPlanner:
    """Plans boot tests."""
    terms = TestTerms(
        settings=services.testing,
        profiles=services.profiles,
        launches=lambda profiles: _launches(services, profiles),
        candidates=lambda: services.interfaces.get(IMAGE_CANDIDATES),
    )
    return BootTestPlanner(services.clouds, terms)


def _launches(services: MachineServices, profiles: Mapping[str, ProfileSettings]) -> LaunchPlanner:
    """Plans launches of machines that the test's own key is put into, and nobody else's."""
    key = services.testing.ssh_key

    async def keys(_person: str) -> Keys:
        return ChosenKeys() if key is None else _own_key(key)

    return LaunchPlanner(
        services.clouds,
        profiles,
        replace(services.requesters, keys=keys),
        services.prices,
        services.evidence,
        services.prefix,
    )


def _own_key(path: Path) -> Keys:
    check_program()
    key = read_private_key(path)
    return ChosenKeys((key.line,), (key.fingerprint,))


def launch_executor(services: MachineServices) -> LaunchForTestExecutor:
    """Launches the machines of tests."""
    launches = LaunchExecutor(
        services.clouds, services.ledger, services.clock, services.polling, called=lambda token: token
    )
    return LaunchForTestExecutor(launches, services.ledger, services.clock)


def watch_executor(services: MachineServices) -> WatchBootExecutor:
    """Looks whether they come up."""
    return WatchBootExecutor(_sights(services), lambda: services.interfaces.get(IMAGE_EVIDENCE))


def end_executor(services: MachineServices) -> EndTestExecutor:
    """Ends them."""
    ends = TerminateExecutor(
        services.clouds, services.leases, services.deployment, services.clock, services.polling
    )
    return EndTestExecutor(_sights(services), ends)


def _sights(services: MachineServices) -> Sights:
    key = services.testing.ssh_key
    login: LoginTrial | None = None if key is None else OpenSsh(key)
    return Sights(services.clouds, services.leases, login, services.clock, services.polling.sleep)
