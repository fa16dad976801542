"""The console: lines into a pipe, JSON out of another, and both gone with the process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from slipway.bot.chat.model import Choice
from tests.reliability.bot import Bot
from tests.reliability.deeds import Trouble
from tests.reliability.messages import Seen, console_text
from tests.reliability.rooms.room import Said


class ConsoleRoom:
    """Whoever speaks types ``@who: ``. What can go wrong is that nobody reads what the bot says."""

    name = "console"

    def __init__(self) -> None:
        self.bot: Bot
        self._looking = asyncio.Event()
        self._looking.set()

    async def open(self) -> None:
        """The pipes come with the process."""

    async def close(self) -> None:
        """They went with it."""

    def configuration(self, replica: int = 1) -> Mapping[str, Any]:
        return {"console": {"enabled": True, "speaker": "alice"}}

    def account(self, who: str) -> str:
        return f"console:{who}"

    async def topic(self, who: str, text: str) -> str | None:
        return None

    async def say(self, who: str, text: str, thread: str | None) -> Said | None:
        life = self.bot.say(f"@{who}: {text}")
        if life is None:
            return None
        return Said(f"line-{time.monotonic()}", time.time(), life=life.turn)

    async def press(self, who: str, choice: Choice, message: Seen) -> Said | None:
        number = message.numbers.get(choice)
        leading = self.bot.leading
        if number is None or leading is None or message.life != leading.turn:
            return None
        return await self.say(who, str(number), None)

    async def take_back(self, said: Said) -> bool:
        return False

    async def again(self, pick: float) -> bool:
        return False

    def seen(self) -> list[Seen]:
        found: dict[str, Seen] = {}
        for life in sorted(self.bot.lives, key=lambda each: each.turn):
            for at, line in tuple(life.lines):
                first = found.get(line["edits"] or line["id"])
                buttons = {Choice(each["choice"]): int(each["number"]) for each in line["buttons"]}
                found[line["edits"] or line["id"]] = Seen(
                    chat=self.name,
                    id=line["edits"] or line["id"],
                    at=first.at if first else at,
                    text=console_text(line),
                    thread=line["thread"],
                    choices=frozenset(buttons),
                    numbers=buttons,
                    edits=0 if first is None else first.edits + 1,
                    life=life.turn,
                )
        return list(found.values())

    def trouble(self, trouble: Trouble, place: float, times: int, seconds: float) -> bool:
        """Whoever looks at it looks away for some seconds; the pipe is soon full."""
        transport = self.bot.leading.output if self.bot.leading is not None else None
        if transport is None or transport.is_closing() or not self._looking.is_set():
            return False
        transport.pause_reading()
        self._looking.clear()

        def look() -> None:
            self._looking.set()
            if not transport.is_closing():
                transport.resume_reading()

        asyncio.get_running_loop().call_later(seconds, look)
        return True

    def set_away(self, away: bool) -> None:
        """Nobody takes a console away."""

    async def calm(self) -> None:
        await self._looking.wait()
