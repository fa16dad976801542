"""Planning to protect what is latest, where ``[promotion."PATTERN"]`` says so.

It stands around the planners of all that changes what is latest. A version stays protected when a newer one is
promoted, or when it is taken back: a rollback may need it. Only a clean-up that removes it lifts that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.clouds.ports.image_protection import ProtectionSeen, ProtectsVersions
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.steps import Draft, Planner, Step
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.requests import LatestChange, Pin, Promotion
from slipway.bot.subjects.images.rules.settings import PromotionSettings, settings_for
from slipway.bot.subjects.images.steps import ProtectVersion, SetExcluded
from slipway.bot.subjects.images.versions import promoted_by_region

ChangeT = TypeVar("ChangeT", bound=LatestChange)


@dataclass(frozen=True)
class _Wanted:
    """What is to be protected.

    Attributes:
        pins: the versions.
        by: what protects each of them, in words.
        notes: what cannot be protected, a sentence each.
    """

    pins: tuple[Pin, ...] = ()
    by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class ProtectingPlanner(Generic[ChangeT]):
    """Plans what another planner does, and then to protect what is latest.

    Args:
        make: makes the other planner for a catalogue.
        catalogue: reads the galleries.
        tables: ``[promotion."PATTERN"]``, in the order of slipway.toml.
    """

    def __init__(
        self,
        make: Callable[[Catalogue], Planner[ChangeT]],
        catalogue: Catalogue,
        tables: Mapping[str, PromotionSettings],
    ) -> None:
        self._make = make
        self._catalogue = catalogue
        self._tables = tables

    async def plan(self, request: ChangeT, now: datetime) -> Draft[ChangeT]:
        """Plan both; see the other planner for what it raises.

        What a promotion was asked for, and is latest already without being protected, is protected, too.

        Raises:
            CloudError: it cannot be read how versions are protected.
        """
        catalogue, _ = self._catalogue.observing()
        draft = await self._make(catalogue).plan(request, now)
        if not (request.protects or any(table.protect for table in self._tables.values())):
            return draft
        if request.pins is not None:  # others may have protected them since: that is no other plan
            return _with_steps(draft, _Wanted(request.protects))
        if not draft.steps and not isinstance(request, Promotion):
            return draft
        about = await catalogue.listed(request.definition)  # seen before, so nobody is asked again
        return _with_steps(draft, await self._wanted(draft, about))

    async def _wanted(self, draft: Draft[ChangeT], listed: Mapping[DefinitionRef, VersionListing]) -> _Wanted:
        """What is latest after the draft's steps and not protected."""
        by_cloud: dict[str, list[tuple[DefinitionRef, ImageVersion]]] = {}
        for definition, versions in listed.items():
            if settings_for(definition, self._tables).protect:
                after = latest_after(definition, versions, draft.steps)
                by_cloud.setdefault(definition.cloud, []).extend((definition, each) for each in after)
        looked = await side_by_side(
            {cloud: self._look(cloud, held) for cloud, held in by_cloud.items() if held}
        )
        return _Wanted(
            pins=tuple(pin for found in looked.values() for pin in found.pins),
            by=tuple(words for found in looked.values() for words in found.by),
            notes=tuple(note for found in looked.values() for note in found.notes),
        )

    async def _look(self, cloud: str, held: Sequence[tuple[DefinitionRef, ImageVersion]]) -> _Wanted:
        gallery = self._catalogue.clouds.get(IMAGE_VERSIONS, cloud)
        if not isinstance(gallery, ProtectsVersions):
            return _Wanted(notes=(f"{gallery.title} cannot protect versions from deletion.",))
        found = await gallery.protections([version for _, version in held])
        open_: list[tuple[DefinitionRef, ImageVersion, ProtectionSeen]] = [
            (definition, version, seen)
            for (definition, version), seen in zip(held, found, strict=True)
            if not seen.on
        ]
        return _Wanted(
            pins=tuple(
                Pin.of(definition, version) for definition, version, seen in open_ if not seen.obstacle
            ),
            by=(gallery.protection_title,) * sum(not seen.obstacle for *_, seen in open_),
            notes=tuple(
                f"{version.number} of {definition} {seen.obstacle}: it is not protected from deletion."
                for definition, version, seen in open_
                if seen.obstacle
            ),
        )


def latest_after(
    definition: DefinitionRef, versions: Iterable[ImageVersion], steps: Iterable[Step]
) -> list[ImageVersion]:
    """What is latest of a definition in any region once these steps are done, as it is now, by the flags.

    What failed, or is being made or deleted, is left out: it cannot be changed.
    """
    flags = {step.target: step for step in steps if isinstance(step, SetExcluded)}
    held = {each.number: each for each in versions}
    shown = [
        each if (flag := flags.get(Pin.of(definition, each).target)) is None else _flagged(each, flag)
        for each in held.values()
    ]
    numbers = sorted({each.number for each in promoted_by_region(shown).values()}, reverse=True)
    fit = (VersionState.SUCCEEDED, VersionState.UPDATING)
    return [held[number] for number in numbers if held[number].state in fit]


def _flagged(version: ImageVersion, step: SetExcluded) -> ImageVersion:
    """The version once the step is done, which comes after it was copied to all regions that the step needs."""
    regions = tuple(replace(region, excluded=None) for region in version.regions)
    names = {region.name for region in regions}
    copied = tuple(replace(regions[0], name=name) for name in step.needs if name not in names and regions)
    return replace(version, excluded=step.excluded, regions=(*regions, *copied))


def _with_steps(draft: Draft[ChangeT], wanted: _Wanted) -> Draft[ChangeT]:
    """The draft with steps that protect: behind the first wave by which a version is latest anywhere, since the next
    may be days away, or behind all others."""
    if not wanted.pins:
        return replace(draft, warnings=(*draft.warnings, *wanted.notes)) if draft.steps else draft
    request = draft.request.model_copy(update={"protects": wanted.pins})
    steps = tuple(ProtectVersion(**pin.model_dump()) for pin in wanted.pins)
    named = [f"{pin.version} of {pin.ref}" for pin in wanted.pins]
    verb = "is" if len(named) == 1 else "are"
    alone = f"{join_names(named)}, latest already, {verb} protected from deletion."
    by = tuple(("Protected from deletion", f"by {words}") for words in dict.fromkeys(wanted.by))
    return replace(
        draft,
        request=request,
        summary=draft.summary if draft.steps else alone,
        steps=_protected(draft.steps, steps),
        evidence=(*draft.evidence, *by),
        warnings=(*draft.warnings, *wanted.notes, *(() if draft.steps else draft.summary.splitlines()[:1])),
        independent=draft.independent or (not draft.steps and len(steps) > 1),
    )


def _protected(steps: Sequence[Step], protecting: Sequence[ProtectVersion]) -> tuple[Step, ...]:
    left = {step.target: step for step in protecting}
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if isinstance(step, SetExcluded) and step.wave and step.target in left:
            found.append(left.pop(step.target))
    return (*found, *left.values())
