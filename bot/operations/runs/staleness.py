"""Whether a plan still holds: the plan made again, compared with the one people agreed to."""

from __future__ import annotations

import json

from slipway.bot.core.model import Json
from slipway.bot.operations.model import Plan

DIFFERENCES_SHOWN = 10

_POLICY = "who must agree was changed in the configuration"


def differences(agreed: Plan, fresh: Plan) -> tuple[str, ...]:
    """What changed in the substance of a plan, a plain line each; empty if it still holds.

    The substance is what would be done, the facts it rests on, and who had to agree. Its words and its
    warnings may change.
    """
    lines: list[str] = []
    before = {step.title: step for step in agreed.steps}
    after = {step.title: step for step in fresh.steps}
    lines += [f"no longer planned: {title}" for title in before if title not in after]
    lines += [f"newly planned: {title}" for title in after if title not in before]
    lines += [
        f"planned differently: {title}"
        for title, step in before.items()
        if title in after and after[title] != step
    ]
    lines += _changed(agreed.observed, fresh.observed)
    if agreed.policy.substance != fresh.policy.substance:
        lines.append(_POLICY)
    if not lines and (agreed.request != fresh.request or agreed.steps != fresh.steps):
        lines.append("the plan is not the same any more")
    return _shortened(lines)


def differences_left(agreed: Plan, fresh: Plan, done: int) -> tuple[str, ...]:
    """As :func:`differences`, of the steps that are left of a plan under way.

    What the first steps changed is not held against it: they need not be planned any more, and the facts they rested
    on may be gone. A fact that an earlier step changes must not be one of a later step's. Nor is it that the rest, by
    itself, would ask for less.

    Args:
        agreed: what people agreed to.
        fresh: the same, planned again.
        done: how many of its steps have ended.
    """
    after = {step.title: step for step in fresh.steps}
    known = {step.title for step in agreed.steps}
    lines = [f"no longer planned: {step.title}" for step in agreed.steps[done:] if step.title not in after]
    lines += [f"newly planned: {title}" for title in after if title not in known]
    lines += [
        f"planned differently: {step.title}"
        for step in agreed.steps[done:]
        if step.title in after and after[step.title] != step
    ]
    before, now = agreed.observed, fresh.observed
    if done:
        still = before.keys() & now.keys()
        before, now = ({name: facts[name] for name in still} for facts in (before, now))
    lines += _changed(before, now)
    if not (
        agreed.policy.covers(fresh.policy) if done else agreed.policy.substance == fresh.policy.substance
    ):
        lines.append(_POLICY)
    return _shortened(lines)


def _shortened(lines: list[str]) -> tuple[str, ...]:
    if len(lines) > DIFFERENCES_SHOWN:
        lines[DIFFERENCES_SHOWN:] = [f"and {len(lines) - DIFFERENCES_SHOWN} more differences"]
    return tuple(lines)


def _changed(before: dict[str, Json], after: dict[str, Json]) -> list[str]:
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        if _text(before, name) == _text(after, name):
            continue
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(
            new, dict
        ):  # of a thing with many facts, only those that changed
            lines += [f"{name}: {line}" for line in _changed(old, new)]
        else:
            lines.append(f"{name} was {_words(old)}, and is now {_words(new)}")
    return lines


def _text(facts: dict[str, Json], name: str) -> str:
    """A fact as it is digested: unlike Python's equality, JSON tells true from 1, and null from nothing."""
    return json.dumps(facts[name], sort_keys=True) if name in facts else ""


def _words(value: Json) -> str:
    match value:
        case None:
            return "not there"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_words(item) for item in value) or "none"
        case dict():
            return ", ".join(f"{name} {_words(item)}" for name, item in value.items()) or "none"
        case _:
            return str(value)
