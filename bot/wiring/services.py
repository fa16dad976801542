"""What commands work with, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from slipway.bot.chat.model import Chat, Platform
from slipway.bot.config.current import CurrentSettings
from slipway.bot.core.live import LiveMapping
from slipway.bot.core.waiting import Polling
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.approval_service import ApprovalService
from slipway.bot.operations.declarations import SubjectContext
from slipway.bot.operations.freezing.gate import FreezeGate
from slipway.bot.operations.freezing.words import FreezeWords
from slipway.bot.operations.locking.store import LockStore
from slipway.bot.operations.persistence.ended import EndedOperations
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.policies import Policies
from slipway.bot.operations.presentation.cards import CardContext
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.operations.services import Services
from slipway.bot.operations.standing import StandingCards
from slipway.bot.operations.step_up.service import StepUps
from slipway.bot.operations.step_up.store import StepUpStore
from slipway.bot.operations.trail.sinks.forwarder import AuditForwarder
from slipway.bot.people import People
from slipway.bot.problems.cards import ProblemView
from slipway.bot.problems.store import ProblemStore
from slipway.bot.subjects.freezes.services import FreezeServices
from slipway.bot.wiring.parts import Parts


def services_of(
    parts: Parts,
    people: People,
    chats: Mapping[Platform, Chat],
    coming: Callable[[], tuple[tuple[str, datetime], ...]],
    messages: MessageService,
    forwarder: AuditForwarder,
) -> Services:
    """What commands work with."""
    settings, declarations, current = parts.settings, parts.declarations, parts.current
    operations = OperationRepository(parts.database, declarations.registry, parts.meter)
    context = SubjectContext(
        settings,
        parts.clouds,
        operations,
        parts.database,
        people,
        parts.clock,
        Polling(sleep=parts.sleep),
        chat_tokens={
            chat.platform: partial(chat.token, settings.optional(chat.table), str(settings.state_dir))
            for chat in declarations.enabled_chats(settings)
            if chat.token is not None
        },
        uptime=parts.uptime,
        current=current,
    )
    subjects = SubjectServices.build(declarations.registry, context)
    freezes = FreezeGate(
        subjects.get(FreezeServices).store,
        settings.freeze,
        settings.freezes.go_on,
        declarations.registry,
        people,
        FreezeWords(people, settings.zone),
        parts.clock,
        emergencies_pass=settings.emergency.in_freeze,
    )
    return Services(
        current=current,
        people=people,
        operations=operations,
        ended=EndedOperations(parts.database, declarations.registry),
        approvals=ApprovalService(operations, people, parts.clock),
        locks=LockStore(parts.database, parts.clock),
        freezes=freezes,
        standing=StandingCards(parts.database, chats, messages),
        step_ups=StepUps(
            StepUpStore(parts.database),
            {each.id: each.totp_secret for each in settings.person if each.totp_secret is not None},
            settings.step_up,
            parts.clock,
        ),
        cards=CardContext(
            people,
            settings.commands.prefix,
            settings.zone,
            policies_of(current).mentioned,
            frozen=freezes.in_short,
        ),
        clock=parts.clock,
        chats=chats,
        clouds=parts.clouds,
        clouds_in_words=declarations.clouds_in_words(settings),
        subjects=subjects,
        started_at=parts.clock(),
        upcoming=coming,
        backlog=messages.backlog,
        problems=ProblemStore(parts.database),
        replicas=lambda: parts.membership.facts,
        problem_view=ProblemView(people, settings.commands.prefix, settings.zone, settings.problems.owner),
        audit_sinks=forwarder.names,
        audit_troubles=lambda: forwarder.troubles,
    )


def policies_of(current: CurrentSettings) -> Policies:
    """Who must agree, by the configuration that counts at each use."""
    return Policies(
        LiveMapping(lambda: current.settings.policy), LiveMapping(lambda: current.settings.environment)
    )
