"""Which operation somebody means, and what of their words is no id."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from slipway.bot.core.errors import UserError
from slipway.bot.core.operation_ids import FEWEST
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.context import CommandContext
from slipway.commands.grammar.values import operation_id_in, said_back, without_punctuation

WAITING = (OperationState.PROPOSED,)
"""What can be approved or rejected."""

_PREFIXED = re.compile(r"op[-_]", re.ASCII)
_DIGIT = re.compile(r"[0-9]", re.ASCII)

_NEARLY_AN_ID = re.compile(r"op[-_]\S*|op[0-9]\S*|(?=\S*[0-9])[0-9a-z]{4,5}", re.ASCII)
"""A word that is no id, and was hardly meant as anything else: ids have no 0, 1, i, l and o, which people type."""

_NAME = re.compile(
    r"[0-9]+(?:\.[0-9]+){2}|(?=\S*[0-9])(?=\S*[A-Za-z])(?=\S*[-/])[A-Za-z0-9._:*/+-]{8,}", re.ASCII
)
"""What is written like the number of a version, or like the name of something in a cloud."""


@dataclass(frozen=True)
class Chosen:
    """An operation, and what else was said."""

    operation_id: str
    words: tuple[str, ...]


def said(*words: str | None) -> tuple[str, ...]:
    """The words that there are, in their order."""
    return tuple(word for word in words if word is not None)


async def choose(call: CommandContext, words: Sequence[str], *, prose: bool) -> Chosen:
    """The operation that waits for an approval and is meant: the one that the first word names, or else the one that
    whoever speaks has seen.

    Args:
        call: who speaks, and where.
        words: what they say behind the command's name.
        prose: whether a word that could be an id, and is none, is rather the beginning of a sentence. Where that
            would be grave, a mistyped id is told as one.

    Raises:
        UserError: it is not clear, or the first word names something else than what is meant otherwise.
    """
    if not words:
        return Chosen(await the_operation(call, None, WAITING), ())
    named = operation_id_in(words[0])
    if named is not None and await _is_id(call, words, named, prose=prose):
        return Chosen(named, tuple(words[1:]))
    first = without_punctuation(words[0])
    if named is None and _is_nearly_an_id(first, prose=prose):
        raise UserError(
            f"{said_back(first)} is not the id of an operation; they look like op-7k3f.", hint="pending"
        )
    chosen = Chosen(await the_operation(call, None, WAITING), tuple(words))
    await _check_named(call, chosen.operation_id, first)
    return chosen


def _is_nearly_an_id(word: str, *, prose: bool) -> bool:
    """Whether a word that cannot be an id was meant as one; in prose, only what begins as ids do."""
    if prose:
        return bool(_PREFIXED.match(word.lower()))
    return bool(_NEARLY_AN_ID.fullmatch(word.lower()))


async def _check_named(call: CommandContext, operation_id: str, word: str) -> None:
    """See that somebody who names a definition or a version names one of this operation.

    Raises:
        UserError: it is not about that.
    """
    if not _NAME.fullmatch(word):
        return
    plan = (await call.services.operations.get(operation_id)).plan
    about = " ".join((plan.command, plan.summary, *(step.title for step in plan.steps))).casefold()
    if not all(part in about for part in word.casefold().split("/")):
        raise UserError(
            f"{said_back(word)} is not what {operation_id} is about, so this does not count. Say which you mean.",
            nearest=(operation_id,),
            given="",
            hint="pending",
        )


async def _is_id(call: CommandContext, words: Sequence[str], named: str, *, prose: bool) -> bool:
    """Whether a word that has the form of an id (``test`` has it, too) is meant as one."""
    if _PREFIXED.match(words[0].lower()) or await call.services.operations.exists(named):
        return True
    letters = named.partition("-")[2]
    if not prose:
        return len(letters) <= FEWEST + 1
    ids = [each.id for each in await call.services.operations.open_ones()]
    alone = len(words) == 1 and len(letters) == FEWEST
    return alone or bool(_DIGIT.search(letters)) or any(_one_slip(named, each) for each in ids)


def _one_slip(one: str, other: str) -> bool:
    """Whether two ids differ in one letter."""
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1


async def the_operation(call: CommandContext, named: str | None, states: Collection[OperationState]) -> str:
    """The operation named; or the one whose card is answered, or in whose thread it is said; or the only one in these
    states whose card stood in the room before.

    Raises:
        UserError: none is named, and it is not clear which one whoever speaks has seen.
    """
    if named is not None:
        return named
    said = call.asker.said
    answered = await call.services.standing.answered(said) if said is not None else None
    if answered is not None:
        return answered
    found = await call.services.standing.seen(said) if said is not None else {}
    seen = [operation_id for operation_id, state in found.items() if state in states]
    if len(seen) == 1:
        return seen[0]
    raise await _unclear(call, seen, states)


async def _unclear(
    call: CommandContext, seen: Sequence[str], states: Collection[OperationState]
) -> UserError:
    does, do = ("waits for approval", "wait for approval") if states == WAITING else ("is open", "are open")
    if seen:
        sentence = f"{len(seen)} operations {do}; say which."
        return UserError(sentence, nearest=tuple(seen[:5]), given="", hint="pending")
    there = [each.id for each in await call.services.operations.open_ones() if each.state in states]
    if not there:
        return UserError(f"There are no operations that {do}.", hint="history")
    sentence = (
        f"{len(there)} operations {do}, but none of their cards stood here before you wrote; say which."
    )
    if len(there) == 1:
        sentence = f"{there[0]} {does}, but its card did not stand here before you wrote; say which."
    return UserError(sentence, nearest=tuple(there[:5]), given="", hint="pending")
