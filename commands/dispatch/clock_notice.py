"""What is said where the bot's clock is wrong: whoever is not heard for it is told so, instead of finding silence."""

from __future__ import annotations

from datetime import timedelta

from slipway.bot.chat.clocks import clock_problem, is_fresh
from slipway.bot.chat.model import ButtonEvent, MessageEvent, Platform
from slipway.bot.operations.services import Services


class ClockNotice:
    """Tells an old event from one that only looks old by the bot's clock.

    Args:
        services: the bot's clock, and the platforms', as far as their adapters know them.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._told: dict[Platform, set[str]] = {}  # ids of persons, until the clock is seen right

    def look(self, platform: Platform) -> None:
        """Look whether a platform's newest answer has the bot's clock right: who finds it wrong later is told anew.

        That something came which is not too old says less: a clock may be wrong by less than that age, and what is
        pressed bears no time of its own on some platforms.
        """
        ahead = self._ahead(platform)
        if ahead is not None and not clock_problem(platform, ahead):
            self._told.pop(platform, None)

    def only_looks_old(self, event: MessageEvent | ButtonEvent) -> bool:
        """Whether an event that is too old by the bot's clock is not, by that of its platform."""
        ahead = self._ahead(event.room.platform)
        return is_fresh(
            event.sent_at, self._services.clock(), ahead, self._services.settings.commands.max_age
        )

    def refusal(self, event: MessageEvent | ButtonEvent, *, decides: bool) -> str:
        """What to say to whoever sent an event that is too old by the bot's clock; empty: nothing.

        Said to people who are known, once to each, and whenever they decide on an operation: they would take it for
        decided. To act on it would be to trust a clock by which nothing else, such as the end of an image's life, can
        be decided.
        """
        platform = event.room.platform
        person = self._services.people.by_account(platform, event.sender)
        if person is None or not self.only_looks_old(event):
            return ""
        told = self._told.setdefault(platform, set())
        if person.id in told and not decides:
            return ""
        told.add(person.id)
        problem = clock_problem(platform, self._ahead(platform))
        undecided = " This does not count." if decides else ""
        return (
            f"{problem} That is up to whoever runs Slipway; until then nothing that is said here is acted on."
            f"{undecided}"
        )

    def _ahead(self, platform: Platform) -> timedelta | None:
        return self._services.chats[platform].health().clock_ahead
