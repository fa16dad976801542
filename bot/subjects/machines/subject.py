"""Machines, declared: launching them from images for a time, and ending them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from slipway.bot.chat.model import SERVICE
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.steps import Target
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    Probe,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.subjects.machines.ending.executor import TerminateExecutor
from slipway.bot.subjects.machines.ending.leftovers import RemoveLeftoverExecutor, RemoveLeftoversPlanner
from slipway.bot.subjects.machines.ending.planner import TERMINATE_OTHERS, ExpirePlanner, TerminatePlanner
from slipway.bot.subjects.machines.keys.key_services import key_services, key_summary
from slipway.bot.subjects.machines.launching.executor import LaunchExecutor
from slipway.bot.subjects.machines.launching.planner import LaunchPlanner
from slipway.bot.subjects.machines.launching.prices import PriceSettings
from slipway.bot.subjects.machines.leases import declared as leases
from slipway.bot.subjects.machines.leases.declared import LEASES, LIMITS
from slipway.bot.subjects.machines.probe import WHAT, missing_templates
from slipway.bot.subjects.machines.reporting.sections import SECTIONS
from slipway.bot.subjects.machines.requests import Expire, Launch, RemoveLeftovers, Terminate
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines, RemoveLeftover, TerminateMachine
from slipway.bot.subjects.machines.testing import declared as testing
from slipway.bot.subjects.machines.testing.settings import TESTING
from slipway.bot.subjects.machines.uses import uses
from slipway.bot.subjects.machines.watching.problems import SOURCES

_SPEC = re.compile(r"spec:[\w.()-]+/[\w.()-]+(?:/[\w.()-]+)?", re.ASCII)


def _check_profile(profile: ProfileSettings, _secrets: bool) -> Iterator[Problem]:
    if profile.template is None and profile.machine is None:
        yield Problem("template", "missing; write the name of a launch template, or describe the machine")
    if profile.machine is not None and (profile.template or profile.template_version):
        key = "template" if profile.template else "template_version"
        yield Problem(key, "the machine is described below, so there is no template; leave out one of them")
    if (template := profile.template or "").startswith("spec:"):
        if _SPEC.fullmatch(template) is None:
            yield Problem("template", "write a template spec as spec:GROUP/NAME, or spec:GROUP/NAME/VERSION")
        if profile.template_version is not None:
            yield Problem(
                "template_version",
                f"write a spec's version behind its name, as {template}/1.0; leave this out",
            )
    if profile.max_for > profile.cap:
        yield Problem(
            "cap",
            f"{format_duration(profile.cap)} is shorter than max_for, which is {format_duration(profile.max_for)}; "
            "lengthen the one or shorten the other",
        )
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
    summary="launch templates or described machines, and how much of them people may ask for",
    check=_check_profile,
    check_accounts=_check_accounts,
)


PRICES = SettingsTable(
    name="prices",
    model=PriceSettings,
    shape=TableShape.SINGLE,
    summary="what an hour of a machine costs, by its type",
)


def _services(context: SubjectContext) -> MachineServices:
    # With a database: not for `slipway check`.
    from slipway.bot.store.memory import ChatMemory
    from slipway.bot.subjects.machines.leases.repository import Leases

    return MachineServices(
        clouds=context.clouds,
        profiles=context.settings.named(PROFILES),
        leases=Leases(context.database),
        limits=context.settings.table(LIMITS),
        rules=context.settings.table(LEASES),
        operations=context.operations,
        deployment=context.settings.name,
        prefix=context.settings.commands.prefix,
        memory=ChatMemory(context.database, SERVICE),
        prices=context.settings.table(PRICES),
        people=context.people,
        clock=context.clock,
        polling=context.polling,
        keys=key_services(context),
        interfaces=context.interfaces,
        testing=context.settings.table(TESTING),
    )


def _profiles(settings: SlipwaySettings) -> Iterator[Target]:
    return (Target(name, profile.cloud) for name, profile in settings.named(PROFILES).items())


def _launch_arguments(request: Launch) -> tuple[str, ...]:
    words = [request.image]
    if request.profile:
        words += ["--profile", request.profile]
    if request.seconds:
        words += ["--for", format_duration(timedelta(seconds=request.seconds))]
    if request.count != 1:
        words += ["--count", str(request.count)]
    if request.region:
        words += ["--region", request.region]
    if request.instance_type:
        words += ["--type", request.instance_type]
    if not request.ssh:
        words.append("--no-ssh")
    return tuple(words)


def _terminate_arguments(request: Terminate) -> tuple[str, ...]:
    return ("--overdue",) if request.overdue else request.instance_ids


def _summary(settings: SlipwaySettings) -> tuple[str, ...]:
    profiles = "; ".join(
        f"{name} up to {profile.max_count} for {format_duration(profile.max_for)}"
        for name, profile in settings.named(PROFILES).items()
    )
    return (f"profiles: {profiles or 'none'}", key_summary(settings))


async def _probe_templates(settings: SlipwaySettings, clouds: Clouds) -> Finding:
    return await missing_templates(settings.named(PROFILES), clouds)


MACHINES_SUBJECT: Subject[MachineServices] = Subject(
    name="machines",
    title="Instances",
    services=_services,
    kinds=(
        OperationKind(
            request=Launch,
            planner=lambda services: LaunchPlanner(
                services.clouds,
                services.profiles,
                services.requesters,
                services.prices,
                services.evidence,
                services.prefix,
            ),
            arguments=_launch_arguments,
            named_by="profile",
            names=_profiles,
            policy=PolicyDefaults(approvals=0, forgeable_presses=True),
            needs=MACHINES,
        ),
        OperationKind(
            request=Terminate,
            planner=lambda services: TerminatePlanner(services.clouds, services.leases, services.people),
            arguments=_terminate_arguments,
            policy=PolicyDefaults(approvals=0),
            needs=MACHINES,
            further_rights=(TERMINATE_OTHERS,),
        ),
        OperationKind(
            request=Expire,
            planner=lambda services: ExpirePlanner(
                services.clouds, services.leases, services.rules, services.profiles
            ),
            arguments=lambda request: (*request.instance_ids, "--overdue"),
            policy=PolicyDefaults(approvals=0),
            needs=MACHINES,
            right="terminate",
        ),
        OperationKind(
            request=RemoveLeftovers,
            planner=lambda services: RemoveLeftoversPlanner(services.clouds, services.leases),
            arguments=lambda _request: ("--leftovers",),
            policy=PolicyDefaults(approvals=0),
            needs=MACHINES,
            right="terminate",
        ),
        *leases.KINDS,
        *testing.KINDS,
    ),
    steps=(
        StepKind(
            step=LaunchMachines,
            executor=lambda services: LaunchExecutor(
                services.clouds, services.ledger, services.clock, services.polling
            ),
            touches=lambda step: step.touched,
        ),
        StepKind(
            step=TerminateMachine,
            executor=lambda services: TerminateExecutor(
                services.clouds, services.leases, services.deployment, services.clock, services.polling
            ),
            touches=lambda step: step.touched,
            targets=lambda step: (f"machine {step.cloud} {step.instance_id}",),
        ),
        StepKind(
            step=RemoveLeftover,
            executor=lambda services: RemoveLeftoverExecutor(services.clouds, services.polling),
            touches=lambda step: step.touched,
        ),
        *leases.STEPS,
        *testing.STEPS,
    ),
    tables=(PROFILES, LIMITS, LEASES, PRICES, *testing.TABLES),
    summary=_summary,
    watches=(leases.WATCH,),
    problems=SOURCES,
    sections=SECTIONS,
    uses=lambda settings: uses(settings.named(PROFILES)),
    probes=(Probe(WHAT, lambda settings: bool(settings.named(PROFILES)), _probe_templates),),
)
