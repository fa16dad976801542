"""One list of subjects, one of chat platforms, one of clouds; and what they declare, put together.

A new one is a package with a declaration, and its name here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.chat.model import Room
from slipway.bot.clouds.capabilities import Adapter, Capability, Clouds
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.clouds.declaration import CloudContext, CloudDeclaration
from slipway.bot.clouds.image_family import ImageFamily
from slipway.bot.clouds.machine_description import DescribesMachines, MachineDescription
from slipway.bot.clouds.rights import Usage
from slipway.bot.config.http_settings import PUBLIC_LISTEN
from slipway.bot.config.settings import PersonSettings, RoleSettings, SlipwaySettings, split_address
from slipway.bot.config.spec import CommandRight, ConfigSpec, KindSpec
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.http.routes import PublicRoute
from slipway.bot.core.loading import load_attribute
from slipway.bot.core.measuring.meter import UNMETERED, Bound, Meter
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import AnyTable, TableShape
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.operations.declarations import OperationKind, Subject
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.store.settings import DATABASE_TABLE
from slipway.commands.dispatch.context import CommandResult
from slipway.commands.grammar.registry import (
    CommandGroup,
    Registry,
    build_registry,
    check_examples,
    check_help,
)

SUBJECTS = (
    "images",
    "machines",
    "credentials",
    "operations",
    "emergencies",
    "problems",
    "reports",
    "schedules",
    "freezes",
    "locks",
    "general",
)
"""Packages of ``slipway.commands`` that hold a ``SUBJECT``, in the order of help."""

CHATS = (
    "console",
    "matrix",
    "slack",
)
"""Packages of ``slipway.bot.chat`` whose module ``declaration`` holds a ``CHAT``."""

CLOUDS = (
    "aws",
    "azure",
)
"""Packages of ``slipway.bot.clouds`` whose module ``declaration`` holds a ``CLOUD``."""

OWN_TABLES = (DATABASE_TABLE,)
"""Tables of slipway.toml that are no subject's."""

_OWN_NAMES = tuple(SlipwaySettings.model_fields)

T = TypeVar("T")
EntryT = TypeVar("EntryT", bound=Settings)


@dataclass(frozen=True)
class Declarations:
    """What this Slipway consists of."""

    registry: SubjectRegistry
    chats: tuple[ChatDeclaration[Any], ...]
    clouds: tuple[CloudDeclaration[Any], ...]
    commands: Registry[CommandResult]
    spec: ConfigSpec

    @classmethod
    def of(
        cls,
        subjects: Iterable[Subject[Any]],
        chats: Iterable[ChatDeclaration[Any]],
        clouds: Iterable[CloudDeclaration[Any]],
    ) -> Declarations:
        """Put declarations together.

        Raises:
            DeclarationError: two of them claim one name, or one of them cannot work.
        """
        registry = SubjectRegistry(subjects)
        chats, clouds = tuple(chats), tuple(clouds)
        _check_names("chat platforms", (chat.platform for chat in chats))
        _check_names("clouds", (cloud.name for cloud in clouds))
        _check_names("forms", (form.shortcut.name for each in registry.subjects for form in each.forms))
        _check_group_keys(chats)
        commands = build_registry(
            CommandGroup(subject.title, subject.commands) for subject in registry.subjects
        )
        if problems := (*check_examples(commands.commands), *check_help(commands.commands)):
            raise DeclarationError(f"{problems[0]}.")
        owned = (
            *(("Slipway itself", table) for table in OWN_TABLES),
            *((f"the chat platform {chat.platform}", chat.table) for chat in chats),
            *((f"the cloud {cloud.name}", cloud.table) for cloud in clouds),
            *((f"the subject {each.name}", table) for each in registry.subjects for table in each.tables),
        )
        _check_tables(owned)
        _check_person_keys(registry)
        tables = tuple(table for _, table in owned)
        _check_kinds(registry, clouds, commands)
        return cls(registry, chats, clouds, commands, _spec(registry, chats, clouds, commands, tables))

    def chat(self, platform: str) -> ChatDeclaration[Any]:
        """The declaration of a platform."""
        return next(chat for chat in self.chats if chat.platform == platform)

    def enabled_chats(self, settings: SlipwaySettings) -> tuple[ChatDeclaration[Any], ...]:
        """The platforms that a configuration has switched on."""
        tables = ((chat, settings.optional(chat.table)) for chat in self.chats)
        return tuple(chat for chat, table in tables if table is not None and chat.enabled(table))

    def public_routes(self, settings: SlipwaySettings) -> tuple[PublicRoute, ...]:
        """The requests that the world may make of a bot with this configuration."""
        tables = ((chat, settings.optional(chat.table)) for chat in self.enabled_chats(settings))
        of_chats = (route for chat, table in tables for route in chat.routes(table))
        return (
            *of_chats,
            *(each.route for each in self.registry.endpoints.values() if each.wanted(settings)),
        )

    def public_listen(self, settings: SlipwaySettings) -> str:
        """Where they are heard: where ``[http.public]`` says, or as before it was there a chat's own table."""
        if settings.http.public is not None:
            return settings.http.public.listen
        tables = ((chat, settings.optional(chat.table)) for chat in self.enabled_chats(settings))
        former = (chat.listen(table) for chat, table in tables if chat.routes(table))
        return next(filter(None, former), PUBLIC_LISTEN)

    def all_rooms(self, settings: SlipwaySettings) -> tuple[Room, ...]:
        """Every room that the configuration names, by its id or as its chat calls it: where chats work, what is told
        of problems and of the audit trail, what schedules post into."""
        found: list[Room] = []
        for chat in self.enabled_chats(settings):
            table = settings.optional(chat.table)
            named = getattr(table, chat.rooms_key, ()) if chat.rooms_key else ()
            found += (
                Room(platform=chat.platform, id=room)
                for room in (*chat.rooms(table), *chat.notice_rooms(table), *named)
            )
        addresses = (
            settings.commands.room,
            settings.problems.room,
            settings.audit.room,
            *(each.room for each in settings.schedule if each.enabled),
        )
        for address in filter(None, addresses):
            platform, room = split_address(address)
            found.append(Room(platform=platform, id=room))
        return tuple(dict.fromkeys(found))

    def label_values(self, settings: SlipwaySettings) -> Mapping[Bound, frozenset[str]]:
        """What labels of measurements may be that this configuration and these declarations bound."""
        return {
            Bound.COMMANDS: frozenset(command.name for command in self.commands.commands),
            Bound.KINDS: frozenset(self.registry.kinds),
            Bound.STEPS: frozenset(self.registry.steps),
            Bound.CLOUDS: frozenset(name for cloud in self.clouds for name in settings.named(cloud.table)),
            Bound.PLATFORMS: frozenset(chat.platform for chat in self.chats),
            Bound.SCHEDULES: frozenset(entry.name for entry in settings.schedule),
            Bound.STATES: frozenset(OperationState),
            Bound.DEPLOYMENT: frozenset({settings.name}),
        }

    def operations_room(self, settings: SlipwaySettings) -> Room | None:
        """Where a change gets its card that is asked for outside of any room; None where the settings tell no room.

        It is what ``commands.room`` names, or else the first room of the chat that most people are on.
        """
        if settings.commands.room:
            platform, room = split_address(settings.commands.room)
            return Room(platform=platform, id=room)
        there = Counter(
            platform
            for person in settings.person
            for platform in {split_address(identity)[0] for identity in person.identities}
        )
        first = {
            chat.platform: rooms[0]
            for chat in self.enabled_chats(settings)
            if (rooms := chat.notice_rooms(settings.optional(chat.table)))
        }
        if not first:
            return None
        platform = max(first, key=lambda each: there[each])
        return Room(platform=platform, id=first[platform])

    def notice_rooms(self, settings: SlipwaySettings) -> tuple[Room, ...]:
        """Every room that a configuration has: those of its chats, and those that something else is told in."""
        found = [
            Room(platform=chat.platform, id=room)
            for chat in self.enabled_chats(settings)
            for room in chat.notice_rooms(settings.optional(chat.table))
        ]
        reported = (settings.audit.room, *(each.room for each in settings.schedule if each.enabled))
        for address in filter(None, reported):
            platform, room = split_address(address)
            found.append(Room(platform=platform, id=room))
        return tuple(dict.fromkeys(found))

    def open_clouds(
        self,
        settings: SlipwaySettings,
        environ: Mapping[str, str],
        clock: Clock = system_clock,
        sleep: Sleep = asyncio.sleep,
        fence: Fence = NO_FENCE,
        meter: Meter = UNMETERED,
    ) -> Clouds:
        """The adapters that are configured. Their SDKs are loaded at the first call.

        Raises:
            ConfigError: an endpoint or credentials cannot be used.
            DeclarationError: a cloud has not what it declares.
        """
        accounts = ((cloud, name) for cloud in self.clouds for name in settings.named(cloud.table))
        return Clouds(
            [
                self.open_account(cloud, name, settings, environ, clock, sleep, fence, meter)
                for cloud, name in accounts
            ]
        )

    def open_account(
        self,
        cloud: CloudDeclaration[Any],
        name: str,
        settings: SlipwaySettings,
        environ: Mapping[str, str],
        clock: Clock = system_clock,
        sleep: Sleep = asyncio.sleep,
        fence: Fence = NO_FENCE,
        meter: Meter = UNMETERED,
    ) -> Adapter:
        """One adapter, as :meth:`open_clouds` opens all of them."""
        contact = CloudContact(clock, name, meter)
        account = settings.named(cloud.table)[name]
        context = CloudContext(
            name,
            settings.name,
            environ,
            contact,
            self._machine_descriptions(settings, name),
            self._image_families(settings, name),
            clock,
            sleep,
            settings.secret_files(name),
            fence,
        )
        ports = cloud.open(account, context)
        lacks = cloud.lacks(account)
        if missing := [each for each in cloud.by_itself if each not in ports and each not in lacks]:
            raise DeclarationError(f"The cloud {cloud.name} provides {missing[0]}, and opened none.")
        return Adapter(name, ports, contact)

    def usage(self, settings: SlipwaySettings, account: str) -> Usage:
        """What is done with an account by a configuration, by all subjects."""
        uses = (use for subject in self.registry.subjects for use in subject.uses(settings))
        return Usage.of(account, settings.name, uses, self._image_families(settings, account))

    def _machine_descriptions(
        self, settings: SlipwaySettings, account: str
    ) -> Mapping[str, MachineDescription]:
        """What tables of subjects describe for this account, by the tables' names."""
        found = self._entries(settings, DescribesMachines)
        return {
            name: each.machine for name, each in found if each.machine is not None and each.cloud == account
        }

    def _image_families(self, settings: SlipwaySettings, account: str) -> Mapping[str, ImageFamily]:
        """What tables of subjects say of images of this account, by the tables' names."""
        return {name: each for name, each in self._entries(settings, ImageFamily) if each.cloud == account}

    def _entries(self, settings: SlipwaySettings, model: type[EntryT]) -> Iterator[tuple[str, EntryT]]:
        """The entries of every table of many whose class is this one, by their names."""
        for subject in self.registry.subjects:
            for table in subject.tables:
                if issubclass(table.model, model) and table.shape is TableShape.NAMED:
                    yield from settings.named(table).items()

    def clouds_in_words(self, settings: SlipwaySettings) -> tuple[str, ...]:
        """What is configured, in few words: ``azure gallery Fedora``; in the order in which subjects need it."""
        needed = [kind.needs for kind in self.registry.kinds.values()]
        order = {capability: place for place, capability in reversed(list(enumerate(needed)))}
        return tuple(
            f"{name} {cloud.label(account)}"
            for cloud in sorted(
                self.clouds, key=lambda cloud: min(order.get(each, len(order)) for each in cloud.by_itself)
            )
            for name, account in settings.named(cloud.table).items()
        )


def declared() -> Declarations:
    """What Slipway consists of, by the lists of this module."""
    return Declarations.of(
        [_load(f"slipway.commands.{name}", "SUBJECT", Subject) for name in SUBJECTS],
        [_load(f"slipway.bot.chat.{name}.declaration", "CHAT", ChatDeclaration) for name in CHATS],
        [_load(f"slipway.bot.clouds.{name}.declaration", "CLOUD", CloudDeclaration) for name in CLOUDS],
    )


def _load(module: str, name: str, wanted: type[T]) -> T:
    found = load_attribute(module, name, f"bot/declared.py names {module}, and there is no such module.")
    if not isinstance(found, wanted):
        raise DeclarationError(f"{module} has to hold {name}, a {wanted.__name__}.")
    return found


def _check_names(what: str, names: Iterable[str]) -> None:
    taken: set[str] = set()
    for name in names:
        if name in taken:
            raise DeclarationError(f"Two {what} are called {name}.")
        taken.add(name)


def _check_group_keys(chats: Sequence[ChatDeclaration[Any]]) -> None:
    keys = [chat.group_key for chat in chats if chat.group_key]
    for key in keys:
        if keys.count(key) > 1 or hasattr(RoleSettings, key) or key in RoleSettings.model_fields:
            raise DeclarationError(
                f"The key {key} of a role is claimed twice; each chat platform needs its own."
            )


def _check_tables(owned: Iterable[tuple[str, AnyTable]]) -> None:
    owners = dict.fromkeys(_OWN_NAMES, "Slipway itself")
    for owner, table in owned:
        if table.name in owners:
            both = f"{owners[table.name]} and {owner}"
            raise DeclarationError(f"The settings table {table.name} is claimed twice, by {both}.")
        if hasattr(SlipwaySettings, table.name):
            raise DeclarationError(
                f"No settings table can be called {table.name}: Slipway uses the word itself."
            )
        owners[table.name] = owner


def _check_person_keys(registry: SubjectRegistry) -> None:
    keys = [key.name for subject in registry.subjects for key in subject.person_keys]
    for key in keys:
        if keys.count(key) > 1 or hasattr(PersonSettings, key) or key in PersonSettings.model_fields:
            raise DeclarationError(f"The key {key} of a person is claimed twice; each subject needs its own.")


def _check_kinds(
    registry: SubjectRegistry, clouds: Sequence[CloudDeclaration[Any]], commands: Registry[CommandResult]
) -> None:
    rights = {command.right for command in commands.commands if command.changes}
    for kind in registry.kinds.values():
        if (kind.right or kind.name) not in rights:
            raise DeclarationError(
                f"The kind of operation {kind.name} takes the right {kind.right or kind.name}, "
                "and no command that changes something has it."
            )
        if kind.needs is not None and not _providers(kind.needs, clouds):
            raise DeclarationError(f"No cloud has {kind.needs}, which {kind.name} needs.")


def _providers(capability: Capability[Any], clouds: Iterable[CloudDeclaration[Any]]) -> tuple[str, ...]:
    """The tables that it takes one of: clouds', and behind them those that describe something for a cloud."""
    clouds = tuple(clouds)
    alone = [cloud.name for cloud in clouds if capability in cloud.by_itself]
    return (*alone, *(cloud.described[capability] for cloud in clouds if capability in cloud.described))


def _spec(
    registry: SubjectRegistry,
    chats: tuple[ChatDeclaration[Any], ...],
    clouds: tuple[CloudDeclaration[Any], ...],
    commands: Registry[CommandResult],
    tables: tuple[AnyTable, ...],
) -> ConfigSpec:
    rights = tuple(
        CommandRight(command.name, command.right, command.guarded) for command in commands.commands
    )
    by_name = {right.name: right for right in rights}

    def find(words: Sequence[str]) -> CommandRight | None:
        found = commands.find(words)
        return by_name[found.name] if found is not None else None

    return ConfigSpec(
        tables=tables,
        chats=chats,
        clouds={cloud.name: cloud for cloud in clouds},
        kinds=tuple(_kind(kind, clouds) for kind in registry.kinds.values()),
        commands=rights,
        find_command=find,
        summaries=tuple(subject.summary for subject in registry.subjects),
        person_keys=tuple(key for subject in registry.subjects for key in subject.person_keys),
        further_rights=registry.further_rights,
    )


def _names(kind: OperationKind[Any, Any], settings: SlipwaySettings) -> tuple[str, ...] | None:
    found = kind.names(settings)
    return None if found is None else tuple(target.name for target in found)


def _kind(kind: OperationKind[Any, Any], clouds: Iterable[CloudDeclaration[Any]]) -> KindSpec:
    return KindSpec(
        name=kind.name,
        right=kind.right or kind.name,
        approvals=kind.policy.approvals,
        tables=() if kind.needs is None else _providers(kind.needs, clouds),
        demanded=kind.policy.demanded,
        by_oneself=kind.policy.by_oneself,
        needs=kind.needs,
        like=kind.policy.like,
        wanted=kind.policy.wanted,
        target_names=lambda settings: _names(kind, settings),
    )
