"""Credentials, declared: what runs out, and who is reminded."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    Probe,
    StepKind,
    Subject,
)
from slipway.bot.operations.watches import Watch, WatchHost
from slipway.bot.subjects.credentials.delivery.model import Sink
from slipway.bot.subjects.credentials.delivery.sinks import sinks_of
from slipway.bot.subjects.credentials.executors import KeepAnswerExecutor
from slipway.bot.subjects.credentials.inventory import Inventory
from slipway.bot.subjects.credentials.planners import DonePlanner, SnoozePlanner
from slipway.bot.subjects.credentials.problems import SOURCES
from slipway.bot.subjects.credentials.requests import Done, Snooze
from slipway.bot.subjects.credentials.rotating.declared import REMOVE, ROTATE, STEPS
from slipway.bot.subjects.credentials.rotating.problems import ROTATION_SOURCES
from slipway.bot.subjects.credentials.sections import SECTIONS, SUBJECT
from slipway.bot.subjects.credentials.services import CredentialServices, credential_services
from slipway.bot.subjects.credentials.settings import CREDENTIALS, EXPIRY, SourceKind
from slipway.bot.subjects.credentials.steps import KeepAnswer
from slipway.bot.subjects.credentials.thresholds import listed
from slipway.bot.subjects.credentials.uses import uses


def _summary(settings: SlipwaySettings) -> Iterable[str]:
    entries = settings.named(CREDENTIALS)
    if not entries:
        return ("credentials: none are looked after",)
    rules = settings.table(EXPIRY)
    kinds = Counter(entry.source.value for entry in entries.values())
    named = ", ".join(f"{count} by {kind}" for kind, count in kinds.items())
    every = format_duration(rules.every)
    return (f"credentials: {named}, looked at every {every}; owners are reminded at {listed(rules.remind)}",)


async def _look(services: CredentialServices, host: WatchHost) -> None:
    if services.watcher is not None:
        await services.watcher.look(host)


async def _probe(settings: SlipwaySettings, clouds: Clouds) -> Finding:
    """What cannot be read, and which places could take nothing. Tokens of chats are their own probes' to try."""
    entries = {
        name: entry
        for name, entry in settings.named(CREDENTIALS).items()
        if entry.source is not SourceKind.CHAT
    }
    readings = await Inventory(entries, clouds, {}, settings.table(EXPIRY).key_age).look()
    found = sum(len(each.found) for each in readings)
    places = [(name, sink) for name, entry in entries.items() for sink in sinks_of(entry, clouds)]
    refused = await asyncio.gather(*(_refusal(name, sink) for name, sink in places))
    problems = (
        *(f"{each.entry}: {each.problem}" for each in readings if each.problem),
        *filter(None, refused),
    )
    to_do = "put that right; docs/credentials.md names the rights; then `slipway doctor`" if problems else ""
    return Finding("looking after credentials", f"{found} found", problems, to_do, connection=False)


async def _refusal(name: str, sink: Sink) -> str:
    """Why a place could not take a new secret; empty where nothing shows that."""
    try:
        await sink.look()
    except CloudError as error:
        return f"{name}: {error.words.replace('was not put', 'could not be put')}"
    except UserError as error:
        return f"{name}: {error.sentence}"
    return ""


CREDENTIALS_SUBJECT: Subject[CredentialServices] = Subject(
    name=SUBJECT,
    title="Credentials",
    services=credential_services,
    kinds=(
        OperationKind(
            request=Snooze,
            planner=SnoozePlanner,
            arguments=lambda request: (
                "--for",
                format_duration(timedelta(seconds=request.seconds)),
                request.name,
            ),
            policy=PolicyDefaults(approvals=0, forgeable_presses=True),
            needs=None,
            right="credential.snooze",
        ),
        OperationKind(
            request=Done,
            planner=DonePlanner,
            arguments=lambda request: (request.name,),
            policy=PolicyDefaults(approvals=0, forgeable_presses=True),
            needs=None,
            right="credential.done",
        ),
        ROTATE,
        REMOVE,
    ),
    steps=(
        StepKind(
            step=KeepAnswer,
            executor=lambda services: KeepAnswerExecutor(services.answers, services.clock),
            touches=lambda step: (step.target,),
            targets=lambda step: (step.target,),
        ),
        *STEPS,
    ),
    tables=(CREDENTIALS, EXPIRY),
    summary=_summary,
    watches=(Watch("credentials", (), _look),),
    problems=(*SOURCES, *ROTATION_SOURCES),
    sections=SECTIONS,
    uses=uses,
    probes=(Probe("looking after credentials", lambda settings: bool(settings.named(CREDENTIALS)), _probe),),
)
