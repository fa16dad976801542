"""Gathers the facts that promotion rules rest on, and judges versions by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Protocol

from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.clouds.ports.image_evidence import Evidence
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.contents.comparing import Contents
from slipway.bot.subjects.images.contents.settings import ContentsSettings
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import NOTHING_KNOWN, Standing
from slipway.bot.subjects.images.holds.model import HoldReader, Holds, NothingHeld
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.rules.architectures import sibling_names
from slipway.bot.subjects.images.rules.evidence import FAILED_WORDS
from slipway.bot.subjects.images.rules.facts import Broken, Facts, Sibling
from slipway.bot.subjects.images.rules.judging import broken_rules, in_words, left_broken
from slipway.bot.subjects.images.rules.settings import PromotionSettings, settings_for
from slipway.bot.subjects.images.versions import newest_latest


@dataclass(frozen=True)
class Candidate:
    """A version that may be promoted, among all that its definition has."""

    definition: DefinitionRef
    version: ImageVersion
    versions: Sequence[ImageVersion]

    @cached_property
    def pin(self) -> Pin:
        """The version."""
        return Pin.of(self.definition, self.version)

    @property
    def latest(self) -> ImageVersion | None:
        """The newest other version that is promoted."""
        return newest_latest(each for each in self.versions if each.number != self.version.number)


@dataclass(frozen=True)
class Judgement:
    """What the rules say of a version: the facts, and those rules that it does not meet."""

    facts: Facts
    broken: tuple[Broken, ...]

    def left(self, overridden: Collection[str]) -> tuple[Broken, ...]:
        """Those that nobody overrides."""
        return left_broken(self.broken, overridden)

    @property
    def against(self) -> tuple[str, ...]:
        """What speaks against the version, whether a rule asks for that or not: of which kind, and by whom."""
        return tuple(_named(each) for each in self.facts.evidence.failed)


class KnownEvidence(Protocol):
    """Where evidence is looked up."""

    async def standing(self, versions: Collection[Pin]) -> Mapping[str, Standing]:
        """What counts of what is known of these versions, by their targets."""
        ...


class PromotionRules:
    """Judges versions by the rules of their definitions.

    Args:
        catalogue: reads the other architectures.
        evidence: what is known of versions.
        tables: ``[promotion."PATTERN"]``, in the order of slipway.toml.
        holds: what is held; None where nobody can hold anything.
        contents: looks into versions.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        evidence: KnownEvidence,
        tables: Mapping[str, PromotionSettings],
        holds: HoldReader | None = None,
        contents: Contents | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._evidence = evidence
        self.tables = tables
        self._holds = holds or NothingHeld()
        self._contents = contents or Contents(ContentsSettings())

    def reading(self, catalogue: Catalogue) -> PromotionRules:
        """The same rules on what another catalogue reads."""
        return PromotionRules(catalogue, self._evidence, self.tables, self._holds, self._contents)

    def wanted(self, definition: DefinitionRef) -> PromotionSettings:
        """What is asked of a definition's versions."""
        return settings_for(definition, self.tables)

    async def judge(
        self,
        candidates: Sequence[Candidate],
        now: datetime,
        overridden: Collection[str] = (),
        *,
        holds: Holds | None = None,
        look_inside: bool = False,
        sparing: bool = False,
    ) -> dict[str, Judgement]:
        """What the rules say of each of these versions, by its target.

        Where copies are is asked for of those that have to be replicated, a request or two each; ``sparing``, only of
        those that meet all other rules: of the others it is enough to know why they are not promoted.

        What is inside costs a request or two each: it is looked at where that is asked for here, and where it is a
        rule, of those that meet all others but the overridden ones: these may be promoted all the same.

        ``holds`` are those that were read just now; None reads them.

        Raises:
            CloudError: the other architectures cannot be read.
        """
        siblings = await self._siblings(candidates)
        pins = {each.pin.target: each.pin for each in candidates}
        beside = [
            Pin.of(replace(candidate.definition, name=name), version)
            for candidate in candidates
            for name, version in siblings[candidate.pin.target].items()
            if version is not None
        ]
        known = await self._evidence.standing([*pins.values(), *beside])
        if holds is None:
            holds = await self._holds.read()
        facts = {
            each.pin.target: Facts(
                definition=each.definition,
                version=each.version,
                now=now,
                wanted=self.wanted(each.definition),
                latest=each.latest,
                evidence=known.get(each.pin.target, NOTHING_KNOWN).since(each.version.published_at),
                held=holds.why_held(each.pin, now),
                siblings=tuple(
                    _sibling(each, name, version, known)
                    for name, version in siblings[each.pin.target].items()
                ),
            )
            for each in candidates
        }
        copied = await self._copied(
            [
                each
                for each in candidates
                if not (sparing and left_broken(broken_rules(facts[each.pin.target]), overridden))
            ]
        )
        judged: dict[str, Judgement] = {}
        for each in candidates:
            target = each.pin.target
            known_now = replace(facts[target], version=copied.get(target, each.version))
            judged[target] = await self._judged(each, known_now, overridden, look_inside=look_inside)
        return judged

    async def why_not(
        self,
        pin: Pin,
        version: ImageVersion,
        overridden: Collection[str],
        now: datetime,
        *,
        accepted: Collection[str] | None = None,
        holds: Holds | None = None,
    ) -> str:
        """Why a version must not be promoted right now, as the rest of a sentence about it; empty where it may. Asks
        its cloud only where a rule of its definition needs that.

        ``accepted`` is the evidence against it that people agreed to; what else speaks against it now is a reason,
        too, whether a rule asks for that or not. None where that is not known. ``holds`` as for :meth:`judge`.

        Raises:
            CloudError: its cloud cannot be read.
        """
        wanted = self.wanted(pin.ref)
        beside_latest = wanted.not_older or wanted.replicated or wanted.contents
        versions = await self._catalogue.versions(pin.ref) if beside_latest else (version,)
        candidate = Candidate(pin.ref, version, versions)
        (judged,) = (await self.judge([candidate], now, overridden, holds=holds, look_inside=True)).values()
        if accepted is None or judged.left(overridden):
            return in_words(judged.left(overridden))
        new = [each for each in judged.facts.evidence.failed if _named(each) not in accepted]
        return f"{' and '.join(map(_failed, new))}, after this was planned" if new else ""

    async def _judged(
        self, candidate: Candidate, facts: Facts, overridden: Collection[str], *, look_inside: bool
    ) -> Judgement:
        broken = broken_rules(facts)
        wanted = facts.wanted.contents and (look_inside or not left_broken(broken, overridden))
        if wanted or (look_inside and self._contents.configured):
            inside = await self._contents.compare(candidate.definition.name, facts.version, facts.latest)
            facts = replace(facts, inside=inside)
            broken = broken_rules(facts)
        return Judgement(facts, broken)

    async def _copied(self, candidates: Sequence[Candidate]) -> dict[str, ImageVersion]:
        """Those that have to be replicated, with how far their copies are, by target."""
        asked = [each for each in candidates if self.wanted(each.definition).replicated]
        found = await self._catalogue.with_copies(
            {each.definition: VersionListing(each.versions) for each in asked},
            [(each.definition, each.version) for each in asked],
        )
        return {
            each.pin.target: version
            for each in asked
            if (version := _numbered(each.version, found[each.definition])) is not None
        }

    async def _siblings(
        self, candidates: Sequence[Candidate]
    ) -> Mapping[str, Mapping[str, ImageVersion | None]]:
        """The same version of the other architectures that are asked for, by target and definition."""
        names = {
            each.pin.target: sibling_names(each.definition.name, self.wanted(each.definition).architectures)
            for each in candidates
        }
        here = {(each.definition.cloud, each.definition.name): each.versions for each in candidates}
        missing = {
            (each.definition.cloud, name): each.definition.cloud
            for each in candidates
            for name in names[each.pin.target]
            if (each.definition.cloud, name) not in here
        }
        listed = await side_by_side({(cloud, name): self._versions(cloud, name) for cloud, name in missing})
        listings = {**here, **listed}
        return {
            each.pin.target: {
                name: _numbered(each.version, listings[each.definition.cloud, name])
                for name in names[each.pin.target]
            }
            for each in candidates
        }

    async def _versions(self, cloud: str, name: str) -> Sequence[ImageVersion]:
        try:
            return await self._catalogue.versions(DefinitionRef(cloud, name))
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            return ()


def _named(evidence: Evidence) -> str:
    """Evidence as plans name it. Stored."""
    return f"{evidence.kind.value} by {evidence.source}"


def _failed(evidence: Evidence) -> str:
    summary = f" ({evidence.summary})" if evidence.summary else ""
    return f"{FAILED_WORDS[evidence.kind]}{summary}"


def _numbered(version: ImageVersion, among: Sequence[ImageVersion]) -> ImageVersion | None:
    return next((each for each in among if each.number == version.number), None)


def _sibling(
    candidate: Candidate, name: str, version: ImageVersion | None, known: Mapping[str, Standing]
) -> Sibling:
    if version is None:
        return Sibling(name, None)
    target = Pin.of(replace(candidate.definition, name=name), version).target
    return Sibling(name, version, known.get(target, NOTHING_KNOWN).since(version.published_at))
