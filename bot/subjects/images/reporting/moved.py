"""What was done to versions in a period: promoted, taken back, removed, restored; with the timelines of their
definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from slipway.bot.chat.model import Table
from slipway.bot.chat.pictures import MOST_PICTURES, Picture
from slipway.bot.chat.tables import Row, moment, number, table_of, text
from slipway.bot.core.errors import CloudError
from slipway.bot.core.steps import Step
from slipway.bot.operations.model import Operation
from slipway.bot.operations.services import Services
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.restoring.steps import RestoreVersion
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion, SetExcluded, VersionStep
from slipway.bot.subjects.images.timeline.charts import NoDrawingError
from slipway.bot.subjects.images.timeline.facts import Timeline
from slipway.bot.subjects.images.timeline.making import timeline_now
from slipway.bot.subjects.images.timeline.words import in_words

MOST_SHOWN = 20
"""Rows of a table; more are counted."""

KINDS = frozenset({"promote", "promote-override", "region-retry", "rollback", "revoke", "cleanup", "restore"})
"""The kinds of operation that move versions."""


class Move(StrEnum):
    """What was done to a version."""

    PROMOTED = "promoted"
    TAKEN_BACK = "taken back"
    REMOVED = "removed"
    DISABLED = "disabled"
    RESTORED = "restored"


@dataclass(frozen=True)
class Moved:
    """A version to which something was done."""

    move: Move
    definition: DefinitionRef
    version: str
    at: datetime


@dataclass(frozen=True)
class Moves:
    """What moved in a period.

    Attributes:
        moved: all of it, in the order in which it was done, each once.
        timelines: of the definitions that moved last, the last one first; none for a month. Notes say them in words.
        unseen: why other definitions have none, a sentence each.
    """

    moved: tuple[Moved, ...]
    timelines: tuple[Timeline, ...] = ()
    unseen: tuple[str, ...] = field(default=())


def moves_of(operations: Iterable[Operation]) -> tuple[Moved, ...]:
    """What these operations did, as far as it is seen done, in their order. Waves of one promotion are one."""
    found: dict[tuple[Move, DefinitionRef, str, str], Moved] = {}
    for operation in operations:
        done = {report.number for report in operation.reports if report.done is not None}
        for place, step in enumerate(operation.plan.steps, start=1):
            move = _move_of(step)
            if place in done and move is not None and isinstance(step, VersionStep):
                at = operation.ended_at or operation.created_at
                key = (move, step.pin.ref, step.version, operation.id)
                found.setdefault(key, Moved(move, step.pin.ref, step.version, at))
    return tuple(found.values())


def _move_of(step: Step) -> Move | None:
    match step:
        case SetExcluded(excluded=excluded):
            return Move.TAKEN_BACK if excluded else Move.PROMOTED
        case DeleteVersion():
            return Move.REMOVED
        case DisableVersion():
            return Move.DISABLED
        case RestoreVersion():
            return Move.RESTORED
    return None


async def look_at_moves(services: Services, period: Period) -> Moves:
    """What was done in a period; of a week, with the timelines of the definitions that moved last."""
    operations = await services.ended.between(period.begin, period.end, kinds=KINDS)
    moved = moves_of(operations)
    if period.kind is not ReportKind.WEEKLY:
        return Moves(moved)
    last = list(dict.fromkeys(each.definition for each in reversed(moved)))[:MOST_PICTURES]
    images = services.get(ImageServices)
    holds, now = await images.holds.store.read(), services.clock()
    timelines: list[Timeline] = []
    unseen: list[str] = []
    for definition in last:
        try:
            listing = await images.catalogue.versions(definition)
        except CloudError as error:
            unseen.append(f"No timeline of {definition}: {error.words}")
            continue
        if listing:
            timelines.append(await timeline_now(definition, listing, images, holds, now))
    return Moves(moved, tuple(timelines), tuple(unseen))


async def draw_moves(services: Services, moves: Moves) -> tuple[Picture, ...]:
    """The timelines as pictures; none where this installation draws none."""
    charts = services.get(ImageServices).charts
    try:
        return tuple([await charts.draw(each) for each in moves.timelines])
    except NoDrawingError as error:
        from structlog import get_logger  # not before: `slipway check` loads nothing that logs

        get_logger(__name__).info("a report has no pictures", why=str(error))
        return ()


def tell_moves(moves: Moves, view: ReportView) -> Section | None:
    """How much moved, by what was done; of a week which versions, and the timelines in words."""
    groups = {move: [each for each in moves.moved if each.move is move] for move in Move}
    there = {move: found for move, found in groups.items() if found}
    if not there:
        return None
    monthly = view.period.kind is ReportKind.MONTHLY
    definitions = len({each.definition for each in moves.moved})
    pictured = {each.definition for each in moves.timelines}
    rest = list(
        dict.fromkeys(str(each.definition) for each in moves.moved if str(each.definition) not in pictured)
    )
    others = view.offer("The others as pictures", f"images {rest[0]} --chart") if rest else ()
    return Section(
        summary=", ".join(f"{len(found)} {move}" for move, found in there.items()),
        severity=Severity.NEWS,
        lines=() if monthly else moves.unseen,
        tables=(_figures(there, definitions),) if monthly else tuple(_tables(there, view)),
        notes=() if monthly else (*map(in_words, moves.timelines), *others),
    )


def _figures(groups: Mapping[Move, Sequence[Moved]], definitions: int) -> Table:
    rows: list[Row] = [
        {"what": text(move.value), "versions": number(len(found))} for move, found in groups.items()
    ]
    rows.append({"what": text("definitions moved"), "versions": number(definitions)})
    return table_of({"what": "What", "versions": "Versions"}, rows)


def _tables(groups: Mapping[Move, Sequence[Moved]], view: ReportView) -> Iterator[Table]:
    for move, found in groups.items():
        rows: list[Row] = [
            {
                "version": text(each.version),
                "definition": text(str(each.definition)),
                "at": moment(each.at, view.when(each.at)),
            }
            for each in reversed(found)
        ]
        more = len(rows) - MOST_SHOWN
        title = f"{move.value.capitalize()}{f', the last {MOST_SHOWN} of {len(rows)}' if more > 0 else ''}"
        yield table_of({"version": "Version", "definition": "Definition"}, rows[:MOST_SHOWN], title=title)
