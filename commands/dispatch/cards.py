"""Cards for lines that led nowhere: each says what was wrong and what to type instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from slipway.bot.chat.model import Card, CardOutcome, Tone
from slipway.bot.core.commands import Command
from slipway.bot.core.errors import UserError
from slipway.commands.dispatch.context import MisuseError
from slipway.commands.grammar.arguments import Misuse
from slipway.commands.grammar.reading import Unknown
from slipway.commands.grammar.registry import Registry, UnknownVerb
from slipway.commands.grammar.usage import render_examples, short_usage, usage

_OPTION = re.compile(r"--[a-z-]+")
"""An option, where a sentence names one."""

_LONGEST = 400
"""Characters of a sentence that are said: some repeat what was typed, and that can be a whole page."""


def user_error_card(
    error: UserError, prefix: str, *, instead: str | None = None, lines: tuple[str, ...] = ()
) -> Card:
    """A request that cannot be met as asked, with the command to type next; or what is said instead of that.

    ``lines`` are the names that may have been meant in whole lines, without a prefix; none shows the names.
    """
    if isinstance(error, MisuseError):
        command = error.command
        misuse = Misuse(error.sentence, usage(command, prefix), render_examples(command, prefix))
        return misuse_card(misuse, prefix, command.name)
    notes = []
    if error.nearest:
        names = tuple(f"{prefix}{line}" for line in lines) or error.nearest
        notes.append(f"Did you mean {_either(names, error.more)}?")
    if error.hint and instead is None:
        notes.append(f"Next: `{prefix}{error.hint}`")
    elif instead:
        notes.append(instead)
    return Card(
        tone=Tone.WARNING, outcome=CardOutcome.REFUSED, title=_short(error.sentence), notes=tuple(notes)
    )


def unknown_card(unknown: Unknown, registry: Registry[Any], prefix: str, forbidden: str = "") -> Card:
    """A word that is no command, or a sentence; ``forbidden`` says who may use what is left out of ``nearest``."""
    if not unknown.word:
        return Card(title=f"Yes? Type `{prefix}help` to see what I can do.")
    title = f"There is no command {prefix}{unknown.word}."
    text = ""
    if unknown.sentence:
        title = "I understand commands, and no sentences."
        found = [command for name in unknown.nearest if (command := registry.find((name,))) is not None]
        text = "\n".join(f"`{short_usage(command, prefix)}`: {command.summary}" for command in found)
    elif unknown.nearest:
        title = f"{title} Did you mean {_either(tuple(f'{prefix}{name}' for name in unknown.nearest))}?"
    notes = () if unknown.nearest else tuple(filter(None, (forbidden, f"All commands: `{prefix}help`")))
    return Card(tone=Tone.WARNING, outcome=CardOutcome.REFUSED, title=title, text=text, notes=notes)


def unknown_verb_card(
    unknown: UnknownVerb, found: Sequence[Command[Any]], prefix: str, forbidden: str = ""
) -> Card:
    """A noun with a verb that it does not have, and the commands that may have been meant; ``forbidden`` says who may
    use others."""
    title = f"{unknown.noun} has no {_short(unknown.verb)}.".replace("`", "")
    did_you_mean = f" Did you mean {prefix}{found[0].name}?" if len(found) == 1 else ""
    notes = tuple(f"`{short_usage(command, prefix)}`: {command.summary}" for command in found)
    if not found:
        notes = tuple(filter(None, (forbidden, f"All commands: `{prefix}help`")))
    return Card(tone=Tone.WARNING, outcome=CardOutcome.REFUSED, title=f"{title}{did_you_mean}", notes=notes)


def misuse_card(misuse: Misuse, prefix: str, name: str) -> Card:
    """A command whose arguments do not fit. Examples with the option that the message names come first."""
    named = set(_OPTION.findall(misuse.message))
    fitting = sorted(misuse.examples, key=lambda example: named.isdisjoint(example.split()))
    examples = "   ".join(f"`{example}`" for example in fitting[:2])
    return Card(
        tone=Tone.WARNING,
        outcome=CardOutcome.REFUSED,
        title=_short(misuse.message),
        text=f"Usage: `{misuse.usage}`",
        notes=(f"For example: {examples}", f"More: `{prefix}help {name}`"),
    )


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1]}…"


def _either(names: tuple[str, ...], more: int = 0) -> str:
    quoted = [f"`{name}`" for name in names]
    if more:
        return f"{', '.join(quoted)} or one of {more} more"
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
