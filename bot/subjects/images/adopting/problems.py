"""Foreign changes of which nobody has said whether they are right, as problems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look, Mend
from slipway.bot.subjects.images.adopting.model import ForeignChange
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.watching.notices import adopt_line, changed_title, offers


def _is_watched(services: Services) -> bool:
    return services.get(ImageServices).watcher is not None


async def look_at_changes(services: Services) -> Look:
    """One problem for each notice of which something is open still. The watch tells the room."""
    store, prefix = services.get(ImageServices).adopting.store, services.settings.commands.prefix
    by_notice: dict[tuple[str, str, int], list[ForeignChange]] = {}
    for each in await store.open_ones():
        by_notice.setdefault((each.cloud, each.definition.casefold(), each.notice), []).append(each)
    return Look.of(_found(changes, prefix) for changes in by_notice.values())


def _found(changes: Sequence[ForeignChange], prefix: str) -> Found:
    first = changes[0]
    return Found(
        key=f"{first.cloud}/{first.definition.casefold()} {first.notice}",
        what=f"{changed_title(changes)}.",
        scope=f"{first.cloud}/{first.definition.casefold()}",
        since=first.seen_at,
        move=_move(changes, prefix),
        mend=Mend(label="Adopt", command=adopt_line(changes)),
    )


def _move(changes: Iterable[ForeignChange], prefix: str) -> str:
    undo = {line: label for change in changes for label, line in offers(change)}
    if len(undo) != 1:
        return "If it is right, adopt it; if not, ask for what puts it right."
    ((line, label),) = undo.items()
    return f"If it is right, adopt it; if not: {label}, `{prefix}{line}`."


SOURCE: ProblemSource[Services] = ProblemSource(
    "image-changes", "what others change", look_at_changes, tells=False, wanted=_is_watched
)
