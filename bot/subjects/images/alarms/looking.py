"""Looks whether all that is to happen to versions happens: sources of problems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look, Mend, Unseen
from slipway.bot.subjects.images.adopting.steps import adopted_promotion
from slipway.bot.subjects.images.alarms.rules import (
    Facts,
    Listed,
    alarms,
    near_quota,
    newest_promoted,
    scope_of,
    waiting_candidate,
)
from slipway.bot.subjects.images.alarms.settings import AlarmSettings, settings_for
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import NOTHING_KNOWN
from slipway.bot.subjects.images.history import let_be_latest
from slipway.bot.subjects.images.replication.standing import DebtState, next_of
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.rules.settings import PROMOTION
from slipway.bot.subjects.images.rules.settings import settings_for as promotion_of
from slipway.bot.subjects.images.services import ImageServices

if TYPE_CHECKING:  # it loads what logs, and `slipway check` needs none of that
    from slipway.bot.subjects.images.watching.survey import Surveyed

EVERY = timedelta(minutes=30)
"""Between two looks. Where `[watching]` looks as often, one listing serves both."""

_NEWEST = 20
"""Operations on a version that are looked through for its promotion."""

_NOBODY_TRIES = frozenset(
    {DebtState.REFUSED, DebtState.GIVEN_UP, DebtState.NOT_AGREED, DebtState.WAVES, DebtState.BARRED}
)
"""How it stands with a debt that needs a person."""


def _has_alarms(services: Services) -> bool:
    return bool(services.get(ImageServices).alarms)


async def look_at_versions(services: Services) -> Look:
    """What did not happen, by ``[alarms]``."""
    images, now = services.get(ImageServices), services.clock()
    surveyed = await images.survey.read(EVERY)
    wanted = {
        ref: fitting
        for ref in (*surveyed.listings, *surveyed.unread)
        if (fitting := settings_for(ref, images.alarms)) is not None
    }
    facts = await _facts(services, surveyed, {ref: table for ref, (_, table) in wanted.items()})
    listed = {
        ref: Listed(ref, versions, wanted[ref][1], facts[ref])
        for ref, versions in surveyed.listings.items()
        if ref in wanted
    }
    found = [each for one in listed.values() for each in alarms(one, now)]
    groups: dict[tuple[str, str], list[Listed]] = defaultdict(list)
    for ref, one in listed.items():
        groups[wanted[ref][0], ref.cloud].append(one)
    for (pattern, cloud), members in groups.items():
        found += near_quota(pattern, cloud, members, images.alarms[pattern])
    return Look.of(found, _unseen(surveyed, wanted))


def _unseen(surveyed: Surveyed, wanted: Mapping[DefinitionRef, object]) -> list[Unseen]:
    blind = [
        _dark(cloud, f"The gallery of {cloud} cannot be listed.", why)
        for cloud, why in surveyed.blind.items()
    ]
    unread = [
        _dark(scope_of(ref), f"The versions of {ref} cannot be listed.", why)
        for ref, why in surveyed.unread.items()
        if ref in wanted
    ]
    odd = [
        Unseen(scope_of(ref), f"Not every version of {ref} can be read.", f"{versions.unreadable[0]}.")
        for ref, versions in surveyed.listings.items()
        if ref in wanted and versions.unreadable
    ]
    return [*blind, *unread, *odd]


def _dark(scope: str, what: str, why: CloudError) -> Unseen:
    return Unseen(scope, what, why.words, f"Whose move it is: {why.responsible.value}.")


async def _facts(
    services: Services, surveyed: Surveyed, wanted: Mapping[DefinitionRef, AlarmSettings]
) -> dict[DefinitionRef, Facts]:
    """What the rules have to know beside the listings: evidence in one go, and promotions of few versions alone."""
    images, now = services.get(ImageServices), services.clock()
    candidates = {
        ref: Pin.of(ref, candidate)
        for ref, versions in surveyed.listings.items()
        if ref in wanted and (candidate := waiting_candidate(versions)) is not None
    }
    known = await images.evidence.standing(candidates.values())
    holds = await images.holds.store.read()
    tables = services.settings.named(PROMOTION)
    facts: dict[DefinitionRef, Facts] = {}
    for ref, table in wanted.items():
        if ref not in surveyed.listings:
            continue
        pin = candidates.get(ref)
        facts[ref] = Facts(
            known=known.get(pin.target, NOTHING_KNOWN) if pin is not None else NOTHING_KNOWN,
            evidence=promotion_of(ref, tables).evidence,
            promoted_at=await _promoted_at(services, surveyed, ref, table, now),
            held=pin is not None and bool(holds.why_held(pin, now)),
        )
    return facts


async def _promoted_at(
    services: Services, surveyed: Surveyed, ref: DefinitionRef, table: AlarmSettings, now: datetime
) -> datetime | None:
    """When the newest promoted version was promoted: by an operation, or by others, as a person adopted; of any
    other, when it was published."""
    newest = newest_promoted(surveyed.listings[ref])
    if table.promoted is None or newest is None:
        return None
    if newest.published_at is not None and now - newest.published_at < table.promoted:
        return newest.published_at  # it can only have been promoted since
    pin = Pin.of(ref, newest)
    for operation in await services.operations.about(pin.target, _NEWEST):
        if not operation.state.ended:
            continue
        done = operation.state is OperationState.DONE
        adopted = adopted_promotion(operation, pin.target) if done else None
        if adopted is not None or let_be_latest(pin, operation):
            return adopted or operation.ended_at
    return newest.published_at


def _has_regions(services: Services) -> bool:
    return services.get(ImageServices).replication.debts.configured


async def look_at_regions(services: Services) -> Look:
    """Regions in which a promoted version is owed, and that nothing tries again by itself. The watch over them tells
    the room."""
    images, prefix = services.get(ImageServices), services.settings.commands.prefix
    owed = [each for each in await images.replication.debts.of(None) if each.state in _NOBODY_TRIES]
    return Look.of(
        Found(
            key=f"{each.owed.pin.target} {each.state.value} {','.join(each.regions)}",
            what=f"{each.owed.version.number} of {each.owed.definition} is owed in {', '.join(each.regions)}.",
            scope=scope_of(each.owed.definition),
            move=next_of(each, prefix),
            mend=Mend(label="See what is owed", command=f"regions {each.owed.definition}"),
        )
        for each in owed
    )


SOURCES = (
    ProblemSource("image-alarms", "images", look_at_versions, every=EVERY, wanted=_has_alarms),
    ProblemSource(
        "image-regions",
        "regions",
        look_at_regions,
        every=timedelta(hours=1),
        tells=False,
        wanted=_has_regions,
    ),
)
