"""Help, as cards, from the declarations of the commands alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipway.bot.chat.model import Card, Field, Table, TableForm
from slipway.bot.core.commands import Command
from slipway.commands.grammar.registry import Registry
from slipway.commands.grammar.usage import (
    argument_usage,
    option_usage,
    render_examples,
    short_usage,
    shown_arguments,
    usage,
)


def help_overview(registry: Registry[Any], prefix: str) -> Card:
    """All commands, a table a group, with what each takes by place and does."""
    tables = tuple(
        Table(
            title=group.title,
            columns=("Command", "What it does"),
            rows=tuple((f"`{short_usage(command, prefix)}`", command.summary) for command in group.commands),
            form=TableForm.LIST,
        )
        for group in registry.groups
    )
    rights = dict.fromkeys(command.right for command in registry.commands if command.changes)
    changing = ", ".join(f"`{right}`" for right in rights)
    notes = [f"More about one: `{prefix}help COMMAND`, or `--help` behind it."]
    if changing:
        notes.append(f"Changing something takes a right: {changing}.")
    return Card(title="What I can do", tables=tables, notes=tuple(notes))


def help_command(command: Command[Any], prefix: str, verbs: Sequence[Command[Any]] = ()) -> Card:
    """One command: usage, what it does, what it takes, lines to paste, and its verbs where it is a noun's."""
    fields = [Field(label="Usage", value=f"`{usage(command, prefix)}`")]
    if command.aliases:
        also = ", ".join(f"`{prefix}{alias}`" for alias in command.aliases)
        fields.append(Field(label="Also", value=also))
    fields += [Field(label="Example", value=f"`{example}`") for example in render_examples(command, prefix)]
    takes = [(f"`{argument_usage(each)}`", each.help or "") for each in shown_arguments(command)]
    takes += [(f"`{option_usage(each)}`", each.help or "") for each in command.options]
    tables = [Table(columns=("It takes", "Meaning"), rows=tuple(takes), form=TableForm.LIST)] if takes else []
    if verbs:
        rows = tuple((f"`{short_usage(verb, prefix)}`", verb.summary) for verb in verbs)
        tables.append(Table(columns=("Command", "What it does"), rows=rows, form=TableForm.LIST))
    return Card(
        title=f"{prefix}{command.name}: {command.summary[:1].lower()}{command.summary[1:]}",
        text=command.description,
        fields=tuple(fields),
        tables=tuple(tables),
    )
