"""Codes that a platform's own window asks for. Fulfils :class:`slipway.bot.chat.declaration.Codes`."""

from __future__ import annotations

from collections.abc import Callable

from slipway.bot.chat.model import ButtonEvent
from slipway.bot.core.totp import code_in
from slipway.bot.operations.services import Services
from slipway.commands.dispatch.codes.cards import agreed_sentence, outcome_sentence
from slipway.commands.dispatch.events import event_key


class WindowCodes:
    """Asks and compares for windows.

    Args:
        services: the running bot's, once there is one.
    """

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    async def needed(self, event: ButtonEvent) -> str | None:
        """What whoever presses agrees to, where it takes a code that they can give."""
        services = self._services()
        person = services.people.by_account(event.room.platform, event.sender)
        if person is None or event.operation_id is None or not services.step_ups.has_secret(person.id):
            return None
        operation = await services.approvals.needs_code(event.operation_id, person, event.digest_prefix or "")
        if operation is None:
            return None
        await services.step_ups.ask(person.id, operation)
        return agreed_sentence(operation)

    async def give(self, event: ButtonEvent, typed: str) -> str:
        """Why a code does not count; empty where it does."""
        services = self._services()
        person = services.people.by_account(event.room.platform, event.sender)
        if person is None or event.operation_id is None:
            return "I do not know you."
        code = code_in(typed)
        if code is None:
            return "A code has six digits."
        key = event_key(event, event.event_id)
        heard = await services.step_ups.hear(key, person.id, code, event.operation_id)
        if heard.right and heard.digest.startswith(event.digest_prefix or ""):
            return ""
        return outcome_sentence(heard, person.zone, person.id)
