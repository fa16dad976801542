"""Planning a clean-up: retention decided definition by definition, one step a version that goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.observed import observe_deletion
from slipway.bot.subjects.images.requests import Cleanup, Pin
from slipway.bot.subjects.images.retention import Deletion, Retention, Rule, retention
from slipway.bot.subjects.images.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion
from slipway.bot.subjects.images.versions import is_promoted, latest_by_region

_RULE_LABELS = {
    Rule.END_OF_LIFE: "Past end of life",
    Rule.CANDIDATES: "Older candidates",
    Rule.ROLLING: "Older rolling versions",
}


@dataclass(frozen=True)
class _Chosen:
    """A version that goes, and its definition."""

    definition: DefinitionRef
    deletion: Deletion

    @property
    def version(self) -> ImageVersion:
        return self.deletion.version

    @property
    def pin(self) -> Pin:
        return Pin.of(self.definition, self.version)


class CleanupPlanner:
    """Plans :class:`slipway.bot.subjects.images.requests.Cleanup`."""

    def __init__(self, catalogue: Catalogue, policy: RetentionSettings) -> None:
        self._catalogue = catalogue
        self._policy = policy

    async def plan(self, request: Cleanup, now: datetime) -> Draft[Cleanup]:
        """Plan to delete what retention chooses; a pinned request only deletes what is still chosen of it.

        Costs one listing of the definitions and one of each definition's versions. Where any of them fails the
        whole plan fails: a part of the truth deletes nothing. A definition that lists no versions among others
        that do (a new one, say) is left alone with a warning.

        Raises:
            UserError: no such definition.
            CloudError: the gallery cannot be read, or lists no versions at all (UNEXPECTED_ANSWER).
        """
        if request.pins is not None:
            definitions = tuple(dict.fromkeys(pin.ref for pin in request.pins))
        else:
            definitions = await self._catalogue.matching(request.definition)
        listed = await self._catalogue.versions_of(definitions)
        found = {definition: versions for definition, versions in listed.items() if versions}
        empty = [definition for definition in listed if definition not in found]
        if not found:
            raise CloudError(
                CloudErrorKind.UNEXPECTED_ANSWER,
                cloud=empty[0].cloud,
                sentence=f"{join_names([str(each) for each in empty])} lists no versions at all, "
                "which is no ground for a clean-up; nothing is deleted.",
            )
        decided = {
            definition: retention(versions, now, self._policy, title=str(definition))
            for definition, versions in found.items()
        }
        pinned = None if request.pins is None else {pin.target for pin in request.pins}
        chosen = [
            _Chosen(definition, each)
            for definition, result in decided.items()
            for each in reversed(result.deletions)  # oldest first: what is missed least goes first
        ]
        going = [each for each in chosen if pinned is None or each.pin.target in pinned]
        draft = self._draft(request, going, found, decided)
        return replace(
            draft,
            warnings=(*(f"{each} lists no versions, and is left alone." for each in empty), *draft.warnings),
        )

    def _draft(
        self,
        request: Cleanup,
        going: Sequence[_Chosen],
        found: Mapping[DefinitionRef, Sequence[ImageVersion]],
        decided: Mapping[DefinitionRef, Retention],
    ) -> Draft[Cleanup]:
        pins = tuple(each.pin for each in going)
        total = sum(len(versions) for versions in found.values())
        caution = request.caution or self._caution(going, found)
        request = request.model_copy(update={"pins": pins, "caution": caution})
        if not going:
            where = next(iter(found)) if len(found) == 1 else f"{len(found)} definitions"
            summary = f"Nothing to clean up: retention keeps all {total} versions of {where}."
            return Draft(request, summary, (), {})
        touched = list(dict.fromkeys(each.definition for each in going))
        observed: dict[str, Json] = {}
        latest = {
            id(version) for definition in touched for version in latest_by_region(found[definition]).values()
        }
        for each in going:
            observed |= observe_deletion(each.definition, each.version, latest=id(each.version) in latest)
        what = "1 version" if len(going) == 1 else f"{len(going)} versions"
        return Draft(
            request=request,
            summary=f"{what} of {join_names([str(each) for each in touched])} deleted.",
            steps=tuple(self._step(each) for each in going),
            observed=observed,
            evidence=self._evidence(going, total),
            warnings=tuple(warning for definition in touched for warning in decided[definition].warnings),
            independent=True,
            needs_approval=caution,
        )

    def _step(self, chosen: _Chosen) -> DeleteVersion:
        deletion = chosen.deletion
        limits = {Rule.CANDIDATES: self._policy.keep_candidates, Rule.ROLLING: self._policy.keep_rolling}
        return DeleteVersion(
            definition=chosen.definition.name,
            version=str(chosen.version.number),
            cloud=chosen.definition.cloud,
            qualified=chosen.definition.qualified,
            rule=deletion.rule,
            promoted=is_promoted(deletion.version),
            end_of_life=deletion.version.end_of_life if deletion.rule is Rule.END_OF_LIFE else None,
            limit=limits.get(deletion.rule),
        )

    def _evidence(self, going: Sequence[_Chosen], total: int) -> tuple[tuple[str, str], ...]:
        counts = {rule: sum(each.deletion.rule is rule for each in going) for rule in Rule}
        rows = [(_RULE_LABELS[rule], str(count)) for rule, count in counts.items() if count]
        return (*rows, ("Kept", str(total - len(going))))

    def _caution(
        self, going: Sequence[_Chosen], found: Mapping[DefinitionRef, Sequence[ImageVersion]]
    ) -> str:
        """A sentence where more than the configured share of any definition goes; empty elsewhere."""
        counts = Counter(each.definition for each in going)
        large = [
            f"{definition} ({count} of {len(found[definition])})"
            for definition, count in counts.items()
            if count > self._policy.approval_share * len(found[definition])
        ]
        if not large:
            return ""
        return f"More than {self._policy.approval_share:.0%} would go of {join_names(large)}."
