"""Help, as cards, from the declarations of the commands alone."""

from __future__ import annotations

from typing import Any

from slipway.bot.chat.model import Card, Field, Table
from slipway.commands.grammar.declaration import (
    CommandSpec,
    Registry,
    argument_usage,
    option_usage,
    render_examples,
    usage,
)


def help_overview(registry: Registry[Any], prefix: str) -> Card:
    """All commands, a table a group, with what each takes by place and does."""
    tables = tuple(
        Table(
            title=group.value,
            columns=("Command", "What it does"),
            rows=tuple((f"`{_short_usage(spec, prefix)}`", spec.summary) for spec in specs),
        )
        for group, specs in registry.groups()
    )
    changing = ", ".join(f"`{spec.name}`" for spec in registry.specs if spec.changes)
    notes = [f"More about one: `{prefix}help COMMAND`, or `--help` behind it."]
    if changing:
        notes.append(f"These can change something, and need a right for it: {changing}.")
    return Card(title="What I can do", tables=tables, notes=tuple(notes))


def help_command(spec: CommandSpec[Any], prefix: str) -> Card:
    """One command: usage, what it does, what it takes, and lines to paste."""
    fields = [Field(label="Usage", value=f"`{usage(spec, prefix)}`")]
    if spec.aliases:
        fields.append(Field(label="Also", value=", ".join(f"`{prefix}{alias}`" for alias in spec.aliases)))
    fields += [Field(label="Example", value=f"`{example}`") for example in render_examples(spec, prefix)]
    takes = [(f"`{argument_usage(each)}`", each.help or "") for each in spec.arguments]
    takes += [(f"`{option_usage(each)}`", each.help or "") for each in spec.options]
    return Card(
        title=f"{prefix}{spec.name}: {spec.summary[:1].lower()}{spec.summary[1:]}",
        text=spec.description,
        fields=tuple(fields),
        tables=(Table(columns=("It takes", "Meaning"), rows=tuple(takes)),) if takes else (),
    )


def _short_usage(spec: CommandSpec[Any], prefix: str) -> str:
    return " ".join([f"{prefix}{spec.name}", *map(argument_usage, spec.arguments)])
