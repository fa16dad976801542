"""What `!images` says of versions that are called bad: they are not what is to be promoted, and may launch yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import standing
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.versions import is_promoted
from slipway.commands.dispatch.context import CommandContext


async def called_bad(call: CommandContext, pins: Collection[Pin]) -> frozenset[str]:
    """Those of these versions, by their targets, of which a verdict says that they are bad."""
    recorded = await call.services.get(ImageServices).evidence.store.of(pins)
    return frozenset(target for target, found in recorded.items() if standing(found).bad is not None)


def without_bad(
    bad: Collection[str], definition: DefinitionRef, versions: Iterable[ImageVersion]
) -> list[ImageVersion]:
    """The versions without those candidates that are called bad, which nothing promotes."""
    return [each for each in versions if is_promoted(each) or Pin.of(definition, each).target not in bad]


def bad_and_latest(
    call: CommandContext,
    definition: DefinitionRef,
    shown: Sequence[ImageVersion],
    bad: Collection[str],
    latest: Mapping[str, ImageVersion],
) -> list[str]:
    """What launches by default though it is called bad: a verdict takes nothing back."""
    numbers = {each.number for each in latest.values()}
    found = [
        each.number for each in shown if each.number in numbers and Pin.of(definition, each).target in bad
    ]
    line = f"rollback {definition}"
    to_do = f": `{call.prefix}{line}` takes it back" if call.may(line) else ""
    return [f"{number} is said to be bad, and is latest{to_do}." for number in found]


def to_promote(
    call: CommandContext, definition: DefinitionRef, ready: ImageVersion | None, unnamed: ImageVersion | None
) -> list[str]:
    """How to promote what is ready: by its number where a promotion without one would mean another version."""
    if ready is None:
        return []
    line = f"promote {definition}" if ready == unnamed else f"promote {definition}/{ready.number}"
    return [f"Promote {ready.number}: `{call.prefix}{line}`"] if call.may(line) else []
