"""What is wrong with schedules, for the list of problems: those that did not run when they were due, or ran in vain.

By how the newest time of each went, so that an entry is over when the next one runs when it is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from slipway.bot.config.settings import ScheduleSettings
from slipway.bot.core.times import format_time
from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look, Mend
from slipway.bot.subjects.schedules.model import Fate, LastRun, Pause
from slipway.bot.subjects.schedules.services import ScheduleServices

SOURCE = "schedules"
"""Names it in the list of problems."""


async def look_at_schedules(services: Services) -> Look:
    """Each schedule whose newest time was skipped, left out as it is paused, late, or could not be done."""
    store = services.get(ScheduleServices).store
    runs, pauses = await store.runs(), await store.pauses()
    enabled = [entry for entry in services.settings.schedule if entry.enabled]
    now = services.clock()
    found = (
        found
        for entry in enabled
        if entry.name in runs
        if (trouble := runs[entry.name].trouble(now, paused=entry.name in pauses))
        for found in _found(entry, trouble, runs[entry.name], pauses.get(entry.name), now)
    )
    return Look.of(found, scopes=[entry.name for entry in enabled])


def _found(
    entry: ScheduleSettings, trouble: str, run: LastRun, pause: Pause | None, now: datetime
) -> Iterator[Found]:
    due = f"Due at {format_time(run.due, entry.zone)}."
    name = entry.name
    if run.unanswered(now):
        yield Found(
            key=f"unanswered {name}",
            what=trouble,
            scope=name,
            detail=f"{due} It is neither answered nor given up: Slipway's log says how far it came.",
            since=run.at,
            move="Whose move it is: whoever runs Slipway; a restart takes it up where it was.",
            mend=Mend(label="Run now", command=f"schedule run {name}"),
        )
    elif run.fate is not Fate.PAUSED:
        late = run.fate is Fate.RAN and not run.failed
        kind = "late" if late else "failed" if run.failed else "skipped"
        yield Found(
            key=f"{kind} {name}",
            what=trouble,
            scope=name,
            detail=f"{due} {run.why}".rstrip(),
            since=run.due,
            move="" if late else "Whose move it is: whoever wants it to run now.",
            mend=None if late else Mend(label="Run now", command=f"schedule run {name}"),
        )
    elif pause is not None:
        yield Found(
            key=f"paused {name}",
            what=trouble,
            scope=name,
            detail=pause.reason,
            since=pause.since,
            owner=pause.person,
            move="It runs again when it is resumed, or when the pause is over.",
            mend=Mend(label="Resume", command=f"schedule resume {name}"),
        )


SOURCES = (
    ProblemSource(
        SOURCE,
        "schedules",
        look_at_schedules,
        tells=False,  # rooms hear of skipped runs and of pauses from the schedules themselves
        wanted=lambda services: bool(services.settings.schedule),
    ),
)
