"""What commands, home sections and forms work with, once everything is put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from slipway.bot.chat.model import Chat, Platform
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.current import CurrentSettings
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.times import Clock
from slipway.bot.operations.presentation.cards import CardContext
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.people import People
from slipway.bot.problems.cards import ProblemView
from slipway.bot.replicas.model import ReplicaFacts

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.messages.service import Backlog
    from slipway.bot.operations.approval_service import ApprovalService
    from slipway.bot.operations.freezing.gate import FreezeGate
    from slipway.bot.operations.locking.store import LockStore
    from slipway.bot.operations.persistence.ended import EndedOperations
    from slipway.bot.operations.persistence.repository import OperationRepository
    from slipway.bot.operations.standing import StandingCards
    from slipway.bot.operations.step_up.service import StepUps
    from slipway.bot.operations.trail.sinks.model import SinkTrouble
    from slipway.bot.problems.store import ProblemStore

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """The parts of the running bot that commands may use.

    Attributes:
        locks: which operation works on what, and who waits for it.
        freezes: whether anything is frozen.
        ended: what ended in a period, for reports.
        step_ups: asks for single-use codes, and compares them.
        subjects: what each subject built of its declaration; see :meth:`get`.
        clouds_in_words: what is configured, for `!status`: ``azure gallery Fedora``.
        upcoming: each schedule's name and next tick, soonest first.
        backlog: what the bot could not say yet.
        problems: the list of what is wrong; :meth:`.ProblemStore.open_problems` reads it.
        replicas: how the replicas are; None where there can be only one process.
        problem_view: what cards of it are made with.
        audit_sinks: where entries of the audit trail go as they are written.
        audit_troubles: those of them that take nothing now.
    """

    current: CurrentSettings
    people: People
    operations: OperationRepository
    ended: EndedOperations
    approvals: ApprovalService
    locks: LockStore
    freezes: FreezeGate
    standing: StandingCards
    step_ups: StepUps
    cards: CardContext
    clock: Clock
    chats: Mapping[Platform, Chat]
    clouds: Clouds
    clouds_in_words: tuple[str, ...]
    subjects: SubjectServices
    started_at: datetime
    upcoming: Callable[[], tuple[tuple[str, datetime], ...]]
    backlog: Callable[[], Awaitable[Backlog]]
    problems: ProblemStore
    replicas: Callable[[], ReplicaFacts | None]
    problem_view: ProblemView
    audit_sinks: tuple[str, ...] = ()
    audit_troubles: Callable[[], tuple[SinkTrouble, ...]] = lambda: ()

    @property
    def settings(self) -> SlipwaySettings:
        """The configuration that counts now."""
        return self.current.settings

    def get(self, wanted: type[T]) -> T:
        """A subject's own services, by their type."""
        return self.subjects.get(wanted)
