"""What the configuration has to know of the rest to be checked: handed in, so that it lists nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.core.settings_table import AnyTable
from slipway.bot.config.settings import SlipwaySettings


@dataclass(frozen=True)
class CommandRight:
    """A command as far as rights go.

    Attributes:
        name: what is typed, such as ``promote`` or ``bundle apply``.
        right: what a role must hold, such as ``promote`` or ``bundle.apply``.
        changes: whether it can change something; ``read`` gives the right to those that do not.
    """

    name: str
    right: str
    changes: bool


@dataclass(frozen=True)
class KindSpec:
    """A kind of operation as far as the configuration goes.

    Attributes:
        name: as ``[policy.NAME]`` has it; it is also the right to ask for such an operation.
        approvals: how many persons agree where slipway.toml does not say.
        demanded: how many a plan may demand whatever the policy says.
        tables: the tables of the clouds that such operations work in.
        forgeable_presses: whether a press that could have been made up on its way counts by default.
    """

    name: str
    approvals: int
    tables: tuple[str, ...]
    demanded: Callable[[SlipwaySettings], int] = lambda _settings: 0
    forgeable_presses: bool = False


@dataclass(frozen=True)
class ConfigSpec:
    """Everything that slipway.toml may speak of.

    Attributes:
        tables: the declared tables, in the order in which problems are told.
        chats: the chat platforms.
        clouds: names of the clouds' tables, with the variables that other tools read, by field.
        kinds: the kinds of operation.
        commands: every command.
        find_command: the command that a line's first words name; None if they name none.
    """

    tables: tuple[AnyTable, ...]
    chats: tuple[ChatDeclaration[Any], ...]
    clouds: Mapping[str, Mapping[str, tuple[str, ...]]]
    kinds: tuple[KindSpec, ...]
    commands: tuple[CommandRight, ...]
    find_command: Callable[[Sequence[str]], CommandRight | None]
    _by_name: dict[str, KindSpec] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({kind.name: kind for kind in self.kinds})

    def kind(self, name: str) -> KindSpec:
        """The kind of this name, which must be one."""
        return self._by_name[name]

    @property
    def rights(self) -> tuple[str, ...]:
        """Whatever a role may hold: each command's right, those of whole nouns, ``read`` and ``*``."""
        rights = dict.fromkeys(command.right for command in self.commands)
        nouns = dict.fromkeys(f"{right.partition('.')[0]}.*" for right in rights if "." in right)
        return (*rights, *nouns, "read", "*")


def gives(held: Iterable[str], command: CommandRight) -> bool:
    """Whether one of the rights that somebody holds is the right to a command."""
    rights = set(held)
    noun, dot, _ = command.right.partition(".")
    enough = {command.right, "*"} | ({f"{noun}.*"} if dot else set())
    return bool(rights & enough) or ("read" in rights and not command.changes)
