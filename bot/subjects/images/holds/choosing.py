"""What holds mean for what is chosen by itself, and for what somebody names: pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.errors import UserError
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.holds.model import WHOLE_DEFINITION, Holds
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.versions import is_promoted


def without_held(
    holds: Holds, definition: DefinitionRef, versions: Iterable[ImageVersion], now: datetime
) -> list[ImageVersion]:
    """The versions without those candidates that are held. What is promoted is among them: it stays what it is."""
    return [
        each for each in versions if is_promoted(each) or not holds.why_held(Pin.of(definition, each), now)
    ]


def refuse_held(holds: Holds, chosen: Iterable[tuple[DefinitionRef, ImageVersion]], now: datetime) -> None:
    """Refuse to promote what is held, whoever names it.

    Raises:
        UserError: one of these is, and not promoted yet.
    """
    for definition, version in chosen:
        why = "" if is_promoted(version) else holds.why_held(Pin.of(definition, version), now)
        if why:
            raise UserError(f"{version.number} of {definition} {why}; it is not promoted.", hint="holds")


def why_all_held(holds: Holds, definition: DefinitionRef, now: datetime) -> str:
    """Why nothing of a definition is promoted or removed, as the rest of a sentence; empty where that may be."""
    whole = Pin(cloud=definition.cloud, definition=definition.name, version=WHOLE_DEFINITION)
    return holds.why_held(whole, now)
