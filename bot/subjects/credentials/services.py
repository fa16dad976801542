"""What everything about credentials works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slipway.bot.chat.model import SERVICE, Room
from slipway.bot.config.settings import split_address
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.operations.declarations import SubjectContext
from slipway.bot.people import People, Person
from slipway.bot.subjects.credentials.answers import Answers
from slipway.bot.subjects.credentials.delivery.sinks import sinks_of
from slipway.bot.subjects.credentials.inventory import Inventory
from slipway.bot.subjects.credentials.model import Reading
from slipway.bot.subjects.credentials.rotating.ledger import RotationLedger
from slipway.bot.subjects.credentials.rotating.staging import Workshop
from slipway.bot.subjects.credentials.settings import (
    CREDENTIALS,
    EXPIRY,
    CredentialSettings,
    ExpirySettings,
)
from slipway.bot.subjects.credentials.thresholds import Threshold

if TYPE_CHECKING:
    from slipway.bot.subjects.credentials.watcher import Watcher

_LOOKS, _PAUSE = 60, 3.0
"""How often it is tried whether a new credential works, and the seconds in between: Entra took up to 18 of them in
reports, and promises no bound."""


@dataclass(frozen=True)
class CredentialServices:
    """What commands about credentials are given.

    Attributes:
        inventory: looks at every source.
        rules: ``[expiry]``.
        people: who there is.
        clock: the present.
        answers: what people said to reminders.
        workshop: what rotations work with.
        watcher: looks by itself and reminds; None in what it is made of itself.
    """

    inventory: Inventory
    rules: ExpirySettings
    people: People
    clock: Clock
    answers: Answers
    workshop: Workshop
    watcher: Watcher | None = None

    async def look(self) -> Sequence[Reading]:
        """Look at every source for a person; the watch does so soon, too, and tells what it sees."""
        self.hasten()
        return await self.inventory.look()

    def entry(self, name: str) -> CredentialSettings:
        """What slipway.toml says of an entry."""
        return self.inventory.entries[name]

    def thresholds(self, entry: str) -> Sequence[Threshold]:
        """How long before the end the owner of an entry's credentials is reminded."""
        return self.entry(entry).remind or self.rules.remind

    def owners(self, entry: str) -> tuple[Person, ...]:
        """The persons whom reminders about an entry call: one, or the holders of a role."""
        return self.people.owners(self.entry(entry).owner)

    def owner_id(self, entry: str) -> str:
        """Whose an entry's credentials are: a person's id, or ``role:NAME``."""
        return self.people.owner(self.entry(entry).owner)

    def owner_in_words(self, entry: str) -> str:
        """Whose an entry's credentials are: a person's name, or a role."""
        return self.people.owner_in_words(self.entry(entry).owner)

    def hasten(self) -> None:
        """Have the watch look soon: something has changed at a source, and what the room reads is to show it."""
        if self.watcher is not None:
            self.watcher.hasten()


def credential_services(context: SubjectContext) -> CredentialServices:
    """Put it together. Asks nobody."""
    # With a database: not for `slipway check`.
    from slipway.bot.store.memory import ChatMemory
    from slipway.bot.subjects.credentials.watcher import Watcher

    rules, commands = context.settings.table(EXPIRY), context.settings.commands
    memory = ChatMemory(context.database, SERVICE)
    entries = context.settings.named(CREDENTIALS)
    services = CredentialServices(
        inventory=Inventory(entries, context.clouds, context.chat_tokens, rules.key_age),
        rules=rules,
        people=context.people,
        clock=context.clock,
        answers=Answers(memory),
        workshop=Workshop(
            context.clouds,
            RotationLedger(memory),
            lambda entry: sinks_of(entries[entry], context.clouds),
            context.clock,
            Polling(looks=_LOOKS, pause=_PAUSE, sleep=context.polling.sleep),
            context.uptime,
        ),
    )
    room = None
    if commands.room:
        platform, name = split_address(commands.room)
        room = Room(platform=platform, id=name)
    return replace(
        services,
        watcher=Watcher(services, memory, room=room, prefix=commands.prefix, zone=context.settings.zone),
    )
