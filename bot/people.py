"""Persons, the accounts they speak from, and what they may do. What nobody allowed is forbidden.

A schedule is an identity too: ``schedule:NAME`` holds the roles of its entry. So is what a subject looks after by
itself: ``service:NAME`` holds the rights that its declaration names. Both may ask for things, and are never counted
among the humans who approve or who are named in a refusal. Whoever the configuration does not know is a stranger,
without any role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

from slipway.bot.chat.model import SCHEDULE, SERVICE, Platform
from slipway.bot.config.settings import ROLE, PersonSettings, ScheduleSettings, SlipwaySettings, split_address
from slipway.bot.config.spec import CommandRight, gives

_NAMED = 5  # holders named in a refusal; more are counted


@dataclass(frozen=True, slots=True)
class Identity:
    """One account, by its platform's own id, compared letter by letter."""

    platform: Platform
    account: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.account}"


class PersonKind(StrEnum):
    """Who speaks."""

    HUMAN = "human"
    SCHEDULE = "schedule"
    SERVICE = "service"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Person:
    """One human with all their accounts, or a schedule or a service, or somebody unknown."""

    id: str
    name: str
    identities: tuple[Identity, ...]
    roles: tuple[str, ...]
    zone: ZoneInfo
    kind: PersonKind = PersonKind.HUMAN

    @property
    def human(self) -> bool:
        """Whether this is a known person of flesh and blood, whose approval can count."""
        return self.kind is PersonKind.HUMAN

    @property
    def automatic(self) -> bool:
        """Whether nobody speaks, but a schedule or a service."""
        return self.kind in (PersonKind.SCHEDULE, PersonKind.SERVICE)

    def account_on(self, platform: Platform) -> str | None:
        """The account to mention there, the first where there are several; None where there is none."""
        return next((known.account for known in self.identities if known.platform == platform), None)

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name != self.id else self.id


def schedule_id(name: str) -> str:
    """The id of a schedule as a person: ``schedule:weekly-cleanup``."""
    return f"{SCHEDULE}:{name}"


def service_id(name: str) -> str:
    """The id of a service as a person: ``service:leases``."""
    return f"{SERVICE}:{name}"


def is_automatic(person_id: str) -> bool:
    """Whether an id is a schedule's or a service's, also of one that is not there any more."""
    return person_id.startswith((schedule_id(""), service_id("")))


def schedule_of(person_id: str) -> str:
    """The name of the schedule that an id stands for; empty where it is none's."""
    return person_id.removeprefix(schedule_id("")) if person_id.startswith(schedule_id("")) else ""


class People:
    """Everybody a checked configuration knows. Nothing in it changes but who is in which user group, and all of it at
    a reload.

    Args:
        settings: the checked configuration.
        group_keys: the key of a role that names a platform's user groups, by platform.
        introductions: how somebody whose account nobody has is let in, by platform; empty for as everywhere.
        services: the rights of what looks after something by itself, by its name.

    Raises:
        ValueError: an id or an account belongs to two, or an account is not ``platform:id``;
            :func:`slipway.bot.config.load.load` tells such mistakes first and in better words.
    """

    def __init__(
        self,
        settings: SlipwaySettings,
        group_keys: Mapping[Platform, str] | None = None,
        introductions: Mapping[Platform, Callable[[str], str]] | None = None,
        services: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._services = tuple(_service(name, settings.zone) for name in services or {})
        self._service_rights = {
            service_id(name): frozenset(rights) for name, rights in (services or {}).items()
        }
        self._introductions = dict(introductions or {})
        self._group_keys = dict(group_keys or {})
        self._members: dict[Platform, Mapping[str, frozenset[str]]] = {}
        self.replace(settings)
        everybody = (*self._persons, *self._schedules, *self._services)
        if len(self._by_id) != len(everybody):
            raise ValueError("two persons, schedules or services have the same id")
        if len(self._by_identity) != sum(len(person.identities) for person in self._persons):
            raise ValueError("one account is given twice")

    def replace(self, settings: SlipwaySettings) -> None:
        """Know everybody of this configuration, and nobody else; in the user groups that they are known to be in."""
        self._schedules = tuple(_schedule(entry) for entry in settings.schedule)
        self._rights = {name: frozenset(role.may) for name, role in settings.roles.items()}
        self._zone = settings.zone
        self._configured = tuple(_human(entry, settings.zone) for entry in settings.person)
        self._groups = {
            platform: {name: groups for name, role in settings.roles.items() if (groups := role.groups(key))}
            for platform, key in self._group_keys.items()
        }
        self._persons = tuple(map(self._with_groups, self._configured))
        self._index()

    def set_group_members(self, platform: Platform, members: Mapping[str, frozenset[str]]) -> None:
        """Take in who is in which user group of a platform, in place of what was known of it before.

        Persons of the configuration hold the roles that name a group they are in with one of their accounts
        there, beside those that they are given by name. Nobody becomes known by a group.

        Args:
            platform: the groups' platform.
            members: the accounts in each group, by the group's id.
        """
        self._members[platform] = members
        self._persons = tuple(map(self._with_groups, self._configured))
        self._index()

    def groups(self, platform: Platform) -> tuple[str, ...]:
        """The user groups of a platform that roles name."""
        return tuple(
            dict.fromkeys(group for groups in self._groups.get(platform, {}).values() for group in groups)
        )

    def _with_groups(self, person: Person) -> Person:
        held: list[str] = []
        for platform, members in self._members.items():
            accounts = {each.account for each in person.identities if each.platform == platform}
            held += (
                role
                for role, groups in self._groups.get(platform, {}).items()
                if any(accounts & members.get(group, frozenset()) for group in groups)
            )
        return replace(person, roles=tuple(dict.fromkeys((*person.roles, *held))))

    @property
    def roles_by_groups(self) -> Mapping[str, tuple[str, ...]]:
        """The roles that user groups give now, beside those that are given by name; by the ids of their holders."""
        by_name = {person.id: person.roles for person in self._configured}
        added = {
            person.id: tuple(sorted(set(person.roles) - set(by_name[person.id]))) for person in self._persons
        }
        return {person: roles for person, roles in added.items() if roles}

    def _index(self) -> None:
        self._by_id = {person.id: person for person in (*self._persons, *self._schedules, *self._services)}
        self._by_identity = {identity: person for person in self._persons for identity in person.identities}

    @property
    def persons(self) -> tuple[Person, ...]:
        """The humans, as the configuration orders them."""
        return self._persons

    @property
    def schedules(self) -> tuple[Person, ...]:
        """The schedules' own identities."""
        return self._schedules

    def by_id(self, person_id: str) -> Person | None:
        """Who has this id: ``alice`` or ``schedule:weekly-cleanup``."""
        return self._by_id.get(person_id)

    def by_account(self, platform: Platform, account: str) -> Person | None:
        """The human who speaks from this account; None is a stranger."""
        return self._by_identity.get(Identity(platform, account))

    def schedule(self, name: str) -> Person | None:
        """A schedule's own identity, by the schedule's name."""
        return self._by_id.get(schedule_id(name))

    def stranger(self, platform: Platform, account: str) -> Person:
        """Somebody whom the configuration does not know: no roles, and no rights."""
        identity = Identity(platform, account)
        return Person(str(identity), account, (identity,), (), self._zone, PersonKind.STRANGER)

    def name(self, person_id: str) -> str:
        """How somebody is called; a service that is nobody in particular by what it does, and who has left the
        configuration by the id itself."""
        person = self._by_id.get(person_id)
        if person is None and person_id.startswith(service_id("")):
            return f"Slipway's {person_id.removeprefix(service_id('')).replace('-', ' ')}"
        return person.name if person is not None else person_id

    def account(self, person_id: str, platform: Platform) -> str | None:
        """The account to mention somebody by on a platform; None where there is none."""
        person = self._by_id.get(person_id)
        return person.account_on(platform) if person is not None else None

    def may(self, person: Person | None, right: str, *, changes: bool) -> bool:
        """Whether somebody, or a stranger (None too), has a right.

        Args:
            person: who asks. Only the names of their roles count, so a stranger has no rights.
            right: the right, such as ``promote`` or ``bundle.apply``.
            changes: whether it lets them change anything; ``read`` gives those that do not.
        """
        if person is None or person.kind is PersonKind.STRANGER:
            return False
        held = [self._rights.get(role, frozenset()) for role in person.roles]
        if person.kind is PersonKind.SERVICE:
            held.append(self._service_rights.get(person.id, frozenset()))
        return gives((right for rights in held for right in rights), CommandRight(right, right, changes))

    def holders(self, right: str, *, changes: bool) -> tuple[Person, ...]:
        """The humans who have a right."""
        return tuple(person for person in self.persons if self.may(person, right, changes=changes))

    def role_holders(self, role: str) -> tuple[Person, ...]:
        """The humans who hold a role."""
        return tuple(person for person in self.persons if role in person.roles)

    def awaits_groups(self, role: str) -> bool:
        """Whether a user group of a platform gives a role, and nobody told yet who is in it."""
        return any(
            role in by_role for platform, by_role in self._groups.items() if platform not in self._members
        )

    def owner(self, written: str) -> str:
        """Whom something is for, in the one form that is kept: a person's id, or ``role:NAME``, also of a role that
        is written without that; empty for nobody."""
        known = written in self._by_id or written.startswith(ROLE)
        return f"{ROLE}{written}" if written and not known and written in self._rights else written

    def owners(self, owner: str) -> tuple[Person, ...]:
        """The humans for whom something is: a person, or the holders of a role."""
        whose = self.owner(owner)
        if whose.startswith(ROLE):
            return self.role_holders(whose.removeprefix(ROLE))
        person = self.by_id(whose)
        return (person,) if person is not None else ()

    def owner_in_words(self, owner: str) -> str:
        """The same in words: a person's name, or ``role releng``; empty for nobody."""
        whose = self.owner(owner)
        if whose.startswith(ROLE):
            return f"role {whose.removeprefix(ROLE)}"
        return self.name(whose) if whose else ""

    def introduction(self, identity: Identity) -> str:
        """How somebody whom the configuration does not know may become known, in a sentence or more."""
        introduce = self._introductions.get(identity.platform)
        own = introduce(identity.account) if introduce is not None else ""
        account = str(identity).replace("`", "'")
        return own or f"Whoever runs Slipway can add `{account}` to a person's identities."

    def refusal(self, person: Person | None, identity: Identity, right: str, *, changes: bool) -> str:
        """Why somebody may not do something: the missing right, and who has it.

        Args:
            person: who asked; None is a stranger, who is told how to become known instead, and no names.
            identity: the account they asked from.
            right: what it takes.
            changes: whether it lets them change anything.
        """
        if person is None or person.kind is PersonKind.STRANGER:
            return f"I do not know you, so you have no right to `{right}`. {self.introduction(identity)}"
        holders = have(self.holders(right, changes=changes))
        who_has = f"{holders} it." if holders else "nobody has it yet; whoever runs Slipway can give it."
        instead = "" if changes else " (or `read`)"
        needs = "You need" if person.human else f"{person.name[:1].upper()}{person.name[1:]} needs"
        return f"{needs} the right `{right}`{instead} for this; {who_has}"


def have(persons: Iterable[Person]) -> str:
    """Who has something, inside a sentence: ``Alice (alice) and Bob (bob) have``; empty for nobody.

    The first few are named, and very many are counted.
    """
    known = tuple(persons)
    return f"{listed(known)} {'has' if len(known) == 1 else 'have'}" if known else ""


def listed(persons: Iterable[Person]) -> str:
    """Persons inside a sentence: ``Alice (alice) and Bob (bob)``; empty for nobody, and very many are counted."""
    named = [str(person) for person in persons]
    if not named:
        return ""
    if len(named) > _NAMED:
        named[_NAMED - 1 :] = [f"{len(named) - _NAMED + 1} others"]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _human(entry: PersonSettings, zone: ZoneInfo) -> Person:
    return Person(
        id=entry.id,
        name=entry.name or entry.id,
        identities=tuple(Identity(*split_address(text)) for text in entry.identities),
        roles=tuple(dict.fromkeys(entry.roles)),
        zone=entry.zone or zone,
    )


def _service(name: str, zone: ZoneInfo) -> Person:
    return Person(
        id=service_id(name),
        name=name,
        identities=(Identity(SERVICE, name),),
        roles=(),
        zone=zone,
        kind=PersonKind.SERVICE,
    )


def _schedule(entry: ScheduleSettings) -> Person:
    return Person(
        id=schedule_id(entry.name),
        name=f"the schedule {entry.name}",
        identities=(Identity(SCHEDULE, entry.name),),
        roles=tuple(dict.fromkeys(entry.roles)),
        zone=entry.zone,
        kind=PersonKind.SCHEDULE,
    )
