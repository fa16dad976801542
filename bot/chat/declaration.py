"""How a chat platform declares itself: its settings, its adapter, and how its ids look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from slipway.bot.chat.forms import CommandForm
from slipway.bot.chat.model import ButtonEvent, Card, Chat, Platform
from slipway.bot.core.declared_fields import (
    Declaration,
    check_callables,
    check_class,
    check_text,
)
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.http.routes import PublicHttp, PublicRoute
from slipway.bot.core.model import Json
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep

SettingsT = TypeVar("SettingsT", bound=Settings)

_FUNCTIONS = (
    "build",
    "describe",
    "account_problem",
    "room_problem",
    "check",
    "warnings",
    "rooms",
    "notice_rooms",
    "named_accounts",
    "group_problem",
    "introduction",
    "routes",
    "listen",
)


class KeyValueStore(Protocol):
    """Named texts that outlive the process: a sync token, notices already given."""

    async def load(self, name: str) -> str | None:
        """The text kept under this name, if there is one."""
        ...

    async def save(self, name: str, value: str) -> None:
        """Keep a text under this name, in place of any before; durable when it returns."""
        ...


class Codes(Protocol):
    """Single-use codes that approvals take, for platforms that ask for them in a window of their own."""

    async def needed(self, event: ButtonEvent) -> str | None:
        """What whoever approves agrees to, in a sentence, where that counts with a code alone; they are asked for one
        from then on. None where it takes none, or would not count at all: whoever tries hears why from the bot."""
        ...

    async def give(self, event: ButtonEvent, typed: str) -> str:
        """Compare a code that came with an approval; why it does not count, as a sentence, and empty where it does.
        Nothing of it is kept. Where it counts, the event is to be taken in."""
        ...


class NoCodes:
    """No approval takes a code."""

    async def needed(self, _event: ButtonEvent) -> str | None:
        """None is."""
        return None

    async def give(self, _event: ButtonEvent, _typed: str) -> str:
        """It was not asked for."""
        return "I asked for no code."


async def _nobody_else(_event_id: str) -> bool:
    return False


async def _to_nobody(_content: Json) -> None:
    return None


@dataclass(frozen=True)
class HostCallbacks:
    """What an adapter is handed of the running bot; it imports none of it.

    Attributes:
        knows: whether an account of this platform belongs to a configured person.
        home: the cards of an account's own page, where the platform has such a page.
        forms: the forms that can be shown to whoever has an account of this platform, by name; a stranger has none.
        idle: returns when no work is under way.
        quiet: returns when none is but what waits for hours, such as for copies of an image.
        groups: ids of this platform's user groups that give roles.
        set_group_members: takes in who is in them, in place of what was known before.
        max_age: how old a message may be that is still acted on, in seconds.
        works: whether this process is the one that answers; one that only hears says nothing by itself.
        heard_elsewhere: waits a moment for whether another replica takes an event in, by its id, that this one could
            not read.
        answers: to be called when the platform answers again after it did not: what waits for it is tried then.
        room_changed: to be called with a room's id when the platform tells of something by which the room may be
            gone, or back: it is asked then, by :class:`slipway.bot.chat.model.KnowsRooms`.
        relay: gives something to this chat at every other replica, where
            :meth:`slipway.bot.chat.model.HearsReplicas.relayed` takes it; committed when it returns. No secret.
        codes: single-use codes that approvals take.
    """

    knows: Callable[[str], bool]
    home: Callable[[str], Awaitable[tuple[Card, ...]]]
    forms: Callable[[str], Mapping[str, CommandForm]]
    idle: Callable[[], Awaitable[None]]
    quiet: Callable[[], Awaitable[None]]
    groups: tuple[str, ...]
    set_group_members: Callable[[Mapping[str, frozenset[str]]], None]
    max_age: float
    works: Callable[[], bool] = lambda: True
    heard_elsewhere: Callable[[str], Awaitable[bool]] = _nobody_else
    answers: Callable[[], None] = lambda: None
    room_changed: Callable[[str], None] = lambda _room: None
    relay: Callable[[Json], Coroutine[Any, Any, None]] = _to_nobody
    codes: Codes = field(default_factory=NoCodes)


@dataclass(frozen=True)
class ChatContext(Generic[SettingsT]):
    """What a chat adapter is made of.

    Attributes:
        settings: the platform's table of slipway.toml.
        state_dir: the state folder, for files that the adapter keeps in a folder of its own there.
        store: its own named texts in the database.
        clock: the time.
        callbacks: the rest of the bot.
        sleep: lets time pass.
        http: has the routes answered that its declaration names.
        own_store: as ``store``, for what is this replica's alone, such as how far its device has listened.
        fence: asked right before something is said or changed on the platform.
        replica: the id of this one of several replicas, which speak by the same account; empty where there is one.
    """

    settings: SettingsT
    state_dir: str
    store: KeyValueStore
    clock: Clock
    callbacks: HostCallbacks
    sleep: Sleep
    http: PublicHttp
    own_store: KeyValueStore
    fence: Fence = NO_FENCE
    replica: str = ""


@dataclass(frozen=True)
class TokenFacts:
    """What a platform tells of the token by which the bot speaks there. No part of it.

    Attributes:
        account: whose it is, as the platform calls it.
        ends_at: when it ends; None where the platform tells no end, as for a token that has none.
    """

    account: str
    ends_at: datetime | None = None


@dataclass(frozen=True)
class ChatDeclaration(Declaration, Generic[SettingsT]):
    """A chat platform, declared in its package's ``declaration.py`` as ``CHAT``.

    Attributes:
        platform: its name in addresses (``matrix:@alice:example.org``), and of its table in slipway.toml.
        settings: the table's class.
        build: makes the adapter. Loads no SDK: that is done when it runs.
        switch: the key of the table, a bool, that switches the platform on; empty where a table that is there does.
        named_accounts: accounts that the table names, by its keys; each must belong to a person.
        check: mistakes that show from several keys of the table; keys are given without the table's name.
            ``secrets`` says whether missing secrets are told: not where one could not be read, which is told
            already.
        warnings: what is allowed in the table and hardly meant, such as no way to log in; gets the state folder,
            where a login may be kept, and gives keys without the table's name.
        account_problem: what is wrong with an account's id, as the rest of a sentence that begins with the
            address in quotes; None if it can be one.
        room_problem: the same for a room's id, which must be an id and no alias.
        rooms: ids of all rooms that the bot works in, as far as the settings tell; empty where they do not.
        notice_rooms: the rooms that are told where the bot itself is in trouble, by their ids or by names that the
            adapter knows (:class:`slipway.bot.chat.model.NamesRooms`).
        describe: the platform in a few words, for `slipway check`; empty for none.
        probe: tries the connection, for `slipway doctor`; None where there is nothing to try.
        token: asks the platform about the token by which the bot speaks there, and raises ChatError where that is not
            accepted; None where there is nothing to ask.
        members: asks the platform which accounts are in one of the rooms that the settings name, and raises ChatError
            where it does not say; gives None where the settings name no room, and is None where nobody can be asked.
        kept_secrets: what the adapter keeps in the state folder that nobody else may read, so that a support bundle
            holds none of it.
        group_key: the key of a role that names this platform's user groups, such as ``slack_groups``; empty
            where the platform has none.
        group_problem: what is wrong with a user group's id; None if it can be one.
        introduction: how whoever runs Slipway lets in somebody whose account nobody has, as a sentence or more;
            empty where adding the account to a person's identities is all.
        routes: the requests that the platform makes of the bot, at the listener that the world may reach.
        listen: the address to hear them at that the table names, as those of before ``[http.public]`` do; empty for
            none.
        auxiliary: whether the bot goes on without this chat while others are there; alone, its end is the bot's.
        rooms_key: the key of the table that lists the rooms to work in, which `slipway init` asks for; empty: none.
        account_example: an identity, for mistakes: ``matrix:@alice:example.org``.
        room_example: a room, as a schedule names it.
    """

    platform: Platform
    settings: type[SettingsT]
    build: Callable[[ChatContext[SettingsT]], Chat]
    describe: Callable[[SettingsT], str]
    account_problem: Callable[[str], str | None]
    room_problem: Callable[[str], str | None]
    switch: str = ""
    named_accounts: Callable[[SettingsT], Mapping[str, str]] = lambda _settings: {}
    check: Callable[[SettingsT, bool], Iterator[Problem]] = lambda _settings, _secrets: iter(())
    warnings: Callable[[SettingsT, Path], Iterator[Problem]] = lambda _settings, _state_dir: iter(())
    rooms: Callable[[SettingsT], tuple[str, ...]] = lambda _settings: ()
    notice_rooms: Callable[[SettingsT], tuple[str, ...]] = lambda _settings: ()
    probe: Callable[[SettingsT, str], Awaitable[Finding]] | None = None
    token: Callable[[SettingsT, str], Awaitable[TokenFacts]] | None = None
    members: Callable[[SettingsT, str], Awaitable[frozenset[str] | None]] | None = None
    kept_secrets: Callable[[str], tuple[str, ...]] = lambda _state_dir: ()
    group_key: str = ""
    group_problem: Callable[[str], str | None] = lambda _group: None
    introduction: Callable[[str], str] = lambda _account: ""
    routes: Callable[[SettingsT], tuple[PublicRoute, ...]] = lambda _settings: ()
    listen: Callable[[SettingsT], str] = lambda _settings: ""
    auxiliary: bool = False
    rooms_key: str = ""
    account_example: str = ""
    room_example: str = ""

    def __post_init__(self) -> None:
        check_text("A chat platform", "platform", self.platform)
        if not self.platform.isidentifier() or self.platform != self.platform.lower():
            raise DeclarationError(f"A chat platform cannot be called {self.platform!r}: use a-z and _.")
        owner = f"The chat platform {self.platform}"
        check_class(owner, "settings", self.settings, Settings)
        check_callables(owner, self, _FUNCTIONS)
        if self.probe is not None:
            check_callables(owner, self, ("probe",))
        for name in ("token", "members"):
            if getattr(self, name) is not None:
                check_callables(owner, self, (name,))
        for text in ("switch", "group_key", "rooms_key", "account_example", "room_example"):
            check_text(owner, text, getattr(self, text))
        if self.account_example and not self.account_example.startswith(f"{self.platform}:"):
            raise DeclarationError(
                f"The account_example of {self.platform} must begin with {self.platform}:."
            )
        for key, use in ((self.switch, "switch it on"), (self.rooms_key, "list its rooms")):
            if key and key not in self.settings.model_fields:
                raise DeclarationError(f"The settings of {self.platform} have no key {key} to {use}.")
        _ = self.table  # raises where its settings cannot be a table

    def enabled(self, settings: SettingsT) -> bool:
        """Whether a table switches the platform on."""
        return not self.switch or bool(getattr(settings, self.switch))

    @cached_property
    def table(self) -> SettingsTable[SettingsT]:
        """Its table in slipway.toml; one with a switch is always there."""
        return SettingsTable(
            name=self.platform,
            model=self.settings,
            shape=TableShape.SINGLE if self.switch else TableShape.OPTIONAL,
            summary=f"the chat platform {self.platform}",
            check=self.check,
        )
