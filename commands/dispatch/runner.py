"""Runs a command line: may they, what does it mean, and what comes of it. Says nothing itself, and starts nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from slipway.bot.chat.model import Assurance, Card, Tone
from slipway.bot.core.commands import Access, Command
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.cards import failure_card, operation_card, plan_card
from slipway.bot.operations.model import Failure, Operation, OperationState
from slipway.bot.operations.plan_service import Asked, AskedBefore, NothingToDo, PlanService
from slipway.bot.operations.services import Services
from slipway.bot.people import PersonKind
from slipway.commands.dispatch.cards import misuse_card, unknown_card, unknown_verb_card, user_error_card
from slipway.commands.dispatch.context import (
    Asker,
    CardReply,
    ChangeRequest,
    CommandContext,
    CommandResult,
    OperationUpdate,
)
from slipway.commands.dispatch.manual import help_command
from slipway.commands.dispatch.responses import Response
from slipway.commands.grammar.arguments import HelpWanted, Misuse, Parse, Parsed, parse
from slipway.commands.grammar.reading import Ignored, Line, Reading, Unknown, Unreadable
from slipway.commands.grammar.registry import Registry, Resolved, UnknownVerb


class CommandRunner:
    """Answers lines, whoever asks and wherever it is told."""

    def __init__(
        self,
        *,
        services: Services,
        registry: Registry[CommandResult],
        plans: PlanService,
        messages: MessageService,
    ) -> None:
        self._services = services
        self._registry = registry
        self._plans = plans
        self._messages = messages
        self._prefix = services.cards.prefix

    async def answer(self, reading: Reading, asker: Asker) -> Response:
        """Answer what somebody asked for."""
        response = Response.at(asker.place)
        match reading:
            case Ignored():
                return response
            case Unreadable(reason):
                return self._object(asker, UserError(reason, hint="help"))
            case Unknown():
                return response.telling(asker.identity.account, unknown_card(reading, self._prefix))
            case Line(name, args):
                match self._registry.resolve(name, args):
                    case Unknown() as unknown_name:
                        card = unknown_card(unknown_name, self._prefix)
                        return response.telling(asker.identity.account, card)
                    case UnknownVerb() as unknown:
                        card = unknown_verb_card(unknown, self._registry, self._prefix)
                        return response.telling(asker.identity.account, card)
                    case Resolved(command, rest):
                        return await self._command(command, rest, asker)

    def decides(self, reading: Reading) -> bool:
        """Whether a line speaks on an operation, whoever says it."""
        if not isinstance(reading, Line):
            return False
        found = self._registry.resolve(reading.name, reading.args)
        return isinstance(found, Resolved) and found.command.access is Access.DECIDE

    def _object(self, asker: Asker, error: UserError) -> Response:
        return Response.at(asker.place).telling(asker.identity.account, user_error_card(error, self._prefix))

    async def _command(self, command: Command[CommandResult], args: Sequence[str], asker: Asker) -> Response:
        parsed = parse(command, args, self._prefix)
        changes = may_change(command, parsed)
        people = self._services.people
        if command.access is not Access.OPEN and not people.may(asker.person, command.right, changes=changes):
            refusal = people.refusal(asker.person, asker.identity, command.right, changes=changes)
            hint = "whoami" if asker.person.kind is not PersonKind.SCHEDULE else None
            return self._object(asker, UserError(refusal, hint=hint))
        if asker.assurance is Assurance.REFUSED and command.access.needs_trust:
            return self._object(asker, UserError(asker.doubt))
        response = Response.at(asker.place)
        match parsed:
            case HelpWanted():
                return response.saying(help_command(command, self._prefix, self._registry.verbs_of(command)))
            case Misuse() as misuse:
                card = misuse_card(misuse, self._prefix, command.name)
                return response.telling(asker.identity.account, card)
            case Parsed(values):
                typed = (*command.name.split(" "), *args)
                answered = await self._carefully(command, asker, dict(values), typed, changes=changes)
                return answered.doubting(asker) if command.access.needs_trust else answered

    async def _carefully(
        self,
        command: Command[CommandResult],
        asker: Asker,
        values: dict[str, Any],
        typed: Sequence[str],
        *,
        changes: bool,
    ) -> Response:
        context = CommandContext(asker, self._services, self._registry)
        try:
            result = await command.handler(context, **values)
            if isinstance(result, ChangeRequest) and not changes:
                result = replace(result, dry_run=True)  # whatever the handler made of the option
            return await self._perform(result, asker)
        except UserError as error:
            return self._object(asker, error)
        except CloudError as error:
            failure = Failure.of(error, shlex.join(typed))
            title = f"{command.name} could not look at the cloud"
            return Response.at(asker.place).saying(failure_card(title, failure, self._services.cards))

    async def _perform(self, result: CommandResult, asker: Asker) -> Response:
        response = Response.at(asker.place)
        match result:
            case CardReply(card, nothing_to_do, about):
                if asker.quiet and nothing_to_do:
                    return response
                response = response.saying(card)
                return response if about is None else response.about(about, self._services.cards)
            case OperationUpdate(operation_id):
                return await self._updated(operation_id, asker)
            case ChangeRequest():
                return await self._change(result, asker)

    async def _change(self, change: ChangeRequest, asker: Asker) -> Response:
        response = Response.at(asker.place)
        cards = self._services.cards
        if change.dry_run:
            planned = await self._plans.plan(change.request, asker.person)
            if not isinstance(planned, NothingToDo):
                return response.saying(plan_card(planned, cards))
        else:
            asked = Asked(asker.person, asker.event_key, response.room, response.thread)
            proposed = await self._plans.propose(change.request, asked)
            if isinstance(proposed, AskedBefore):
                return self._again(proposed.operation, asker)
            if not isinstance(proposed, NothingToDo):
                return response.model_copy(
                    update={
                        "card": operation_card(proposed, cards),
                        "operation_id": proposed.id,
                        "start": proposed.state is OperationState.APPROVED,
                    }
                )
            planned = proposed
        if asker.quiet:
            return response
        return response.saying(Card(tone=Tone.DONE, title="Nothing to do", text=planned.summary))

    def _again(self, first: Operation, asker: Asker) -> Response:
        """Show what would change the same already; a schedule says it, so that its proposals do not pile up."""
        response, cards = Response.at(asker.place), self._services.cards
        waits = first.state is OperationState.PROPOSED
        if asker.person.kind is PersonKind.SCHEDULE:
            how = "proposes the same already, and waits for approval" if waits else "does the same already"
            return response.saying(Card(tone=Tone.DONE, title="Nothing to do", text=f"{first.id} {how}."))
        card = operation_card(first, cards)
        note = f"The same was asked for before, by {cards.name(first.requester)}: nothing new was proposed."
        shown = response.saying(card.model_copy(update={"notes": (note, *card.notes), "mentions": ()}))
        return shown.about(first, cards)

    async def _updated(self, operation_id: str, asker: Asker) -> Response:
        """Show the operation where its card stands; elsewhere, whoever asks gets a card of it as well."""
        operation = await self._services.operations.get(operation_id)
        response = Response.at(asker.place)
        elsewhere = (
            response.room is not None and await self._messages.card_of(operation_id, response.room) is None
        )
        return response.model_copy(
            update={
                "card": operation_card(operation, self._services.cards) if elsewhere else None,
                "operation_id": operation_id,
                "start": operation.state is OperationState.APPROVED,
            }
        )


def may_change(command: Command[Any], parsed: Parse) -> bool:
    """Whether a line, once carried out, could change something, and so needs more than ``read``.

    A dry run does not, and neither does what is only answered with the command's help or usage. It is told by what
    the handler is given, never by the words: ``--dry-run`` may be another option's value.
    """
    return command.changes and isinstance(parsed, Parsed) and parsed.values["dry_run"] is not True
