"""What was composed together is promoted together: the other architectures have to be there, and good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipway.bot.clouds.model import VersionState
from slipway.bot.clouds.ports.image_evidence import Outcome
from slipway.bot.subjects.images.rules.facts import Broken, Facts, RuleName, Sibling
from slipway.bot.subjects.images.rules.settings import PromotionSettings


def sibling_names(definition: str, architectures: Sequence[str]) -> tuple[str, ...]:
    """The definitions of the other architectures: the same name with another end. None where it ends otherwise."""
    own = next((each for each in architectures if _ends(definition, each)), None)
    if own is None:
        return ()
    stem = definition[: len(definition) - len(own)]
    return tuple(f"{stem}{each}" for each in architectures if each != own)


def _ends(definition: str, architecture: str) -> bool:
    return definition.casefold().endswith(f"-{architecture.casefold()}")


def why_not(facts: Facts) -> Broken | None:
    """Not while the same version of another architecture is missing, not uploaded well, or not as good as asked."""
    wanted = facts.wanted
    if not wanted.architectures:
        return None
    if not any(_ends(facts.definition.name, each) for each in wanted.architectures):
        ends = " or ".join(wanted.architectures)
        return Broken(RuleName.ARCHITECTURES, f"is of a definition that does not end in {ends}")
    for each in facts.siblings:
        problem = _problem(each, wanted)
        if problem:
            named = f"{facts.version.number} of {each.definition}"
            other = replace(facts.definition, name=each.definition)
            remedy = "" if each.version is None else f"images {other}/{facts.version.number}"
            return Broken(
                RuleName.ARCHITECTURES, f"was composed together with {named}, which {problem}", remedy
            )
    return None


def _problem(sibling: Sibling, wanted: PromotionSettings) -> str:
    if sibling.version is None:
        return "is not there"
    if sibling.version.state is not VersionState.SUCCEEDED:
        return f"is {sibling.version.state_title}"
    if sibling.evidence.bad is not None:
        return "is said to be bad"
    if sibling.evidence.failed:
        return f"failed: {sibling.evidence.failed[0].kind.value}"
    missing = [kind for kind in wanted.evidence if sibling.evidence.outcome(kind) is not Outcome.PASSED]
    return f"lacks evidence: {', '.join(missing)}" if missing else ""
