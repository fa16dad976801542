"""The program's commands: its own, and modules of commands that are loaded no sooner than they are asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from slipway.bot.cli.common import EXIT_INTERRUPTED, fail
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.loading import load_attribute


class Program(click.Group):
    """The program. It is put together without a look at any declaration, so that it starts quickly.

    Args:
        groups: the module of each group or larger command, which holds it under its name. Help loads all of them for
            their summaries, so they import what their commands need inside these.
    """

    def __init__(self, *arguments: Any, groups: Mapping[str, str], **more: Any) -> None:
        self._groups = groups
        super().__init__(*arguments, **more)

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Read the command line."""
        with _quiet_when_interrupted():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        with _quiet_when_interrupted(), _what_may_not_be_read():
            return super().invoke(ctx)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Take in a command of the program's own.

        Raises:
            DeclarationError: a module's command has its name.
        """
        if (name or cmd.name) in self._groups:
            raise DeclarationError(f"Two commands of the program are called {name or cmd.name}.")
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, for help."""
        return sorted({*super().list_commands(ctx), *self._groups})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; None if there is none. Ends the program where a group is not what it has to be."""
        module = self._groups.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        wrong = f"`slipway {cmd_name}` has to be the click command {cmd_name} in {module}, and there is none."
        try:
            found = load_attribute(module, cmd_name.replace("-", "_"), wrong)
        except DeclarationError as error:
            fail(str(error))
        return found if isinstance(found, click.Command) else fail(wrong)


@contextmanager
def _what_may_not_be_read() -> Iterator[None]:
    """A file of another user's ends the program with a sentence: nearly always, it was started as the wrong user."""
    try:
        yield
    except PermissionError as error:
        name = error.filename or "A file that this takes"
        fail(f"{name} may not be used by this user. Say the same as the user as whom Slipway runs.")


@contextmanager
def _quiet_when_interrupted() -> Iterator[None]:
    """Ctrl-C ends the program with the status that shells have for it, and without the “Aborted!” of click."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
