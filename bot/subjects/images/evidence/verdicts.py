"""Planning and recording people's verdicts on versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.requests import VerdictRequest
from slipway.bot.subjects.images.evidence.standing import standing
from slipway.bot.subjects.images.evidence.steps import RecordVerdict
from slipway.bot.subjects.images.evidence.words import row_of
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.versions import is_promoted

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.evidence.store import EvidenceStore

VerdictT = TypeVar("VerdictT", bound=VerdictRequest)

_WORDS = {Outcome.PASSED: "good", Outcome.FAILED: "bad"}


class VerdictPlanner(Generic[VerdictT]):
    """Plans :class:`.requests.Good` and :class:`.requests.Bad`.

    Args:
        catalogue: reads the galleries.
        store: what is known so far.
        name: what to call a person by their id.
    """

    def __init__(self, catalogue: Catalogue, store: EvidenceStore, name: Callable[[str], str]) -> None:
        self._catalogue = catalogue
        self._store = store
        self._name = name

    async def plan(self, request: VerdictT, now: datetime) -> Draft[VerdictT]:
        """Plan to record the verdict, unless this person's word on the version is the same already.

        Raises:
            UserError: no such definition or version.
            CloudError: the gallery cannot be read.
        """
        definitions = (
            await self._catalogue.namesakes(request.definition)
            if request.pins is None
            else [pin.ref for pin in request.pins]
        )
        found = await self._catalogue.versions_of(definitions)
        pins, lacking = self._pins(found, request.version)
        steps: list[RecordVerdict] = []
        warnings: list[str] = []
        evidence: list[tuple[str, str]] = []
        known: list[str] = []
        recorded = await self._store.of(pins.values())
        for definition, pin in pins.items():
            version = next(each for each in found[definition] if str(each.number) == pin.version)
            before = standing(recorded.get(pin.target, ())).since(version.published_at)
            verdict = next(iter(before.of_kind(EvidenceKind.VERDICT)), None)
            evidence += [row_of(each, self._name) for each in before.counting]
            if verdict is not None and _is_same(verdict, request):
                known.append(
                    f"{pin.version} of {definition} is {_WORDS[verdict.outcome]} already, by your word."
                )
                continue
            steps.append(_step(pin, request))
            warnings += _warnings(definition, version, request.OUTCOME)
        pinned = request.model_copy(update={"pins": tuple(pins.values())})
        if not steps:
            return Draft(pinned, " ".join(known), (), {})
        what, alone = " and ".join(step.named for step in steps), len(steps) == 1
        why = f" ({request.words})" if request.words else ""  # all that others see of it in the room
        stays = f"; {'it stays' if alone else 'what is promoted stays'} promoted" if warnings else ""
        return Draft(
            request=pinned,
            summary=f"{what} {'is' if alone else 'are'} {_WORDS[request.OUTCOME]}, by the word of "
            f"{self._name(request.person)}{why}{stays}.",
            steps=tuple(steps),
            observed={},
            evidence=tuple(evidence),
            warnings=(*warnings, *lacking),
        )

    def _pins(
        self, found: Mapping[DefinitionRef, VersionListing], text: str
    ) -> tuple[dict[DefinitionRef, Pin], list[str]]:
        """The version in each cloud that has it, and a sentence for each that has not.

        Raises:
            UserError: none has it.
        """
        pins: dict[DefinitionRef, Pin] = {}
        lacking: list[UserError] = []
        for definition, versions in found.items():
            try:
                version = self._catalogue.named_version(definition, versions, text, lambda _each: True)
            except UserError as error:
                lacking.append(error)
            else:
                pins[definition] = Pin.of(definition, version)
        if not pins:
            raise lacking[0]
        return pins, [error.sentence for error in lacking]


def _is_same(verdict: Evidence, request: VerdictRequest) -> bool:
    said = (verdict.outcome, verdict.source, verdict.summary)
    return said == (request.OUTCOME, request.person, request.words)


def _step(pin: Pin, request: VerdictRequest) -> RecordVerdict:
    return RecordVerdict(
        **pin.model_dump(), outcome=request.OUTCOME, person=request.person, words=request.words
    )


def _warnings(definition: DefinitionRef, version: ImageVersion, outcome: Outcome) -> tuple[str, ...]:
    """A verdict changes no cloud: what launches now goes on launching."""
    if outcome is not Outcome.FAILED or not is_promoted(version):
        return ()
    return (
        f"{version.number} of {definition} is promoted, and stays so: a verdict takes nothing back, a rollback does.",
    )


class RecordVerdictExecutor:
    """Carries out :class:`.steps.RecordVerdict`.

    Args:
        store: where evidence is kept.
        clock: the present.
    """

    def __init__(self, store: EvidenceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: RecordVerdict, token: str) -> StepDone | None:
        """Done already if this very step recorded it."""
        return _done(step) if await self._store.has(token) else None

    async def act(self, step: RecordVerdict, token: str) -> None:
        """Record it."""
        await self._store.record(
            Evidence(
                cloud=step.cloud,
                definition=step.definition,
                version=step.version,
                kind=EvidenceKind.VERDICT,
                outcome=step.outcome,
                summary=step.words,
                source=step.person,
                at=self._clock(),
                key=token,
            )
        )

    async def verify(self, step: RecordVerdict, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is not there.
        """
        if not await self._store.has(token):
            sentence = f"The verdict on {step.named} was recorded, and is not there."
            raise CloudError(CloudErrorKind.UNVERIFIED, cloud=step.cloud, sentence=sentence)
        return _done(step)


def _done(step: RecordVerdict) -> StepDone:
    return StepDone(
        summary=f"It is recorded that {step.named} is {_WORDS[step.outcome]}.",
        facts={"definition": step.definition, "version": step.version, "outcome": step.outcome.value},
    )
