"""Which of the versions that may be promoted meets its rules, and what is said of those that do not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.ports.image_evidence import Evidence
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.words import KIND_TITLES, outcome_word, row_of
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.rules.facts import ALWAYS, Broken
from slipway.bot.subjects.images.rules.gathering import Judgement
from slipway.bot.subjects.images.rules.judging import asked_of, in_words

MOST_REFUSED = 3
"""So many versions that do not meet the same rules are told, a line each; more are counted."""


@dataclass(frozen=True)
class Refusal:
    """A version that would have been chosen, did it meet its rules."""

    definition: DefinitionRef
    version: ImageVersion
    broken: tuple[Broken, ...]

    @property
    def sentence(self) -> str:
        """A line that says which rules."""
        return f"{self.version.number} of {self.definition} {in_words(self.broken)}."

    def error(self, *, chosen: bool = False) -> UserError:
        """What whoever asked for it is told: why, what helps, and how to have it all the same.

        ``chosen`` is whether nobody named this version and there are others: where nothing overrides the rule, the
        newest of them that meets its rules may do.
        """
        said = f"{self.sentence} So it is not promoted."
        names = [each.rule for each in self.broken if each.rule not in ALWAYS]
        if len(names) == len(self.broken):
            options = " ".join(f"--override {name}" for name in dict.fromkeys(names))
            line = f"promote {options} {self.definition}/{self.version.number} REASON"
            said += f" To promote it all the same, by the approvals that takes: `{line}`."
        elif chosen:
            return UserError(said, hint=f"promote --due {self.definition}")
        remedies = [each.remedy for each in self.broken if each.remedy]
        # What mends it comes before what only shows it.
        remedies.sort(key=lambda line: line.startswith("images "))
        return UserError(said, hint=next(iter(remedies), f"images {self.definition}"))


@dataclass(frozen=True)
class Selection:
    """What is promoted, and what is not.

    Attributes:
        chosen: the first of each definition that meets its rules.
        refused: those that were to be chosen before, and do not.
    """

    chosen: Mapping[DefinitionRef, ImageVersion]
    refused: tuple[Refusal, ...]


def select(
    options: Mapping[DefinitionRef, Sequence[ImageVersion]],
    judged: Mapping[str, Judgement],
    overridden: Collection[str],
) -> Selection:
    """Choose of each definition the first version that meets its rules.

    Args:
        options: what may be promoted, in the order of the wish.
        judged: what the rules say, by target; a version that is not among them has none to meet.
        overridden: the rules that need not be met.
    """
    chosen: dict[DefinitionRef, ImageVersion] = {}
    refused: list[Refusal] = []
    for definition, versions in options.items():
        for version in versions:
            found = judged.get(Pin.of(definition, version).target)
            broken = found.left(overridden) if found is not None else ()
            if not broken:
                chosen[definition] = version
                break
            refused.append(Refusal(definition, version, broken))
    return Selection(chosen, tuple(refused))


def told(refused: Sequence[Refusal]) -> list[str]:
    """What is said of versions that do not meet their rules: by the rules, a line where many break the same, with a
    line for each of them below it."""
    by_rules: dict[tuple[str, ...], list[Refusal]] = {}
    for each in refused:
        by_rules.setdefault(tuple(broken.rule.value for broken in each.broken), []).append(each)
    said: list[str] = []
    for rules, group in by_rules.items():
        lines = [each.sentence for each in group]
        said += lines if len(group) <= MOST_REFUSED else ["\n".join((_counted(rules, group), *lines))]
    return said


def _counted(rules: Sequence[str], group: Sequence[Refusal]) -> str:
    """That so many versions do not meet some rules, with the first of them as an example."""
    definitions = dict.fromkeys(str(each.definition) for each in group)
    of = next(iter(definitions)) if len(definitions) == 1 else f"{len(definitions)} definitions"
    which = f"rule{'' if len(rules) == 1 else 's'} {join_names(rules, len(rules))}"
    return f"{len(group)} candidates of {of} do not meet {which}. The first: {group[0].sentence}"


def not_needed(judged: Iterable[Judgement], overridden: Sequence[str]) -> None:
    """Refuse an override of a rule that every version meets: whoever asked has something else in mind.

    Raises:
        UserError: nothing breaks one of the rules.
    """
    held = list(judged)
    broken = {each.rule.value for judgement in held for each in judgement.broken}
    for name in overridden:
        if held and name not in broken:
            facts = held[0].facts
            raise UserError(
                f"{facts.version.number} of {facts.definition} breaks no rule {name}: leave `--override {name}` out.",
                hint=f"images {facts.image}",
            )


def evidence_rows(judgement: Judgement, name: Callable[[str], str]) -> list[tuple[str, str]]:
    """What the card of a promotion says of the evidence for its one version, and of its rules."""
    counting = judgement.facts.evidence.counting
    rows = [row_of(each, name) for each in counting] or [("Evidence", "none recorded")]
    inside = judgement.facts.inside
    if inside is not None:
        rows.append(("Inside", inside.words or f"unknown: {inside.unknown}"))
    broken = {each.rule for each in judgement.broken}
    asked = asked_of(judgement.facts.wanted)
    if asked:
        met = [rule.value for rule in asked if rule not in broken]
        rows.append(("Rules met", ", ".join(met) or "none"))
    return rows


def evidence_in_short(counting: Sequence[Evidence]) -> str:
    """The same in a few words, where several versions stand on one card; empty where nothing is known."""
    return ", ".join(f"{KIND_TITLES[each.kind].lower()} {outcome_word(each)}" for each in counting)


def observe_against(judgement: Judgement) -> dict[str, Json]:
    """What speaks against a version, as a fact of the plan: whoever agreed is asked again where that changes. What
    speaks for it makes no plan stale."""
    facts = judgement.facts
    against: list[Json] = [*judgement.against]
    return {f"evidence against {facts.version.number} of {facts.definition}": against} if against else {}


def warnings_of(judgement: Judgement, overridden: Collection[str]) -> list[str]:
    """What whoever agrees has to know: rules that are passed over, and evidence against it that no rule asks for."""
    facts = judgement.facts
    named = f"{facts.version.number} of {facts.definition}"
    passed = [each for each in judgement.broken if each.rule.value in overridden]
    warnings = [f"Overridden: {named} {in_words([each])}." for each in passed]
    told = set(facts.wanted.evidence)
    warnings += [
        f"{named} failed: {KIND_TITLES[each.kind].lower()}. No rule asks for that."
        for each in facts.evidence.failed
        if each.kind not in told
    ]
    return warnings
