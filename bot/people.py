"""Persons, the accounts they speak from, and what they may do. What nobody allowed is forbidden.

A schedule is an identity too: ``schedule:NAME`` holds the roles of its entry. It may ask for things, and it
is never counted among the humans who approve or who are named in a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from bot.chat.model import Platform
from bot.config.settings import RoleSettings, ScheduleSettings, SlipwaySettings, parse_address

OPEN_TO_ALL = frozenset({"help", "whoami"})
"""Commands that everybody may use, strangers included: they say how to become known."""

_NAMED = 5  # holders named in a refusal; more are counted
_READ, _ALL = "read", "*"


@dataclass(frozen=True, slots=True)
class Identity:
    """One account, by its platform's own id, compared letter by letter."""

    platform: Platform
    account: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.account}"


@dataclass(frozen=True, slots=True)
class Person:
    """One human with all their accounts, or a schedule."""

    id: str
    name: str
    identities: tuple[Identity, ...]
    roles: frozenset[str]
    zone: ZoneInfo

    @property
    def human(self) -> bool:
        """Whether this is a person of flesh and blood, who can approve."""
        return all(identity.platform is not Platform.SCHEDULE for identity in self.identities)

    def account_on(self, platform: Platform) -> str | None:
        """The account to mention there, the first where there are several; None where there is none."""
        return next((known.account for known in self.identities if known.platform is platform), None)

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name != self.id else self.id


def schedule_id(name: str) -> str:
    """The id of a schedule as a person: ``schedule:weekly-cleanup``."""
    return f"{Platform.SCHEDULE}:{name}"


def is_schedule(person_id: str) -> bool:
    """Whether an id is a schedule's; people's ids have no colon."""
    return person_id.startswith(f"{Platform.SCHEDULE}:")


@dataclass(frozen=True)
class People:
    """Everybody the configuration knows. Build it with :meth:`of`."""

    persons: tuple[Person, ...]
    roles: Mapping[str, frozenset[str]]
    _by_id: Mapping[str, Person] = field(repr=False)
    _by_identity: Mapping[Identity, Person] = field(repr=False)

    @classmethod
    def of(cls, settings: SlipwaySettings) -> People:
        """The persons, schedules and roles of a checked configuration.

        Raises:
            ValueError: an id or an account belongs to two, or an account is not ``platform:id``;
                :func:`bot.config.load.load` tells such mistakes first and in better words.
        """
        persons = (
            *(_human(settings, index) for index in range(len(settings.person))),
            *(_schedule(entry) for entry in settings.schedule),
        )
        by_id = {person.id: person for person in persons}
        by_identity = {identity: person for person in persons for identity in person.identities}
        if len(by_id) != len(persons):
            raise ValueError("two persons or two schedules have the same id")
        if len(by_identity) != sum(len(person.identities) for person in persons):
            raise ValueError("one account belongs to two persons")
        return cls(persons, _rights(settings.roles), by_id, by_identity)

    def by_id(self, person_id: str) -> Person | None:
        """Who has this id: ``alice`` or ``schedule:weekly-cleanup``."""
        return self._by_id.get(person_id)

    def by_account(self, platform: Platform, account: str) -> Person | None:
        """Who speaks from this account; a schedule's account is its name. None is a stranger."""
        return self._by_identity.get(Identity(platform, account))

    def stranger(self, platform: Platform, account: str) -> Person:
        """Somebody whom the configuration does not know: they hold no role, so may do next to nothing."""
        speaker = Identity(platform, account)
        return Person(str(speaker), str(speaker), (speaker,), frozenset(), ZoneInfo("UTC"))

    def schedule(self, name: str) -> Person | None:
        """A schedule as the one who asks."""
        return self.by_id(schedule_id(name))

    def name(self, person_id: str) -> str:
        """What people call whoever has this id; the id itself for one who left the configuration."""
        person = self.by_id(person_id)
        return person.name if person else person_id

    def may(self, person: Person | None, command: str, *, changes: bool) -> bool:
        """Whether somebody, or a stranger (None), has the right to a command.

        Args:
            command: the command's name, which is also the right's name.
            changes: whether the command changes anything; ``read`` gives the right to those that do not.
        """
        if command in OPEN_TO_ALL:
            return True
        if person is None:
            return False
        rights = frozenset[str]().union(*(self.roles.get(role, frozenset()) for role in person.roles))
        return command in rights or _ALL in rights or (_READ in rights and not changes)

    def holders(self, command: str, *, changes: bool) -> tuple[Person, ...]:
        """The humans who have the right to a command, as the configuration orders them."""
        return tuple(
            person for person in self.persons if person.human and self.may(person, command, changes=changes)
        )

    def role_holders(self, role: str) -> tuple[Person, ...]:
        """The humans who hold a role, as the configuration orders them."""
        return tuple(person for person in self.persons if person.human and role in person.roles)

    def refusal(self, person: Person | None, speaker: Identity, command: str, *, changes: bool) -> str:
        """Why somebody may not use a command: the missing right, and who has it.

        Args:
            person: who asked, or None for a stranger.
            speaker: the account they asked from; a stranger is told how to have it added.
        """
        holders = names(self.holders(command, changes=changes))
        who_has = (
            f"{holders} it." if holders else "nobody has it yet; whoever runs Slipway can give it to a role."
        )
        if person is None:
            account = str(speaker).replace("`", "'")
            return (
                f"I do not know you, and `{command}` needs the right to it. Whoever runs Slipway can add "
                f"`{account}` to your identities. {_capital(who_has)}"
            )
        instead = "" if changes else " (or `read`)"
        return f"You need the right `{command}`{instead} for this; {who_has}"


def names(persons: Iterable[Person]) -> str:
    """Who has something, inside a sentence: ``Alice (alice) and Bob (bob) have``; empty for nobody."""
    known = tuple(persons)
    if not known:
        return ""
    if len(known) > _NAMED:
        shown = [str(person) for person in known[: _NAMED - 1]]
        shown.append(f"{len(known) - len(shown)} others")
    else:
        shown = [str(person) for person in known]
    listed = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return f"{listed} {'has' if len(known) == 1 else 'have'}"


def _human(settings: SlipwaySettings, index: int) -> Person:
    entry = settings.person[index]
    return Person(
        id=entry.id,
        name=entry.name or entry.id,
        identities=tuple(Identity(*parse_address(text)) for text in entry.identities),
        roles=frozenset(entry.roles),
        zone=entry.zone or settings.zone,
    )


def _schedule(entry: ScheduleSettings) -> Person:
    return Person(
        id=schedule_id(entry.name),
        name=f"schedule {entry.name}",
        identities=(Identity(Platform.SCHEDULE, entry.name),),
        roles=frozenset(entry.roles),
        zone=entry.zone,
    )


def _rights(roles: Mapping[str, RoleSettings]) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(role.may) for name, role in roles.items()}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
