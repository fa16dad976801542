"""What `!images DEFINITION/VERSION` shows beside the row of the version: its evidence, its rules, its history."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.chat.model import Card, Field, Table
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.clouds.ports.image_evidence import Evidence
from slipway.bot.clouds.ports.image_ids import NamesPublicly
from slipway.bot.clouds.ports.image_protection import ProtectsVersions
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError
from slipway.bot.core.times import format_time
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.operations.presentation.cards import state_in_words
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import Standing, standing
from slipway.bot.subjects.images.evidence.words import KIND_TITLES, outcome_word
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.past import MOST_SHOWN, PastStep, past_of
from slipway.bot.subjects.images.promoting.choosing import why_not
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.restoring.past import before
from slipway.bot.subjects.images.rules.gathering import Candidate, Judgement
from slipway.bot.subjects.images.rules.judging import asked_of
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.versions import is_promoted_everywhere
from slipway.commands.dispatch.context import CommandContext

_EVIDENCE_SHOWN = 12
"""How much of what was recorded is shown, the newest."""

_EVIDENCE = {"kind": "Evidence", "outcome": "Says", "by": "By", "at": "On", "words": "What"}
_PAST = {"what": "History", "state": "Ended", "at": "On", "by": "By", "replaced": "Latest before"}


async def about_version(
    call: CommandContext,
    card: Card,
    definition: DefinitionRef,
    versions: VersionListing,
    version: ImageVersion,
) -> Card:
    """The card of a version with all that is known about it.

    Raises:
        CloudError: what its rules ask for cannot be read.
    """
    services = call.services.get(ImageServices)
    pin = Pin.of(definition, version)
    recorded = (await services.evidence.store.of([pin])).get(pin.target, ())
    about = await call.services.operations.about(pin.target, 3 * MOST_SHOWN)
    past = past_of(pin, about)[:MOST_SHOWN]
    fields = [
        *card.fields,
        *_public(services, definition, version),
        *await _protection(services, definition, version),
    ]
    notes = list(card.notes)
    if not is_promoted_everywhere(version):
        why = why_not(version, call.services.clock())
        if why and version.state is not VersionState.DISABLED:
            notes.append(f"{version.number} {why}, so it cannot be promoted.")
        candidate = Candidate(definition, version, versions)
        (judged,) = (
            await services.rules.judge([candidate], call.services.clock(), look_inside=True)
        ).values()
        fields += _rules(judged)
        notes += _next(call, judged)
    notes += _to_come(call, about)
    tables = [*card.tables]
    if recorded:
        tables.append(_evidence(call, recorded, standing(recorded).since(version.published_at)))
    else:
        fields.append(Field(label="Evidence", value="none recorded"))
    if past:
        tables.append(_history(call, past))
    return card.model_copy(update={"fields": tuple(fields), "tables": tuple(tables), "notes": tuple(notes)})


async def about_gone(call: CommandContext, definition: DefinitionRef, number: str) -> Card | None:
    """The card of a version that its cloud does not have any more, with what is kept of it; None where nothing is."""
    services = call.services.get(ImageServices)
    pin = Pin(
        definition=definition.name, version=number, cloud=definition.cloud, qualified=definition.qualified
    )
    recorded = (await services.evidence.store.of([pin])).get(pin.target, ())
    about = await call.services.operations.about(pin.target, 3 * MOST_SHOWN)
    past = past_of(pin, about)[:MOST_SHOWN]
    if not (recorded or past):
        return None
    tables = [_evidence(call, recorded, standing(recorded))] if recorded else []
    return Card(
        title=f"{definition} has no version {number} any more",
        fields=(Field(label="Was", value=before(pin, about).words),),
        tables=(*tables, *((_history(call, past),) if past else ())),
    )


def _to_come(call: CommandContext, about: Sequence[Operation]) -> list[str]:
    """What was agreed to and waits for its time."""
    found = []
    for each in about:
        if each.state is OperationState.APPROVED and each.plan.not_before is not None:
            stop = f" To stop it: `{call.prefix}cancel {each.id}`" if call.may(f"cancel {each.id}") else ""
            found.append(f"{each.id} {each.kind}: {state_in_words(each, call.services.cards)}.{stop}")
    return found


def _public(services: ImageServices, definition: DefinitionRef, version: ImageVersion) -> list[Field]:
    """By which ids everybody may launch it."""
    gallery: object = services.clouds.get(IMAGE_VERSIONS, definition.cloud)
    ids = gallery.public_ids(version) if isinstance(gallery, NamesPublicly) else ()
    return [Field(label="Public id", value=each) for each in ids]


async def _protection(
    services: ImageServices, definition: DefinitionRef, version: ImageVersion
) -> list[Field]:
    """Whether its cloud refuses to delete it, and who wants that; nothing where it does not."""
    gallery = services.clouds.get(IMAGE_VERSIONS, definition.cloud)
    if not isinstance(gallery, ProtectsVersions):
        return []
    try:
        (seen,) = await gallery.protections([version])
    except CloudError as error:
        words = f"not known: {error.words}"
    else:
        by = [name for name, so in (("Slipway", seen.ours), ("somebody else", seen.others)) if so]
        words = f"by {join_names(by)}" if by else ""
    return [Field(label="Protected from deletion", value=words)] if words else []


def _rules(judged: Judgement) -> list[Field]:
    asked = asked_of(judged.facts.wanted)
    broken = {each.rule for each in judged.broken}
    fields = [Field(label=f"Rule {each.rule}", value=f"not met: it {each.words}") for each in judged.broken]
    met = [rule.value for rule in asked if rule not in broken]
    if judged.facts.inside is not None:
        words = judged.facts.inside.words or f"unknown: {judged.facts.inside.unknown}"
        fields.append(Field(label="Inside", value=words))
    if met:
        fields.append(Field(label="Rules met", value=", ".join(met)))
    return fields


def _next(call: CommandContext, judged: Judgement) -> list[str]:
    """What helps where a rule is not met."""
    shown = f"images {judged.facts.image}"
    lines = dict.fromkeys(each.remedy for each in judged.broken if each.remedy not in ("", shown))
    return [f"To meet its rules: `{call.prefix}{line}`" for line in lines if call.may(line)]


def _evidence(call: CommandContext, recorded: Sequence[Evidence], counts: Standing) -> Table:
    """All that was recorded, the newest first; what does not count any more says so."""
    counting = {each.number for each in counts.counting}
    return table_of(
        _EVIDENCE,
        [_recorded(call, each, each.number in counting) for each in [*reversed(recorded)][:_EVIDENCE_SHOWN]],
    )


def _recorded(call: CommandContext, evidence: Evidence, counts: bool) -> Row:
    word = outcome_word(evidence)
    cards = call.services.cards
    return {
        "kind": text(evidence.kind.value, KIND_TITLES[evidence.kind]),
        "outcome": text(word, word if counts else f"{word}, before"),
        "by": text(evidence.source, cards.name(evidence.source)),
        "at": moment(evidence.at, format_time(evidence.at, cards.zone)),
        "words": text(evidence.summary or None),
    }


def _history(call: CommandContext, past: Sequence[PastStep]) -> Table:
    return table_of(_PAST, [_past(call, each) for each in past])


def _past(call: CommandContext, past: PastStep) -> Row:
    cards = call.services.cards
    agreed = ", ".join(cards.name(each) for each in past.approved_by)
    by = cards.name(past.by)
    return {
        "what": text(past.what, f"{past.what} ({past.operation_id})"),
        "state": text(past.state),
        "at": moment(past.at, format_time(past.at, cards.zone)),
        "by": text(past.by, f"{by}, approved by {agreed}" if agreed else by),
        "replaced": text(past.replaced or None),
    }
