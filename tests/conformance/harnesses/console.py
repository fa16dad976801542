"""The console for the suite: the real adapter in a script's mode, lines in through one pipe, JSON out of another."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from slipway.bot.chat.console.adapter import ConsoleChat
from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.inputs import PipedLines
from slipway.bot.chat.console.picture_files import PICTURE
from slipway.bot.chat.console.platform import CONSOLE, PICTURES
from slipway.bot.chat.console.rendering import JsonRenderer
from slipway.bot.chat.console.screen import BREAK, Screen
from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import Chat, Choice, Platform
from tests.conformance.harness import (
    Capability,
    MakeHarness,
    SendFault,
    SentMessage,
    VisibleMessage,
    VisiblePicture,
    Where,
)

_CHUNK = 1 << 16
_NO_PIPE = "a pipe takes what is written, or is gone with all who could read it"


class ConsoleHarness:
    """People who take turns at one keyboard, the bot's messages one JSON object a line."""

    platform: Platform = CONSOLE
    missing: Mapping[Capability, str] = {
        Capability.UNADDRESSED_TALK: "whatever is typed there is said to the bot",
        Capability.THREADS: "lines come one after the other; only the bot's answers stand in threads",
        Capability.MENTIONS: "nobody else listens, so nobody needs to be called",
        Capability.LASTING_BUTTONS: "buttons are numbered anew in every session; what can be typed stays",
        Capability.WITHDRAWAL: "what was entered was entered; `!cancel` and `!reject` undo it",
        Capability.EDITING: "what was entered was entered",
        Capability.OTHER_BOTS: "who types is whoever they say they are",
        Capability.REDELIVERY: "a line is read once",
        Capability.OFFLINE_MESSAGES: "without the program there is nothing to type into",
        Capability.OFFLINE_PRESSES: "without the program there is nothing to type into",
        Capability.SEND_FAULTS: _NO_PIPE,
        Capability.GONE_ROOMS: "it is there as long as the program is",
        Capability.OWN_CLOCK: "it runs on the bot's own machine",
        Capability.SIZE_LIMITS: "a line of output is as long as it has to be",
    }
    redelivers_at_start = False

    def __init__(self) -> None:
        self._sessions = itertools.count(1)
        self._lines = 0  # written in this session
        self._taken = 0  # read, and all quiet again
        self._quiet = asyncio.Condition()
        self._keyboard: TextIO | None = None
        self._output: TextIO | None = None
        self._screen_end = -1
        self._source = -1
        self._read = b""
        self._messages: dict[str, list[dict[str, Any]]] = {}

    async def open(self) -> None:
        """The pipes come with each session."""

    async def close(self) -> None:
        """They went with it."""

    def configuration(self) -> dict[str, Any]:
        return {"console": {"enabled": True}}

    def identity(self, who: str) -> str:
        return f"console:{who}"

    def make_chat(self, context: ChatContext[Any]) -> Chat:
        self._source, keys = os.pipe()
        self._screen_end, shown = os.pipe()
        os.set_blocking(self._screen_end, False)
        asyncio.get_running_loop().add_reader(self._screen_end, self._look)
        self._keyboard = os.fdopen(keys, "w", encoding="utf-8")
        self._output = os.fdopen(shown, "w", encoding="utf-8")
        self._lines = self._taken = 0

        async def quiet() -> None:
            await context.callbacks.idle()
            async with self._quiet:
                self._taken += 1
                self._quiet.notify_all()

        chat = ConsoleChat(
            source=PipedLines(self._source),
            screen=Screen(self._output, erase=BREAK),
            renderer=JsonRenderer(),
            board=Board(f"s{next(self._sessions)}", "console"),
            speaker="alice",
            clock=context.clock,
            quiet=quiet,
            settled=context.callbacks.idle,
        )
        chat.keep_pictures_in(Path(context.state_dir) / PICTURES)
        return chat

    async def ready(self) -> None:
        """A pipe keeps what is written until it is read."""

    async def stopped(self) -> None:
        assert self._keyboard is not None
        assert self._output is not None
        self._output.close()
        self._look()
        asyncio.get_running_loop().remove_reader(self._screen_end)
        self._keyboard.close()
        os.close(self._source)
        os.close(self._screen_end)

    async def settle(self) -> None:
        async with self._quiet:
            await self._quiet.wait_for(lambda: self._taken == self._lines)

    async def say(
        self, who: str, text: str, *, where: Where, thread: str | None, mention: bool
    ) -> SentMessage:
        assert not mention
        assert thread is None
        self._enter(f"@{who}: {text}")
        return SentMessage(str(self._lines), who)

    async def press(self, who: str, choice: Choice, card: VisibleMessage) -> None:
        states = reversed(self._messages[card.id])  # the newest that still had buttons
        offers = next(state["buttons"] for state in states if state["buttons"])
        (number,) = [offer["number"] for offer in offers if offer["choice"] == choice]
        self._enter(f"@{who}: {number}")

    async def press_shortcut(self, who: str, label: str, card: VisibleMessage) -> None:
        (number,) = [
            each["number"] for each in self._messages[card.id][-1]["shortcuts"] if each["label"] == label
        ]
        self._enter(f"@{who}: {number}")

    async def withdraw_press(self) -> None:
        raise NotImplementedError

    async def edit(self, said: SentMessage, text: str) -> None:
        raise NotImplementedError

    async def delete(self, said: SentMessage) -> None:
        raise NotImplementedError

    async def say_as_bots(self, text: str) -> None:
        raise NotImplementedError

    async def visible_messages(self, who: str, where: Where) -> list[VisibleMessage]:
        self._look()
        return [_visible(states) for states in self._messages.values()]

    async def redeliver(self) -> None:
        raise NotImplementedError

    def inject_fault(self, fault: SendFault, times: int = 1) -> None:
        raise NotImplementedError

    def set_away(self, away: bool) -> None:
        raise NotImplementedError

    async def set_room_gone(self, gone: bool) -> None:
        raise NotImplementedError

    async def files(self) -> list[str]:
        return []

    async def pictures(self) -> list[VisiblePicture]:
        """Files, by the paths that stand on the screen; what each shows, the message says."""
        self._look()
        return [
            VisiblePicture(_bytes(note.removeprefix(PICTURE)), _visible(states).text)
            for states in self._messages.values()
            for note in states[-1]["notes"]
            if note.startswith(PICTURE)
        ]

    async def private_files(self, who: str) -> list[str]:
        """They are shown on the screen, by a title of their own."""
        self._look()
        shown = [states[-1] for states in self._messages.values()]
        return [each["text"] for each in shown if "It may hold passwords." in each["title"]]

    def _enter(self, line: str) -> None:
        assert self._keyboard is not None
        self._lines += 1
        self._keyboard.write(f"{line}\n")
        self._keyboard.flush()

    def _look(self) -> None:
        """Take in what stands in the output's pipe by now."""
        try:
            while data := os.read(self._screen_end, _CHUNK):
                self._read += data
        except BlockingIOError:
            pass
        *lines, self._read = self._read.split(b"\n")
        for line in lines:
            message = json.loads(line)
            self._messages.setdefault(message["edits"] or message["id"], []).append(message)


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


def _visible(states: list[dict[str, Any]]) -> VisibleMessage:
    message = states[-1]
    parts = [message["title"], message["text"], *message["notes"]]
    parts += [f"{field['label']}: {field['value']}" for field in message["fields"]]
    for table in message["tables"]:
        parts += [table["title"], *("  ".join(row) for row in table["rows"])]
    return VisibleMessage(
        id=states[0]["edits"] or states[0]["id"],
        text="\n".join(parts),
        choices=frozenset(Choice(offer["choice"]) for offer in message["buttons"]),
        thread=message["thread"],
        edits=len(states) - 1,
        mentions=frozenset(message["mentions"]),
    )


HARNESSES: Mapping[str, MakeHarness] = {"console": lambda _request: ConsoleHarness()}
