"""How a subject declares itself: its kinds of operation, its steps, its settings, its commands, what is shown.

A declaration that is incomplete raises DeclarationError when it is made, so at import.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args, get_origin

from slipway.bot.chat.declaration import TokenFacts
from slipway.bot.chat.forms import CommandForm, FormShortcut
from slipway.bot.chat.model import Card
from slipway.bot.clouds.capabilities import Capability, Clouds
from slipway.bot.clouds.rights import Use
from slipway.bot.config.current import CurrentSettings
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.commands import Command
from slipway.bot.core.declared_fields import (
    Declaration,
    check_callables,
    check_methods,
    check_text,
    check_tuple,
    check_type,
    shown,
)
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.interfaces import Interfaces
from slipway.bot.core.loading import load_attribute
from slipway.bot.core.probes import Finding
from slipway.bot.core.settings_table import AnyTable, PersonKey, SettingsTable
from slipway.bot.core.steps import Confirmation, Executor, Planner, Request, Step, Stored, Target
from slipway.bot.core.text import as_typed
from slipway.bot.core.times import Clock
from slipway.bot.core.uptime import ReadUptime, system_uptime
from slipway.bot.core.waiting import Polling
from slipway.bot.operations.endpoints import PublicEndpoint
from slipway.bot.operations.watches import Watch
from slipway.bot.people import People, Person
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.reports.declaration import ReportSection

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.persistence.repository import OperationRepository
    from slipway.bot.operations.services import Services
    from slipway.bot.store.database import Database

RequestT = TypeVar("RequestT", bound=Request)
StepT = TypeVar("StepT", bound=Step)
ServicesT = TypeVar("ServicesT")

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the stored fields of one format into those of the next."""

WHOEVER_ASKS = "whoever asks"
"""In :attr:`OperationKind.named_by`: what changes is called after the person who asks."""

ANYTHING = "anything"
"""In :attr:`OperationKind.named_by`: its command does not name what changes."""

STORED_BESIDE = frozenset({"format", "title", "reason"})
"""What is stored beside the fields of a request or step, under names of its own; see :attr:`.model.Plan.document`."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True)
class PolicyDefaults(Declaration):
    """Who must agree where slipway.toml has no ``[policy.KIND]``.

    Attributes:
        approvals: how many persons.
        forgeable_presses: whether a press that could have been made up on its way counts.
        demanded: how many approvals a plan may demand whatever the policy says, at most.
        by_oneself: whether whoever may ask for such an operation may approve it, the requester too: it is a
            confirmation. Without, approvals are those of a role, and of others.
        like: another kind whose written ``[policy.KIND]`` counts for this one, too, where it has none of its own: a
            kind that came later asks those who decide about its like, and no upgrade breaks a configuration.
        wanted: whether anybody could ask for such an operation by these settings. Where nobody could, it is no
            mistake that nobody could agree to it.
    """

    approvals: int
    forgeable_presses: bool = False
    demanded: Callable[[SlipwaySettings], int] = lambda _settings: 0
    by_oneself: bool = False
    like: str = ""
    wanted: Callable[[SlipwaySettings], bool] = lambda _settings: True

    def __post_init__(self) -> None:
        check_text("A policy", "like", self.like)
        check_type("A policy", "approvals", self.approvals, int, "a number")
        check_callables("A policy", self, ("demanded", "wanted"))
        if not 0 <= self.approvals <= 5:
            raise DeclarationError(f"{self.approvals} approvals cannot be a default: from 0 to 5 can.")


@dataclass(frozen=True)
class OperationKind(Declaration, Generic[RequestT, ServicesT]):
    """A kind of operation.

    Attributes:
        request: what is asked for; its ``kind`` names the kind, in ``[policy.KIND]``, too.
        planner: makes the planner of what the subject works with.
        arguments: what stands behind its command's name in the line that asks for it: to plan it afresh.
        prose: whether its command ends in words of a person's own, which are typed as they are, without quotes.
        policy: who agrees by default.
        needs: the capability of a cloud that it works by; None for what works in no cloud.
        right: what somebody must hold to ask for it, and so its command's, where that is not the kind's own name.
        command: the name of its command, where that is neither the right's nor the kind's own.
        further_rights: what roles may hold beside that, and its planner asks for: who holds one of them is asked for
            less, such as ``terminate.others``. Each begins with its right and a dot.
        upgrades: by format, what makes a stored request of that format one of the next.
        named_by: the parameter of its command that names what its steps change, as rules of policies tell it
            (:attr:`.Step.policy_targets`); empty for the first argument, or one of the two below.
        names: all that it can change, as far as rules of policies tell that apart, with the account of each where
            slipway.toml says it; None where only a cloud knows.
        confirm: makes what looks at the whole once more when the last step is over; None where each step's own look
            is enough.
    """

    request: type[RequestT]
    planner: Callable[[ServicesT], Planner[RequestT]]
    arguments: Callable[[RequestT], Sequence[str]]
    policy: PolicyDefaults
    needs: Capability[Any] | None
    right: str = ""
    further_rights: tuple[str, ...] = ()
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    confirm: Callable[[ServicesT], Confirmation] | None = None
    command: str = ""
    prose: bool = False
    named_by: str = ""
    names: Callable[[SlipwaySettings], Iterable[Target] | None] = lambda _settings: None

    def __post_init__(self) -> None:
        check_stored(self.request, Request, "request")
        owner = f"The kind of operation {self.name}"
        check_callables(
            owner, self, ("planner", "arguments", "names", *(() if self.confirm is None else ("confirm",)))
        )
        if isinstance(self.planner, type):
            self.check_planner(self.planner)
        check_type(owner, "policy", self.policy, PolicyDefaults, "a PolicyDefaults")
        if self.needs is not None:
            check_type(owner, "needs", self.needs, Capability, "a Capability or None")
        check_text(owner, "right", self.right)
        check_text(owner, "command", self.command)
        check_text(owner, "named_by", self.named_by)
        check_tuple(owner, "further_rights", self.further_rights, str)
        own = f"{self.right or self.name}."
        if odd := [each for each in self.further_rights if not each.startswith(own) or each == f"{own}*"]:
            raise DeclarationError(f"{owner} has the further right {odd[0]}: begin it with {own}")
        check_upgrades(self.request, self.upgrades)

    def check_planner(self, planner: object) -> None:
        """Refuse a planner, or its class, that cannot plan.

        Raises:
            DeclarationError: it lacks a method.
        """
        check_methods(f"The planner of {self.name}", planner, ("plan",))

    @property
    def name(self) -> str:
        """The kind."""
        return kind_of(self.request)

    @property
    def typed(self) -> str:
        """The name of its command: ``promote``, ``schedule pause``."""
        return self.command or (self.right or self.name).replace(".", " ")

    def command_line(self, request: RequestT) -> str:
        """The line that asks for this, without the prefix, as people type it."""
        words = (*self.typed.split(" "), *self.arguments(request))
        return " ".join(words) if self.prose else as_typed(words)


@dataclass(frozen=True)
class StepKind(Declaration, Generic[StepT, ServicesT]):
    """A kind of step.

    Attributes:
        step: its data.
        executor: makes what carries it out, of what the subject works with.
        touches: names of what it changes, such as ``definition Fedora-Cloud-43-x64``: while one operation works
            on a name, no other does. None for what is new.
        targets: names of exactly what it changes, such as ``version azure Fedora-Cloud-43-x64 43.1.0``, by which
            operations are found again later.
        upgrades: by format, what makes a stored step of that format one of the next.
    """

    step: type[StepT]
    executor: Callable[[ServicesT], Executor[StepT]]
    touches: Callable[[StepT], tuple[str, ...]]
    targets: Callable[[StepT], tuple[str, ...]] = lambda _step: ()
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_stored(self.step, Step, "step")
        check_callables(f"The step {self.name}", self, ("executor", "touches", "targets"))
        if isinstance(self.executor, type):
            self.check_executor(self.executor)
        check_upgrades(self.step, self.upgrades)
        for word in ("title", "reason"):
            if getattr(self.step, word) is getattr(Step, word):
                raise DeclarationError(f"The step {self.name} lacks a {word}.")

    def check_executor(self, executor: object) -> None:
        """Refuse an executor, or its class, that cannot carry a step out.

        Raises:
            DeclarationError: it lacks a method.
        """
        lasting = ("waiting",) if self.step.LASTING else ()
        check_methods(f"The executor of {self.name}", executor, ("observe", "act", *lasting, "verify"))

    @property
    def name(self) -> str:
        """The kind."""
        return kind_of(self.step)


@dataclass(frozen=True)
class SubjectContext:
    """What a subject builds its services of.

    ``database`` is for tables of the subject's own; what became of operations, ``operations`` knows. ``people`` are
    everybody, with the roles that they hold at each moment. ``interfaces`` is what subjects give each other: complete
    only once all services are built. ``now`` is the configuration that counts, where a reload may change what is read
    of it. ``chat_tokens`` ask about the bot's own token, by the platforms that tell of it.
    """

    settings: SlipwaySettings
    clouds: Clouds
    operations: OperationRepository
    database: Database
    people: People
    clock: Clock
    polling: Polling
    interfaces: Interfaces = field(default_factory=Interfaces)
    chat_tokens: Mapping[str, Callable[[], Awaitable[TokenFacts]]] = field(default_factory=dict)
    uptime: ReadUptime = system_uptime
    current: CurrentSettings | None = None

    @property
    def now(self) -> SlipwaySettings:
        """The configuration that counts now."""
        return self.settings if self.current is None else self.current.settings


@dataclass(frozen=True)
class Probe(Declaration):
    """Something to try for `slipway doctor`.

    Attributes:
        what: what is tried, in a word or two.
        wanted: whether there is anything to try in a configuration.
        look: tries it, and changes nothing.
    """

    what: str
    wanted: Callable[[SlipwaySettings], bool]
    look: Callable[[SlipwaySettings, Clouds], Awaitable[Finding]]

    def __post_init__(self) -> None:
        check_text("A probe", "what", self.what)
        check_callables(f"The probe {self.what}", self, ("wanted", "look"))


@dataclass(frozen=True)
class DeclaredForm(Declaration):
    """A form for a command: how it is offered in menus, and how it is made for a person once the bot runs."""

    shortcut: FormShortcut
    make: Callable[[Services, Person], CommandForm]

    def __post_init__(self) -> None:
        check_type("A form", "shortcut", self.shortcut, FormShortcut, "a FormShortcut")
        check_callables(f"The form {self.shortcut.name}", self, ("make",))


@dataclass(frozen=True)
class HomeSection(Declaration):
    """Cards for one person's own page, on platforms that have one.

    Attributes:
        cards: makes them; none where there is nothing to show this person.
        asks: whether it asks the person to do something, and so stands before what only informs.
    """

    cards: Callable[[Services, Person], Awaitable[tuple[Card, ...]]]
    asks: bool = False

    def __post_init__(self) -> None:
        check_callables("A section of a person's page", self, ("cards",))


def nothing(_context: SubjectContext) -> None:
    """The services of a subject that has only commands."""


@dataclass(frozen=True)
class Subject(Declaration, Generic[ServicesT]):
    """A field of work, declared in its package.

    Attributes:
        name: identifies it.
        title: its heading in help.
        services: builds, once at the start, what its planners, executors and commands work with.
        kinds: its kinds of operation.
        steps: its kinds of step.
        tables: its tables of slipway.toml.
        commands: what people type about it, in the order of help.
        summary: its lines in `slipway check`.
        probes: what `slipway doctor` tries.
        uses: what it does with which accounts by a configuration, for the rights that this takes.
        home: its sections of a person's own page.
        forms: forms for its commands.
        watches: what it looks after by itself.
        person_keys: what it adds to ``[[person]]``.
        problems: what may be wrong with what it looks after.
        sections: what it adds to reports.
        endpoints: what the world may ask it by HTTP.
    """

    name: str
    title: str
    services: Callable[[SubjectContext], ServicesT]
    kinds: tuple[OperationKind[Any, ServicesT], ...] = ()
    steps: tuple[StepKind[Any, ServicesT], ...] = ()
    tables: tuple[AnyTable, ...] = ()
    commands: tuple[Command[Any], ...] = ()
    summary: Callable[[SlipwaySettings], Iterable[str]] = lambda _settings: ()
    probes: tuple[Probe, ...] = ()
    uses: Callable[[SlipwaySettings], Iterable[Use]] = lambda _settings: ()
    home: tuple[HomeSection, ...] = ()
    forms: tuple[DeclaredForm, ...] = ()
    watches: tuple[Watch[ServicesT], ...] = ()
    person_keys: tuple[PersonKey, ...] = ()
    problems: tuple[ProblemSource[Services], ...] = ()
    sections: tuple[ReportSection[Services, Any], ...] = ()
    endpoints: tuple[PublicEndpoint, ...] = ()

    def __post_init__(self) -> None:
        check_text("A subject", "name", self.name)
        if _NAME.fullmatch(self.name) is None:
            raise DeclarationError(f"A subject cannot be called {self.name!r}: use lower case and hyphens.")
        owner = f"The subject {self.name}"
        check_text(owner, "title", self.title)
        if not self.title:
            raise DeclarationError(f"{owner} lacks a title.")
        check_callables(owner, self, ("services", "summary", "uses"))
        for field_name, entry in _ENTRIES.items():
            check_tuple(owner, field_name, getattr(self, field_name), entry)
        if self.kinds and not self.steps:
            raise DeclarationError(f"{owner} has kinds of operation and no steps.")
        if self.kinds and self.services is nothing:
            raise DeclarationError(f"{owner} has kinds of operation and no services.")

    def with_parts(self, package: str, *modules: str) -> Subject[ServicesT]:
        """The same with what modules of a package add: what their ``PARTS`` hold, in this order.

        A part is anything that a subject has many of: a command, a kind of operation, a step, a section …

        Raises:
            DeclarationError: a module holds no ``PARTS``, or something in them is no part.
        """
        more: dict[str, list[object]] = {}
        for name in modules:
            for part in self._parts_of(f"{package}.{name}"):
                fields = [each for each, kind in _ENTRIES.items() if isinstance(part, kind)]
                if not fields:
                    raise DeclarationError(
                        f"PARTS of {package}.{name} hold {shown(part)}, which is no part of a subject."
                    )
                more.setdefault(fields[0], []).append(part)
        changes: dict[str, Any] = {name: (*getattr(self, name), *parts) for name, parts in more.items()}
        return replace(self, **changes)

    def _parts_of(self, module: str) -> tuple[object, ...]:
        missing = f"The subject {self.name} names {module}, and there is no such module."
        parts = load_attribute(module, "PARTS", missing)
        if not isinstance(parts, tuple) or not parts:
            raise DeclarationError(f"{module} has to hold PARTS, a tuple of what it adds to {self.name}.")
        return parts


_ENTRIES: Mapping[str, type] = {
    "kinds": OperationKind,
    "steps": StepKind,
    "tables": SettingsTable,
    "commands": Command,
    "probes": Probe,
    "home": HomeSection,
    "forms": DeclaredForm,
    "watches": Watch,
    "person_keys": PersonKey,
    "problems": ProblemSource,
    "sections": ReportSection,
    "endpoints": PublicEndpoint,
}
"""What each tuple of a subject holds."""


def kind_of(stored: type[Stored]) -> str:
    """The name of a kind, from the default of its ``kind`` field."""
    return str(stored.model_fields["kind"].default)


def check_stored(stored: type[Stored], base: type[Stored], what: str) -> None:
    """Raise DeclarationError where a class cannot be stored by its kind."""
    if not (isinstance(stored, type) and issubclass(stored, base)) or stored is base:
        raise DeclarationError(
            f"{getattr(stored, '__name__', stored)} is no {what}: make it a subclass of {base.__name__}."
        )
    found = stored.model_fields["kind"]
    literal = get_origin(found.annotation) is Literal and get_args(found.annotation) == (found.default,)
    if not literal or not isinstance(found.default, str) or _NAME.fullmatch(found.default) is None:
        raise DeclarationError(
            f'The {what} {stored.__name__} lacks its kind: write kind: Literal["name"] = "name".'
        )
    if taken := sorted(STORED_BESIDE & stored.model_fields.keys()):
        raise DeclarationError(
            f"The {what} {stored.__name__} has a field {taken[0]}, and what is stored beside its fields is called "
            "so: give it another name."
        )


def check_upgrades(stored: type[Stored], upgrades: Mapping[int, Upgrade]) -> None:
    """Raise DeclarationError where a format before the present one cannot be read, or an upgrade is never used."""
    check_type(stored.__name__, "upgrades", upgrades, Mapping, "a mapping")
    former = range(1, stored.FORMAT)
    if missing := [number for number in former if number not in upgrades]:
        raise DeclarationError(
            f"{stored.__name__} has format {stored.FORMAT}, and nothing reads format {missing[0]}: "
            "add an upgrade, or one that raises UnknownFormatError."
        )
    for number, upgrade in upgrades.items():
        if number not in former:
            raise DeclarationError(
                f"{stored.__name__} has format {stored.FORMAT}, and an upgrade from format {number}: "
                "raise FORMAT, or leave the upgrade out."
            )
        if not callable(upgrade):
            raise DeclarationError(
                f"{stored.__name__} needs a function as its upgrade from format {number}, "
                f"and has {shown(upgrade)}."
            )
