"""Step-up: asking somebody for a code, and hearing what they say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import structlog
from pydantic import SecretStr

from slipway.bot.config.settings import StepUpSettings
from slipway.bot.core.times import Clock
from slipway.bot.core.totp import codes_within, matching_step
from slipway.bot.operations.model import Operation
from slipway.bot.operations.step_up.model import CodeOutcome, CodeRequest, Heard
from slipway.bot.operations.step_up.store import Locked, StepUpStore

KEEP = timedelta(days=90)
"""How long it is remembered what became of a code: longer than any platform gives an event twice."""

SEEN_WINDOW = 10
"""How many time steps around now a code that others saw is used up: also one that only a wrong clock would take."""

_MOST_COMPARED = 8  # codes of one message that others saw

log = structlog.get_logger(__name__)


class StepUps:
    """Asks for codes, and compares them. No code leaves it: neither to the store nor to a log.

    Args:
        store: keeps what was asked and heard.
        secrets: what each person shares with their authenticator app, by their id.
        settings: ``[step_up]``.
        clock: the time.
    """

    def __init__(
        self, store: StepUpStore, secrets: Mapping[str, SecretStr], settings: StepUpSettings, clock: Clock
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._settings = settings
        self._clock = clock

    @property
    def in_use(self) -> bool:
        """Whether anybody here can give a code."""
        return bool(self._secrets)

    def has_secret(self, person: str) -> bool:
        """Whether somebody can give a code at all."""
        return person in self._secrets

    async def ask(self, person: str, operation: Operation, reason: str = "") -> CodeRequest:
        """Note that somebody who pressed is asked for a code; a request of before for the same counts no more."""
        now = self._clock()
        until = min(now + self._settings.open_for, operation.expires_at)
        request = CodeRequest(person, operation.id, operation.digest, reason, now, until)
        await self._store.ask(request)
        return request

    async def requests(self, person: str) -> tuple[CodeRequest, ...]:
        """What somebody is asked for now, the newest last."""
        return await self._store.open_requests(person, self._clock())

    async def hear(self, event_key: str, person: str, code: str, operation_id: str | None = None) -> Heard:
        """What becomes of a code that somebody gives where nobody else sees it; one event counts once.

        Args:
            event_key: names the event that brought it.
            person: who gives it.
            code: six digits.
            operation_id: which operation they name with it; None for the only one that they are asked for.
        """
        secret = self._secrets.get(person)
        if secret is None:
            return Heard(CodeOutcome.NO_SECRET)
        now = self._clock()
        heard = await self._store.hear(
            event_key,
            person,
            operation_id,
            lambda: matching_step(secret, code, now, self._settings.window),
            now,
        )
        log.info("a code was heard", person=person, outcome=heard.outcome.value, operation=heard.operation_id)
        return heard

    async def burn(self, event_key: str, person: str, text: str) -> bool:
        """Use up every code in a text that others could see; whether there was one."""
        secret = self._secrets.get(person)
        if secret is None:
            return False
        codes, now = list(codes_within(text))[:_MOST_COMPARED], self._clock()
        if not codes:
            return False

        def newest() -> int | None:
            steps = (matching_step(secret, code, now, SEEN_WINDOW) for code in codes)
            return max((step for step in steps if step is not None), default=None)

        seen = await self._store.burn(event_key, person, newest, now)
        if seen:
            log.warning("a code was said where others could see it, and is used up", person=person)
        return seen

    async def locked(self) -> tuple[Locked, ...]:
        """Who is locked out now."""
        return await self._store.locked(self._clock())

    async def prune(self) -> None:
        """Forget what is long over."""
        now = self._clock()
        await self._store.forget(now - KEEP, now)
