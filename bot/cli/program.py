"""The program's commands: those that it always has, and a group for each declared chat with commands of its own."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

import click

from slipway.bot.cli.common import fail
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.loading import load_attribute

if TYPE_CHECKING:
    from slipway.bot.declared import Declarations


class Program(click.Group):
    """The program. Its own commands are found without a look at any declaration, so that they start quickly.

    A mistake in a declaration ends the program with a sentence. The declarations are those of the context's object,
    where it has them, and else what Slipway consists of.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, for help."""
        return sorted({*super().list_commands(ctx), *self._places(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; None if there is none."""
        own = super().get_command(ctx, cmd_name)
        if own is not None or (place := self._places(ctx).get(cmd_name)) is None:
            return own
        try:
            return load_group(cmd_name, place)
        except DeclarationError as error:
            fail(str(error))

    def _places(self, ctx: click.Context) -> dict[str, str]:
        from slipway.bot.declared import Declarations, declared

        try:
            declarations = ctx.obj if isinstance(ctx.obj, Declarations) else declared()
            return group_places(declarations, self.commands)
        except DeclarationError as error:
            fail(str(error))


def group_places(declarations: Declarations, taken: Container[str]) -> dict[str, str]:
    """Where the groups of the declared chats are, by the platform's name.

    Args:
        declarations: what the program consists of.
        taken: names that the program uses itself.

    Raises:
        DeclarationError: a platform has the name of a command of the program, so that its group cannot be reached.
    """
    places = {str(chat.platform): chat.cli for chat in declarations.chats if chat.cli}
    for platform in places:
        if platform in taken:
            raise DeclarationError(
                f"The chat platform {platform} cannot have a group of the program's commands: "
                f"`slipway {platform}` is something else."
            )
    return places


def load_group(platform: str, place: str) -> click.Group:
    """Load a platform's group from where its declaration says: ``MODULE:NAME``.

    Raises:
        DeclarationError: it is not there.
    """
    module, _, name = place.partition(":")
    wrong = f"The cli of the chat platform {platform} must be MODULE:NAME of a click group, and {place!r} is none."
    found = load_attribute(module, name, wrong) if module and name else None
    if not isinstance(found, click.Group):
        raise DeclarationError(wrong)
    return found
