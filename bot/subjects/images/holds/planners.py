"""Planning to place and to lift holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.holds.model import WHOLE_DEFINITION, Holds, PlacedHold
from slipway.bot.subjects.images.holds.requests import Hold, HoldRequest, Unhold, pin_of
from slipway.bot.subjects.images.holds.steps import LiftHold, PlaceHold
from slipway.bot.subjects.images.requests import Pin

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.holds.store import HoldStore

_TAKES_NOTHING_BACK = (
    "What is latest goes on launching, and what is promoted becomes latest where its copy is on the way already: a "
    "hold takes nothing back, a rollback does."
)


class HoldPlanner:
    """Plans :class:`.requests.Hold`.

    Args:
        catalogue: reads the galleries.
        store: what is held so far.
        name: what to call a person by their id.
    """

    def __init__(self, catalogue: Catalogue, store: HoldStore, name: Callable[[str], str]) -> None:
        self._catalogue = catalogue
        self._store = store
        self._name = name

    async def plan(self, request: Hold, now: datetime) -> Draft[Hold]:
        """Plan to place one hold in each cloud that has the definition.

        Raises:
            UserError: no such definition or version.
            CloudError: the gallery cannot be read.
        """
        pins = request.pins or await named_pins(self._catalogue, request)
        until = request.until
        if until is None and request.seconds is not None:
            until = (now + timedelta(seconds=request.seconds)).replace(microsecond=0)
        pinned = request.model_copy(update={"pins": pins, "until": until})
        holds = await self._store.read()
        own = {each.subject: each for each in holds.active(now) if each.person == request.person}
        fresh = [
            pin
            for pin in pins
            if (held := own.get(_subject(pin))) is None or (held.reason, held.until) != (request.words, until)
        ]
        if not fresh:
            return Draft(pinned, f"{_named(pins)} is held so already, by you.", (), {})
        others = [each for pin in pins for each in holds.on(pin, now) if each.person != request.person]
        replaced = [own[_subject(pin)] for pin in fresh if _subject(pin) in own]
        return Draft(
            request=pinned,
            summary=f"{_named(fresh)} is neither promoted nor removed"
            f"{'' if until is None else f' until {until:%Y-%m-%d %H:%M} UTC'} ({request.words}).",
            steps=tuple(
                PlaceHold(**pin.model_dump(), person=request.person, words=request.words, until=until)
                for pin in fresh
            ),
            observed={},
            evidence=(("Held by", self._name(request.person)), ("Why", request.words)),
            warnings=(
                *(f"This replaces your hold: {holds.words(each)}." for each in replaced),
                *dict.fromkeys(f"It is held already by {holds.words(each)}." for each in others),
                _TAKES_NOTHING_BACK,
            ),
        )


class UnholdPlanner:
    """Plans :class:`.requests.Unhold`.

    Args:
        catalogue: reads the galleries.
        store: what is held.
        name: what to call a person by their id.
    """

    def __init__(self, catalogue: Catalogue, store: HoldStore, name: Callable[[str], str]) -> None:
        self._catalogue = catalogue
        self._store = store
        self._name = name

    async def plan(self, request: Unhold, now: datetime) -> Draft[Unhold]:
        """Plan to lift all holds on exactly this, whoever's they are.

        Raises:
            UserError: nothing holds it, or only a hold of its whole definition does.
            CloudError: the gallery cannot be read.
        """
        holds = await self._store.read()
        pins = request.pins
        if pins is None:
            pins = await self._pins(request, holds, now)
        placed = {each.subject: list[PlacedHold]() for each in holds.active(now)}
        for each in holds.active(now):
            placed[each.subject].append(each)
        lifted = [(pin, each) for pin in pins for each in placed.get(_subject(pin), ())]
        pinned = request.model_copy(update={"pins": pins})
        if not lifted:
            if request.pins is None:
                raise self._nothing(request, pins, holds, now)
            return Draft(pinned, f"Nothing holds {_named(pins, 'all')} any more.", (), {})
        left = [each for pin, _ in lifted for each in holds.on(pin, now) if each.subject != _subject(pin)]
        return Draft(
            request=pinned,
            summary=f"{_named([pin for pin, _ in lifted])} may be promoted and removed again.",
            steps=tuple(
                LiftHold(**pin.model_dump(), person=each.person, name=self._name(each.person), key=each.key)
                for pin, each in lifted
            ),
            observed={},
            evidence=tuple(("Held by", holds.words(each)) for _, each in lifted),
            warnings=tuple(
                dict.fromkeys(f"All of its definition stays held by {holds.words(each)}." for each in left)
            ),
        )

    async def _pins(self, request: Unhold, holds: Holds, now: datetime) -> tuple[Pin, ...]:
        """What is meant: what the galleries have, or what is held and gone from them."""
        try:
            return await named_pins(self._catalogue, request)
        except UserError:
            name, version = request.definition.casefold(), request.version or WHOLE_DEFINITION
            gone = [
                pin_of(each)
                for each in holds.active(now)
                if name in (each.definition.casefold(), f"{each.cloud}:{each.definition}".casefold())
                and each.version == version
            ]
            if not gone:
                raise
            return tuple(dict.fromkeys(gone))

    def _nothing(self, request: Unhold, pins: Sequence[Pin], holds: Holds, now: datetime) -> UserError:
        above = [each for pin in pins if pin.version for each in holds.on(pin, now)]
        if above:
            return UserError(
                f"{_named(pins)} is held with all of its definition, by {holds.words(above[0])}.",
                hint=f"unhold {request.definition}",
            )
        below = [
            f"{each.definition}/{each.version}"
            for each in holds.active(now)
            if each.version and any(_subject(pin)[:2] == each.subject[:2] for pin in pins)
        ]
        return UserError(
            f"Nothing holds {_named(pins, 'all')}.",
            nearest=nearest(request.definition, below) or tuple(dict.fromkeys(below))[:3],
            given=request.definition,
            hint="holds",
        )


async def named_pins(catalogue: Catalogue, request: HoldRequest) -> tuple[Pin, ...]:
    """What a request names, in each cloud that has it; an empty version stands for all of a definition.

    Raises:
        UserError: no such definition, or one of them has no such version.
        CloudError: the gallery cannot be read.
    """
    definitions = await catalogue.matching(request.definition)
    if request.version is None:
        return tuple(_whole(each) for each in definitions)
    listed = await catalogue.versions_of(definitions)
    found = [
        Pin.of(each, catalogue.named_version(each, versions, request.version, lambda _each: True))
        for each, versions in listed.items()
    ]
    return tuple(found)


def _whole(definition: DefinitionRef) -> Pin:
    return Pin(
        cloud=definition.cloud,
        definition=definition.name,
        version=WHOLE_DEFINITION,
        qualified=definition.qualified,
    )


def _subject(pin: Pin) -> tuple[str, str, str]:
    return pin.cloud, pin.definition.casefold(), pin.version


def _named(pins: Sequence[Pin], every: str = "All") -> str:
    """The versions, as a sentence begins with them, or has them in its midst with ``every`` as ``all``."""
    names = [f"{pin.version} of {pin.ref}" if pin.version else f"{every} of {pin.ref}" for pin in pins]
    return join_names(list(dict.fromkeys(names)), of="definition")
