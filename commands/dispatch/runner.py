"""Runs a command line: may they, what does it mean, and what comes of it. Says nothing itself, and starts nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from slipway.bot.chat.model import Address, Assurance, Audience, Card, Tone
from slipway.bot.core.commands import Access, Command
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.measuring.meter import OTHER, UNMETERED, Meter
from slipway.bot.core.measuring.metrics import LINE_SECONDS, LINES, LineOutcome
from slipway.bot.core.text import as_typed
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.decisions import CodeNeededError
from slipway.bot.operations.freezing.gate import FrozenError
from slipway.bot.operations.model import Failure, Operation, OperationState
from slipway.bot.operations.plan_service import Asked, AskedBefore, NothingToDo, PlanService
from slipway.bot.operations.presentation.cards import failure_card, operation_card, plan_card, silent
from slipway.bot.operations.presentation.plan_words import in_full, plan_follows
from slipway.bot.operations.services import Services
from slipway.bot.people import Person, PersonKind
from slipway.commands.dispatch.cards import misuse_card, unknown_card, unknown_verb_card, user_error_card
from slipway.commands.dispatch.codes.asking import CodeAsker
from slipway.commands.dispatch.context import (
    Asker,
    CardReply,
    ChangeRequest,
    CommandContext,
    CommandResult,
    LineReply,
    MisuseError,
    OperationUpdate,
)
from slipway.commands.dispatch.emergencies import split_emergency
from slipway.commands.dispatch.hints import is_guarded, may_use, not_for, why_not
from slipway.commands.dispatch.manual import help_command
from slipway.commands.dispatch.responses import Response
from slipway.commands.dispatch.suggestions import whole_lines
from slipway.commands.grammar.arguments import HelpWanted, Misuse, Parsed, parse
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
        meter: Meter = UNMETERED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._meter = meter
        self._monotonic = monotonic
        self._services = services
        self._registry = registry
        self._plans = plans
        self._messages = messages
        self._codes = CodeAsker(services, messages)
        self._prefix = services.cards.prefix

    async def answer(self, reading: Reading, asker: Asker) -> Response:
        """Answer what somebody asked for; what nobody else saw them ask is answered to them alone, if it may be."""
        began, outcome = self._monotonic(), LineOutcome.FAILED
        try:
            response = await self._answer(reading, asker)
            outcome = _outcome(response)
        finally:
            command = self._command_of(reading)
            name = OTHER if command is None else command.name
            self._meter.count(LINES, name, outcome)
            self._meter.observe(LINE_SECONDS, self._monotonic() - began, name)
        return response.for_audience(asker)

    async def _answer(self, reading: Reading, asker: Asker) -> Response:
        response = Response.at(asker.place)
        match reading:
            case Ignored():
                return response
            case Unreadable(reason):
                return self._object(asker, UserError(reason, hint=reading.hint))
            case Unknown():
                return response.telling(
                    asker.identity.account, self._unknown(reading, asker.person)
                ).failing()
            case Line(name, args):
                match self._registry.resolve(name, args):
                    case Unknown() as unknown_name:
                        card = self._unknown(unknown_name, asker.person)
                        return response.telling(asker.identity.account, card).failing()
                    case UnknownVerb() as unknown:
                        card = self._unknown_verb(unknown, asker.person)
                        return response.telling(asker.identity.account, card).failing()
                    case Resolved(command, rest):
                        return await self._command(command, rest, asker)

    def _unknown(self, unknown: Unknown, person: Person) -> Card:
        """What is no command, with those that may have been meant and that they may use; else, who may."""
        people, near = self._services.people, []
        forbidden = ""
        for name in unknown.nearest:
            command = self._registry.find(name.split(" "))
            if command is None or may_use(person, command, people):
                near.append(name)
            else:
                forbidden = forbidden or not_for(person, command, people)
        return unknown_card(replace(unknown, nearest=tuple(near)), self._registry, self._prefix, forbidden)

    def _unknown_verb(self, unknown: UnknownVerb, person: Person) -> Card:
        """What a noun does not do, with what it does that they may use; else, who may."""
        people = self._services.people
        found = [
            command
            for verb in unknown.verbs
            if (command := self._registry.find((unknown.noun, verb))) is not None
        ]
        allowed = [command for command in found if may_use(person, command, people)]
        forbidden = not_for(person, found[0], people) if found and not allowed else ""
        return unknown_verb_card(unknown, allowed, self._prefix, forbidden)

    def read(self, text: str, address: Address) -> Reading:
        """What a line says."""
        return self._registry.read(text, address, self._prefix)

    def decides(self, reading: Reading) -> bool:
        """Whether a line speaks on an operation, whoever says it."""
        command = self._command_of(reading)
        return command is not None and command.access is Access.DECIDE

    def only_reads(self, reading: Reading) -> bool:
        """Whether answering a line changes nothing and decides nothing, so that it may be answered again."""
        match reading:
            case Unknown() | Unreadable():
                return True
            case Line(name, args):
                match self._registry.resolve(name, args):
                    case Resolved(command, rest):
                        decides = command.access is Access.DECIDE
                        return not decides and not is_guarded(command, parse(command, rest, ""))
                    case _:
                        return True
            case _:
                return False

    def asks_of_bot(self, reading: Reading) -> bool:
        """Whether a line asks how the bot itself is, whoever says it."""
        command = self._command_of(reading)
        return command is not None and command.of_bot

    def _command_of(self, reading: Reading) -> Command[CommandResult] | None:
        if not isinstance(reading, Line):
            return None
        found = self._registry.resolve(reading.name, reading.args)
        return found.command if isinstance(found, Resolved) else None

    def _object(self, asker: Asker, error: UserError, lines: tuple[str, ...] = ()) -> Response:
        card = self.objection(error, asker.person, lines)
        return Response.at(asker.place).telling(asker.identity.account, card).failing()

    def objection(self, error: UserError, person: Person, lines: tuple[str, ...] = ()) -> Card:
        """The card for a request that cannot be met as asked; of a command that they may not use it says who may.

        ``lines`` can be typed instead, where it is known.
        """
        people = self._services.people
        instead = why_not(person, error.hint, self._registry, people) if error.hint else None
        return user_error_card(error, self._prefix, instead=instead, lines=lines)

    async def _command(self, command: Command[CommandResult], args: Sequence[str], asker: Asker) -> Response:
        if command.changes:
            try:
                args, emergency = split_emergency(args, command)
            except MisuseError as error:
                return self._object(asker, error)
            asker = replace(asker, emergency=emergency)
        parsed = parse(command, args, self._prefix)
        if asker.dry_run and command.changes and isinstance(parsed, Parsed):
            parsed = Parsed({**parsed.values, "dry_run": True})  # which every change takes
        guarded = is_guarded(command, parsed)
        changes = guarded and command.changes
        people = self._services.people
        if command.access is not Access.OPEN and not people.may(asker.person, command.right, changes=guarded):
            refusal = people.refusal(asker.person, asker.identity, command.right, changes=guarded)
            by_itself = asker.person.automatic
            if changes and not by_itself and people.may(asker.person, command.right, changes=False):
                refusal += f" With `--dry-run` you may see what `{command.name}` would do."
            hint = None if by_itself else "whoami"
            return self._object(asker, UserError(refusal, hint=hint))
        if sentence := _why_not_so(command, asker):
            return self._object(asker, UserError(sentence))
        response = Response.at(asker.place)
        match parsed:
            case HelpWanted():
                return response.saying(help_command(command, self._prefix, self._registry.verbs_of(command)))
            case Misuse() as misuse:
                card = misuse_card(misuse, self._prefix, command.name)
                return response.telling(asker.identity.account, card).failing()
            case Parsed(values):
                answered = await self._carefully(command, asker, dict(values), args, changes=changes)
                return answered.doubting(asker) if command.access.needs_trust else answered

    async def _carefully(
        self,
        command: Command[CommandResult],
        asker: Asker,
        values: dict[str, Any],
        args: Sequence[str],
        *,
        changes: bool,
    ) -> Response:
        context = CommandContext(asker, self._services, self._registry)
        try:
            result = await command.handler(context, **values)
            if isinstance(result, ChangeRequest) and not changes:
                result = replace(result, dry_run=True)  # whatever the handler made of the option
            return await self._perform(result, asker)
        except FrozenError as error:
            if asker.person.automatic:  # the room knows of the freeze, and hears no more of it at each tick
                return Response.at(asker.place).leaving_out(error.sentence)
            return self._object(asker, error)
        except CodeNeededError as error:
            return await self._ask_for_code(error, asker)
        except UserError as error:
            return self._object(asker, error, whole_lines(error, command, args))
        except CloudError as error:
            failure = Failure.of(error, as_typed((*command.name.split(" "), *args)))
            title = f"{command.name} could not look at the cloud"
            card = failure_card(title, failure, self._services.cards)
            return Response.at(asker.place).saying(card).failing()

    async def _ask_for_code(self, error: CodeNeededError, asker: Asker) -> Response:
        """Ask whoever approves for a code; what comes from no chat can give none."""
        if asker.place is None:
            return self._object(asker, error)
        alone, account = asker.audience is Audience.SENDER, asker.identity.account
        try:
            return await self._codes.ask(
                error, asker.person, account, asker.place, asker.event_key, alone=alone
            )
        except UserError as refused:
            return self._object(asker, refused)

    async def _perform(self, result: CommandResult, asker: Asker) -> Response:
        response = Response.at(asker.place)
        match result:
            case CardReply(card, nothing_to_do, about, shown_by, details):
                if asker.quiet and nothing_to_do:
                    return response
                response = response.saying(card).followed_by(shown_by).detailed(details)
                return response if about is None else response.about(about, self._services.cards)
            case LineReply(line, dry_run, answered):
                reading = self.read(line, Address.DIRECT)
                said = await self._answer(reading, replace(asker, dry_run=asker.dry_run or dry_run))
                await answered(said)
                return said
            case OperationUpdate(operation_id):
                return await self._updated(operation_id, asker)
            case ChangeRequest():
                return await self._change(result, asker)

    async def _change(self, change: ChangeRequest, asker: Asker) -> Response:
        response = Response.at(asker.place)
        cards = self._services.cards
        if change.dry_run:
            planned = await self._plans.plan(change.request, asker.person, asker.emergency)
            if not isinstance(planned, NothingToDo):
                people, line = self._services.people, planned.command
                instead = why_not(asker.person, line, self._registry, people)
                return response.saying(plan_card(planned, cards, instead=instead))
        else:
            shown = response if asker.place is not None else Response(room=asker.shown_in)
            asked = Asked(
                asker.person, asker.event_key, shown.room, shown.thread, asker.doubt, asker.emergency
            )
            proposed = await self._plans.propose(change.request, asked)
            if isinstance(proposed, AskedBefore):
                return self._again(proposed.operation, asker)
            if not isinstance(proposed, NothingToDo):
                return shown.model_copy(
                    update={
                        "card": operation_card(proposed, cards),
                        "operation_id": proposed.id,
                        "start": proposed.state is OperationState.APPROVED,
                        "alarm": bool(asker.emergency),
                        "whole_plan": proposed.state is OperationState.PROPOSED
                        and plan_follows(proposed.plan),
                    }
                )
            planned = proposed
        if asker.quiet:
            return response
        card = Card(tone=Tone.DONE, title="Nothing to do", text=planned.summary)
        whole = in_full(planned.warnings)
        details = (Card(title="Why there is nothing to do, in full", tables=whole),) if whole else ()
        return response.saying(card).detailed(details)

    def _again(self, first: Operation, asker: Asker) -> Response:
        """Show what would change the same already; a schedule says it, so that its proposals do not pile up."""
        response, cards = Response.at(asker.place), self._services.cards
        waits = first.state is OperationState.PROPOSED
        if asker.person.kind is PersonKind.SERVICE:  # it asks each minute, and the first one has its card
            return response
        if asker.person.automatic:
            how = "proposes the same already, and waits for approval" if waits else "does the same already"
            return response.saying(Card(tone=Tone.DONE, title="Nothing to do", text=f"{first.id} {how}."))
        card = operation_card(first, cards)
        note = f"The same was asked for before, by {cards.name(first.requester)}: nothing new was proposed."
        shown = response.saying(silent(card).model_copy(update={"notes": (note, *card.notes)}))
        return shown.about(first, cards)

    async def _updated(self, operation_id: str, asker: Asker) -> Response:
        """Show the operation where its card stands; elsewhere, whoever asks gets a card of it as well."""
        operation = await self._services.operations.get(operation_id)
        response = Response.at(asker.place)
        elsewhere = response.room is not None and not await self._messages.shows(
            operation_id, response.room, asker.event_key
        )
        return response.model_copy(
            update={
                "card": silent(operation_card(operation, self._services.cards)) if elsewhere else None,
                "operation_id": operation_id,
                "start": operation.state is OperationState.APPROVED,
                "alarm": bool(operation.plan.policy.emergency),
            }
        )


def _why_not_so(command: Command[CommandResult], asker: Asker) -> str:
    """Why a command is not carried out in the way in which it came, as a sentence; empty where it is."""
    if asker.assurance is Assurance.REFUSED and command.access.needs_trust:
        return asker.doubt
    if command.access is Access.DECIDE and not asker.decides:
        return f"Nobody may {command.name} from here: that is said in a room, where the card is seen."
    if command.people_only and not asker.person.human:
        return command.people_only
    if asker.emergency and (asker.doubt or not asker.person.human):
        sentence = "An emergency is declared by a person, in a way that leaves no doubt who they are."
        return f"{sentence} {asker.doubt}".rstrip()
    return ""


def _outcome(response: Response) -> LineOutcome:
    if response.failed:
        return LineOutcome.OBJECTED
    return LineOutcome.ANSWERED if response.operation_id is None else LineOutcome.PROPOSED
