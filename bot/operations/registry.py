"""All declared subjects together: every kind and step by name. Nothing else in the core lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

from slipway.bot.core.errors import DeclarationError, UserError
from slipway.bot.core.steps import Confirmation, Executor, Planner, Request, Step
from slipway.bot.operations.declarations import OperationKind, StepKind, Subject, SubjectContext

T = TypeVar("T")


class SubjectRegistry:
    """The subjects of a Slipway, in the order of help.

    Raises:
        DeclarationError: two of them claim one name or one title.
    """

    def __init__(self, subjects: Iterable[Subject[Any]]) -> None:
        self.subjects = tuple(subjects)
        _by_name(((each.name, each.name, each) for each in self.subjects), "subject")
        _by_name(((each.name, each.title, each) for each in self.subjects), "title")
        self.kinds: Mapping[str, OperationKind[Any, Any]] = _by_name(
            ((subject.name, kind.name, kind) for subject in self.subjects for kind in subject.kinds),
            "kind of operation",
        )
        self.steps: Mapping[str, StepKind[Any, Any]] = _by_name(
            ((subject.name, step.name, step) for subject in self.subjects for step in subject.steps), "step"
        )
        self.tables = _by_name(
            ((subject.name, table.name, table) for subject in self.subjects for table in subject.tables),
            "settings table",
        )
        self.watches = _by_name(
            ((subject.name, watch.name, watch) for subject in self.subjects for watch in subject.watches),
            "watch",
        )
        self.problem_sources = _by_name(
            ((subject.name, source.name, source) for subject in self.subjects for source in subject.problems),
            "source of problems",
        )
        self.sections = _by_name(
            ((subject.name, each.name, each) for subject in self.subjects for each in subject.sections),
            "section of a report",
        )
        self.endpoints = _by_name(
            (
                (subject.name, f"{each.route.method} {each.route.path}", each)
                for subject in self.subjects
                for each in subject.endpoints
            ),
            "public route",
        )
        self._owners = {
            name: subject
            for subject in self.subjects
            for name in (*(kind.name for kind in subject.kinds), *(step.name for step in subject.steps))
        }

    def owner(self, kind: str) -> Subject[Any]:
        """The subject of a kind of operation or step that is known."""
        return self._owners[kind]

    @property
    def further_rights(self) -> tuple[str, ...]:
        """What roles may hold beside the rights to commands, in the order of help."""
        return tuple(dict.fromkeys(right for kind in self.kinds.values() for right in kind.further_rights))

    def command_line(self, request: Request) -> str:
        """The command that asks for this, without its prefix: what to type to plan it afresh."""
        return self.kinds[request.kind].command_line(request)

    def touches(self, step: Step) -> tuple[str, ...]:
        """The names of what a step changes, for :class:`slipway.bot.operations.runs.locks.Locks`."""
        return self.steps[step.kind].touches(step)

    def targets(self, step: Step) -> tuple[str, ...]:
        """The names of exactly what a step changes, by which operations are found later."""
        return self.steps[step.kind].targets(step)


def _by_name(entries: Iterable[tuple[str, str, T]], what: str) -> dict[str, T]:
    owners: dict[str, str] = {}
    found: dict[str, T] = {}
    for owner, name, entry in entries:
        if name in found:
            both = owner if owners[name] == owner else f"{owners[name]} and {owner}"
            raise DeclarationError(f"The {what} {name} is claimed twice, by {both}.")
        owners[name], found[name] = owner, entry
    return found


def _check_types(by_subject: Mapping[str, object]) -> None:
    """Services are found by their type, so that no two subjects can have those of one type."""
    held = [(name, services) for name, services in by_subject.items() if services is not None]
    for (name, one), (other_name, other) in combinations(held, 2):
        if isinstance(one, type(other)) or isinstance(other, type(one)):
            raise DeclarationError(
                f"The services of {other_name} are of the type {type(other).__name__}, and so are those of "
                f"{name}: give each subject a type of its own."
            )


@dataclass(frozen=True)
class SubjectServices:
    """What each subject works with, built once at the start: its planners, its executors, and its own services."""

    registry: SubjectRegistry
    by_subject: Mapping[str, object]

    @classmethod
    def build(cls, registry: SubjectRegistry, context: SubjectContext) -> SubjectServices:
        """Build what every subject works with. Asks no cloud.

        Raises:
            DeclarationError: two subjects have services of one type, or a planner or an executor lacks a method.
        """
        by_subject = {subject.name: subject.services(context) for subject in registry.subjects}
        _check_types(by_subject)
        for subject in registry.subjects:
            services = by_subject[subject.name]
            for kind in subject.kinds:
                kind.check_planner(kind.planner(services))
            for step in subject.steps:
                step.check_executor(step.executor(services))
        return cls(registry, by_subject)

    def get(self, wanted: type[T]) -> T:
        """The services of this type.

        Raises:
            LookupError: no subject has such services, which is a fault of Slipway's own.
        """
        for services in self.by_subject.values():
            if isinstance(services, wanted):
                return services
        raise LookupError(f"no subject has services of type {wanted.__name__}")

    def planner(self, request: Request) -> Planner[Any]:
        """What plans a request.

        Raises:
            UserError: nobody here declares such requests.
        """
        kind = self.registry.kinds.get(request.kind)
        if kind is None:
            raise UserError(
                f"This Slipway does not know operations of the kind {request.kind}. No subject declares it: "
                "a kind stands in the PARTS of its command's module."
            )
        return kind.planner(self.by_subject[self.registry.owner(request.kind).name])

    def confirmation(self, request: Request) -> Confirmation | None:
        """What looks at an operation once more when its steps are over; None where nothing does."""
        kind = self.registry.kinds.get(request.kind)
        if kind is None or kind.confirm is None or not isinstance(request, kind.request):
            return None
        return kind.confirm(self.by_subject[self.registry.owner(request.kind).name])

    def executor(self, step: Step) -> Executor[Any]:
        """What carries a step out.

        Raises:
            UserError: nobody here knows such steps.
        """
        kind = self.registry.steps.get(step.kind)
        if kind is None:
            raise UserError(f"This Slipway does not know steps of the kind {step.kind}.")
        return kind.executor(self.by_subject[self.registry.owner(step.kind).name])
