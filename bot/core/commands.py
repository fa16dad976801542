"""How a command is declared. Usage, help, rights and documentation come from the declaration alone."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import click

from slipway.bot.core.errors import DeclarationError

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?: [a-z][a-z0-9]*(?:-[a-z0-9]+)*)?", re.ASCII)


READ = "read"
"""The right to everything that only looks."""


class Access(StrEnum):
    """What a command may do, and so who may use it."""

    OPEN = "open"  # everybody may, strangers included: it says how to become known
    READ = "read"  # it only looks: whoever holds `read`, or the command's own right
    GUARDED = "guarded"  # it only looks, at what not everybody may see who may look: the command's own right
    DECIDE = "decide"  # it speaks on an operation: as READ, and it has to come in a trusted way
    CHANGE = "change"  # it can change something: the command's own right

    @property
    def needs_trust(self) -> bool:
        """Whether it has to come in a way that nobody could have forged."""
        return self in (Access.GUARDED, Access.DECIDE, Access.CHANGE)


@dataclass(frozen=True, slots=True)
class Command(Generic[ResultT_co]):
    """A command as declared.

    Attributes:
        name: what is typed, in lower case: a verb (``promote``), or a noun and a verb (``bundle apply``).
        aliases: other names for it.
        grammar: its arguments and options; click reads them.
        handler: what carries it out; called with the call's context and the values by name.
        summary: what it does, in one line.
        description: more about it, for its own help; may be empty.
        examples: lines to paste, without the prefix; each must itself be readable.
        access: what it may do.
        of_bot: whether it tells how the bot itself is, and so is answered, too, where the bot's clock is wrong.
        shared_right: the right that it shares with others; empty where its right is its own name.
        people_only: why no schedule can say it, as a sentence; empty where one can.
    """

    name: str
    aliases: tuple[str, ...]
    grammar: click.Command
    handler: Callable[..., Awaitable[ResultT_co]]
    summary: str
    description: str
    examples: tuple[str, ...]
    access: Access
    of_bot: bool = False
    shared_right: str = ""
    people_only: str = ""

    @property
    def right(self) -> str:
        """The right that a role holds: ``promote``, ``bundle.apply``, or one that several commands share."""
        return self.shared_right or self.name.replace(" ", ".")

    @property
    def changes(self) -> bool:
        """Whether it can change something."""
        return self.access is Access.CHANGE

    @property
    def guarded(self) -> bool:
        """Whether it takes its own right, which `read` does not give."""
        return self.access in (Access.GUARDED, Access.CHANGE)

    @property
    def noun(self) -> str:
        """The noun of a subcommand; empty for a command of one word."""
        return self.name.partition(" ")[0] if " " in self.name else ""

    @property
    def verb(self) -> str:
        """The verb of a subcommand; empty for a command of one word."""
        return self.name.partition(" ")[2]

    @property
    def arguments(self) -> tuple[click.Argument, ...]:
        """What it takes by place, in order."""
        return tuple(param for param in self.grammar.params if isinstance(param, click.Argument))

    @property
    def options(self) -> tuple[click.Option, ...]:
        """What it takes by name, in order."""
        return tuple(param for param in self.grammar.params if isinstance(param, click.Option))


def command(
    name: str,
    *,
    summary: str = "",
    examples: tuple[str, ...] = (),
    access: Access = Access.READ,
    aliases: tuple[str, ...] = (),
    of_bot: bool = False,
    right: str = "",
    people_only: str = "",
) -> Callable[[Callable[..., Awaitable[ResultT]]], Command[ResultT]]:
    """Declare a command: stands above ``@click.argument`` and ``@click.option``, and makes the handler a Command.

    The handler is ``async def name(call, …)`` with one parameter, of the same name, for each argument and
    option; its docstring is the command's description. What changes something takes ``--dry-run``. ``right`` is one
    that several commands share, such as ``evidence``; without, each has its own. ``people_only`` is a sentence that
    says why no schedule can say it.

    Raises:
        DeclarationError: it is incomplete, or handler and parameters do not fit.
    """

    def declare(handler: Callable[..., Awaitable[ResultT]]) -> Command[ResultT]:
        params: list[click.Parameter] = list(reversed(getattr(handler, "__click_params__", [])))
        _check_words(name, aliases, summary, examples)
        _check_parameters(name, handler, params)
        _check_dry_run(name, access, params)
        return Command(
            name=name,
            aliases=aliases,
            grammar=click.Command(name, params=params, add_help_option=False),
            handler=handler,
            summary=summary,
            description=_prose(inspect.getdoc(handler) or ""),
            examples=examples,
            access=access,
            of_bot=of_bot,
            shared_right=right,
            people_only=people_only,
        )

    return declare


_DRY_RUN = click.Option(["--dry-run"], is_flag=True)
dry_run = click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing.")
"""The option that every command has which plans a change."""


def _check_words(name: str, aliases: Sequence[str], summary: str, examples: Sequence[str]) -> None:
    for each in (name, *aliases):
        if _NAME.fullmatch(each) is None:
            raise DeclarationError(
                f"A command cannot be called {each!r}: use lower case, and two words at most."
            )
    if name == READ:
        raise DeclarationError(
            f"A command cannot be called {READ}: whoever may look holds a right of that name."
        )
    if aliases and any(" " in each for each in (name, *aliases)):
        raise DeclarationError(f"The command {name} cannot have those aliases: one word stands for one word.")
    if not summary:
        raise DeclarationError(f"The command {name} lacks a summary.")
    if not examples:
        raise DeclarationError(f"The command {name} lacks an example.")
    for example in examples:
        if not f"{example} ".startswith(tuple(f"{each} " for each in (name, *aliases))):
            raise DeclarationError(
                f"The example {example!r} of the command {name} does not begin with its name."
            )


def _check_dry_run(name: str, access: Access, params: Sequence[click.Parameter]) -> None:
    """A dry run needs fewer rights, so that what asks for one is the same everywhere, and nothing else is."""
    found = next((param for param in params if param.name == "dry_run"), None)
    if found is None and access is Access.CHANGE:
        raise DeclarationError(f"The command {name} changes something and has no --dry-run: add @dry_run.")
    if found is None:
        return
    if access is not Access.CHANGE:
        raise DeclarationError(f"The command {name} has a --dry-run and changes nothing.")
    same = isinstance(found, click.Option) and all(
        getattr(found, each) == getattr(_DRY_RUN, each)
        for each in ("opts", "secondary_opts", "is_flag", "flag_value", "default", "multiple")
    )
    if not same:
        raise DeclarationError(
            f"The --dry-run of the command {name} is not the one that all have: use @dry_run."
        )


def _check_parameters(
    name: str, handler: Callable[..., Awaitable[object]], params: Sequence[click.Parameter]
) -> None:
    wanted = list(inspect.signature(handler).parameters)[1:]
    given = [param.name for param in params]
    if sorted(wanted) != sorted(filter(None, given)):
        raise DeclarationError(
            f"The handler of the command {name} takes {wanted}, its declaration gives {given}."
        )
    for param in params:
        if param.envvar is not None or getattr(param, "prompt", None):
            raise DeclarationError(f"{param.name} of the command {name} would come from outside of the line.")


def _prose(docstring: str) -> str:
    """A docstring as a card has it: one line a paragraph, single backticks."""
    paragraphs = docstring.replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()
