"""What the configuration has to know of the rest to be checked: handed in, so that it lists nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.clouds.capabilities import Capability
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.commands import READ
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import AnyTable, PersonKey


@dataclass(frozen=True)
class CommandRight:
    """A command as far as rights go.

    Attributes:
        name: what is typed, such as ``promote`` or ``bundle apply``.
        right: what a role must hold, such as ``promote`` or ``bundle.apply``.
        guarded: whether it can change something, or shows what not everybody may see; ``read`` gives the right to all
            others.
    """

    name: str
    right: str
    guarded: bool


@dataclass(frozen=True)
class KindSpec:
    """A kind of operation as far as the configuration goes.

    Attributes:
        name: as ``[policy.NAME]`` has it.
        right: the right to ask for such an operation.
        approvals: how many persons agree where slipway.toml does not say.
        demanded: how many a plan may demand whatever the policy says.
        tables: the tables of the clouds that such operations work in.
        needs: what they need of a cloud; None for nothing.
        by_oneself: whether, by default, whoever may ask for one may approve it, the requester too.
        like: the kind whose written policy counts where this one has none; empty for none.
        wanted: whether anybody could ask for such an operation by these settings.
        target_names: the names of all that such operations can change, by which rules of policies tell them apart;
            None where only a cloud knows them.
    """

    name: str
    right: str
    approvals: int
    tables: tuple[str, ...]
    demanded: Callable[[SlipwaySettings], int] = lambda _settings: 0
    by_oneself: bool = False
    needs: Capability[Any] | None = None
    like: str = ""
    wanted: Callable[[SlipwaySettings], bool] = lambda _settings: True
    target_names: Callable[[SlipwaySettings], Iterable[str] | None] = lambda _settings: None


@dataclass(frozen=True)
class ConfigSpec:
    """Everything that slipway.toml may speak of.

    Attributes:
        tables: the declared tables, in the order in which problems are told.
        chats: the chat platforms.
        clouds: the clouds, by the names of their tables.
        kinds: the kinds of operation.
        commands: every command.
        find_command: the command that a line's first words name; None if they name none.
        summaries: lines about the subjects' own tables, for `slipway check`.
        person_keys: what subjects add to ``[[person]]``.
        further_rights: what roles may hold beside the rights to commands, such as ``terminate.others``.
    """

    tables: tuple[AnyTable, ...]
    chats: tuple[ChatDeclaration[Any], ...]
    clouds: Mapping[str, CloudDeclaration[Any]]
    kinds: tuple[KindSpec, ...]
    commands: tuple[CommandRight, ...]
    find_command: Callable[[Sequence[str]], CommandRight | None]
    summaries: tuple[Callable[[SlipwaySettings], Iterable[str]], ...] = ()
    person_keys: tuple[PersonKey, ...] = ()
    further_rights: tuple[str, ...] = ()

    @property
    def rights(self) -> tuple[str, ...]:
        """Whatever a role may hold: each command's right, those of whole nouns, further ones, ``read`` and ``*``."""
        rights = dict.fromkeys(command.right for command in self.commands)
        nouns = dict.fromkeys(f"{right.partition('.')[0]}.*" for right in rights if "." in right)
        return (*rights, *nouns, *self.further_rights, READ, "*")


def gives(held: Iterable[str], command: CommandRight) -> bool:
    """Whether one of the rights that somebody holds is the right to a command."""
    rights = set(held)
    noun, dot, _ = command.right.partition(".")
    enough = {command.right, "*"} | ({f"{noun}.*"} if dot else set())
    return bool(rights & enough) or (READ in rights and not command.guarded)


def enabled_chats(
    settings: SlipwaySettings, spec: ConfigSpec
) -> Iterator[tuple[ChatDeclaration[Any], Settings]]:
    """The chat platforms that a configuration has switched on, each with its table."""
    for chat in spec.chats:
        table = getattr(settings, chat.platform)
        if table is not None and chat.enabled(table):
            yield chat, table
