"""Makes the sections of a report, all at once; one that cannot be made says so, and keeps no other one away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Part, ReportView, Section, Severity

LONGEST_LOOK_SECONDS = 120.0
"""What has not been seen by then is told as not seen."""

log = structlog.get_logger(__name__)


async def gather(
    sections: Iterable[ReportSection[Any, Any]], services: object, view: ReportView
) -> tuple[Part, ...]:
    """What there is to say of a period, what matters most first, and of what matters as much in its order.

    Args:
        sections: all that are declared.
        services: what they look with.
        view: the period, and what they are written with.
    """
    wanted = [each for each in sections if view.period.kind in each.reports and each.wanted(services)]
    made = await asyncio.gather(*(_made(each, services, view) for each in wanted))
    return in_order(filter(None, made))


def in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    """What matters most first, and what matters as much as it came."""
    return tuple(sorted(parts, key=lambda part: -part.section.severity))


async def _made(section: ReportSection[Any, Any], services: object, view: ReportView) -> Part | None:
    try:
        async with asyncio.timeout(LONGEST_LOOK_SECONDS):
            seen = await section.look(services, view.period)
            told = section.tell(seen, view)
            if told is None:
                return None
            pictures = await section.draw(services, seen) if section.draw is not None else ()
            return Part(section.name, section.title, told, pictures)
    except CloudError as error:
        return _unseen(section, error.words, f"Whose move it is: {error.responsible.value}.")
    except UserError as error:
        return _unseen(section, error.sentence, "")
    except TimeoutError:
        return _unseen(section, "It took more than two minutes.", "")
    except Exception:
        # A boundary: whatever is wrong with one section, the others are told.
        log.exception("a section of a report failed", section=section.name)
        return _unseen(
            section, "Slipway failed at that: its log says how.", "Whose move it is: whoever runs it."
        )


def _unseen(section: ReportSection[Any, Any], why: str, move: str) -> Part:
    lines = ("This could not be looked at.", why, *filter(None, (move,)))
    told = Section("could not be looked at", Severity.ATTENTION, needs=1, lines=lines)
    return Part(section.name, section.title, told)
