"""What stands still: freezes, and the lines before what operations change."""

from __future__ import annotations

from slipway.bot.operations.locking.model import lines
from slipway.bot.web.pages.html import Html, join, tag
from slipway.bot.web.pages.parts import Frame, badge, operation_link, section, table
from slipway.bot.web.pages.sources import PageSources


async def freezes(sources: PageSources) -> Html | None:
    """Why nothing changes now; None where things may."""
    gate = sources.services.freezes
    found = await gate.all()
    if not found:
        return None
    why = tag("ul", (tag("li", gate.words.why(each)) for each in found), class_="notes")
    return tag("div", tag("p", badge("‖", "frozen", "waits")), why)


async def locks(sources: PageSources, frame: Frame) -> Html:
    """Which operation works on what, and who waits for it."""
    claims = await sources.services.locks.all()
    rows = []
    for target, line in lines(claims).items():
        holder = next((claim for claim in line if claim.held), None)
        waiting = [operation_link(claim.operation_id) for claim in line if claim is not holder]
        rows.append(
            (
                target,
                operation_link(holder.operation_id) if holder is not None else "-",
                frame.time(holder.since if holder is not None else None),
                join(*(join(each, " ") for each in waiting)) if waiting else "-",
            )
        )
    heads = ("What", "Held by", "Since", "Waiting")
    return section("Locks", table("What operations hold", heads, rows, "Nothing is held."))
