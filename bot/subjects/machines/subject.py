"""Machines, declared: launching them from images for a time, and ending them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    Probe,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.subjects.machines.executors import LaunchExecutor, TerminateExecutor
from slipway.bot.subjects.machines.launch import LaunchPlanner
from slipway.bot.subjects.machines.probe import missing_templates
from slipway.bot.subjects.machines.requests import Launch, Terminate
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines, TerminateMachine
from slipway.bot.subjects.machines.terminate import TerminatePlanner


def _check_profile(profile: ProfileSettings, _secrets: bool) -> Iterator[Problem]:
    if profile.default_for > profile.max_for:
        yield Problem(
            "default_for",
            f"{format_duration(profile.default_for)} is longer than max_for, which is "
            f"{format_duration(profile.max_for)}; shorten the one or lengthen the other",
        )


def _check_accounts(profiles: Mapping[str, ProfileSettings], accounts: frozenset[str]) -> Iterator[Problem]:
    missing = dict.fromkeys(profile.cloud for profile in profiles.values() if profile.cloud not in accounts)
    for cloud in missing:
        where = cloud.upper() if "." not in cloud else f'"{cloud}"'
        yield Problem("profiles", f"profiles launch machines on {where}, and there is no [{cloud}]; add it")


PROFILES = SettingsTable(
    name="profiles",
    model=ProfileSettings,
    shape=TableShape.NAMED,
    summary="launch templates, and how much of them people may ask for",
    check=_check_profile,
    check_accounts=_check_accounts,
)


def _services(context: SubjectContext) -> MachineServices:
    return MachineServices(
        clouds=context.clouds,
        profiles=context.settings.named(PROFILES),
        clock=context.clock,
        polling=context.polling,
    )


def _launch_arguments(request: Launch) -> tuple[str, ...]:
    words = [request.image]
    if request.profile:
        words += ["--profile", request.profile]
    if request.seconds:
        words += ["--for", format_duration(timedelta(seconds=request.seconds))]
    if request.count != 1:
        words += ["--count", str(request.count)]
    return tuple(words)


def _terminate_arguments(request: Terminate) -> tuple[str, ...]:
    return ("--overdue",) if request.overdue else request.instance_ids


def _summary(settings: SlipwaySettings) -> tuple[str, ...]:
    profiles = "; ".join(
        f"{name} up to {profile.max_count} for {format_duration(profile.max_for)}"
        for name, profile in settings.named(PROFILES).items()
    )
    return (f"profiles: {profiles or 'none'}",)


async def _probe_templates(settings: SlipwaySettings, clouds: Clouds) -> Finding:
    return await missing_templates(settings.named(PROFILES), clouds)


MACHINES_SUBJECT: Subject[MachineServices] = Subject(
    name="machines",
    title="Instances",
    services=_services,
    kinds=(
        OperationKind(
            request=Launch,
            planner=lambda services: LaunchPlanner(services.clouds, services.profiles),
            arguments=_launch_arguments,
            policy=PolicyDefaults(approvals=0, forgeable_presses=True),
            needs=MACHINES,
        ),
        OperationKind(
            request=Terminate,
            planner=lambda services: TerminatePlanner(services.clouds),
            arguments=_terminate_arguments,
            policy=PolicyDefaults(approvals=0),
            needs=MACHINES,
        ),
    ),
    steps=(
        StepKind(
            step=LaunchMachines,
            executor=lambda services: LaunchExecutor(services.clouds, services.clock, services.polling),
            touches=lambda step: step.touched,
        ),
        StepKind(
            step=TerminateMachine,
            executor=lambda services: TerminateExecutor(services.clouds, services.clock, services.polling),
            touches=lambda step: step.touched,
            targets=lambda step: (f"machine {step.cloud} {step.instance_id}",),
        ),
    ),
    tables=(PROFILES,),
    summary=_summary,
    probes=(Probe("profiles", lambda settings: bool(settings.named(PROFILES)), _probe_templates),),
)
