"""The console as a chat: lines in, cards out. Several persons can speak there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from pathlib import Path

from slipway.bot.chat.console.board import Board, operation_named
from slipway.bot.chat.console.editor import LONGEST, TooLong
from slipway.bot.chat.console.inputs import Input, Line, Narration
from slipway.bot.chat.console.lines import (
    Code,
    Comment,
    Meaning,
    Nothing,
    Pressed,
    Speech,
    Unclear,
    no_such_button,
    read_line,
)
from slipway.bot.chat.console.picture_files import PictureFiles
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.console.rendering import Renderer, is_awaited
from slipway.bot.chat.console.screen import Screen
from slipway.bot.chat.console.typed import TypedLines
from slipway.bot.chat.declaration import KeyValueStore
from slipway.bot.chat.model import (
    Accept,
    Address,
    Button,
    ButtonEvent,
    Card,
    CardOutcome,
    ChatHealth,
    Consequence,
    MessageEvent,
    Platform,
    PrivateFile,
    Room,
    Shortcut,
    Table,
    Tone,
)
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock

Settled = Callable[[], Awaitable[None]]
"""Returns once nothing that was said is still being worked on."""

_CODE_SHOWN = "a code"
"""What is shown of a single-use code where a line is shown again."""

_BUTTONS = "buttons"
"""Under which name the platform's memory holds them."""

_LEAVING = ("exit", "quit")

PATIENCE = 0.5
"""Seconds that leaving may take before the console says what it waits for."""

FINISHING = Card(title="Finishing what is running. Ctrl-C leaves at once.")
"""What it says then."""

COMMENT = Card(title="A line that begins with `#` is a comment: nobody hears it.")
"""What it says to the first such line that a person types; scripts have them."""


class ConsoleChat:
    """Events in and cards out on a pair of streams. Fulfils :class:`slipway.bot.chat.model.Chat`.

    Args:
        source: where lines come from.
        screen: where messages go.
        renderer: how they look.
        board: what stands there; its session makes ids unique over restarts, its room is the only room.
        speaker: who says a line that names nobody else.
        clock: the time of events.
        quiet: awaited after each line of a script: no event is being handled, no operation does
            anything but wait for hours.
        settled: awaited once the input has ended: all that was asked is settled.
    """

    def __init__(
        self,
        *,
        source: Input,
        screen: Screen,
        renderer: Renderer,
        board: Board,
        speaker: str,
        clock: Clock,
        quiet: Settled,
        settled: Settled,
    ) -> None:
        self._source = source
        self._screen = screen
        self._renderer = renderer
        self._board = board
        self._speaker = speaker
        self._clock = clock
        self._quiet = quiet
        self._settled = settled
        self._sent: dict[str, str] = {}
        self._edited: set[str] = set()
        self._shown_files: set[str] = set()
        self._awaited: dict[str, str] = {}  # lines that an answer takes away again, by their messages
        self._typed = TypedLines()
        self._told_of_comments = False
        self._last_contact: datetime | None = None
        self._store: KeyValueStore | None = None
        self._pictures: PictureFiles | None = None
        self.outcomes: set[CardOutcome] = set()
        """What became of all that was asked for, for a script's exit status."""

    @property
    def platform(self) -> Platform:
        """The console."""
        return CONSOLE

    @property
    def edit_interval(self) -> timedelta:
        """A second where a person watches, so that lines do not rush by; a script gets every edit."""
        return timedelta(seconds=1 if self._source.live else 0)

    def health(self) -> ChatHealth:
        """Connected as long as somebody can read the output."""
        connected = not self._screen.gone.is_set()
        age = self._clock() - self._last_contact if self._last_contact else None
        detail = "The console is open." if connected else "The console's output is closed."
        return ChatHealth(connected=connected, last_heard_from=age, detail=detail)

    def remember_in(self, store: KeyValueStore) -> None:
        """Keep the numbers of buttons there, so that they press what they pressed before a restart, too."""
        self._store = store

    def keep_pictures_in(self, folder: Path) -> None:
        """Write the pictures of cards there; without a folder, cards are shown without theirs."""
        self._pictures = PictureFiles(folder)

    @property
    def offers_shortcuts(self) -> bool:
        """By numbers, as buttons."""
        return True

    async def prepare(self) -> None:
        """Know the buttons of before."""
        kept = await self._store.load(_BUTTONS) if self._store is not None else None
        if kept is not None:
            self._board.restore(kept)

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def run(self, accept: Accept) -> None:
        """Read lines until the input ends or nobody reads the output, then wait until all is settled."""
        with suppress(ChatError):
            await self._show_buttons_of_before()
        listening = asyncio.create_task(self._listen(accept))
        gone = asyncio.create_task(self._screen.gone.wait())
        try:
            await asyncio.wait({listening, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            ended = listening.done()
            listening.cancel()
            outcomes = await asyncio.gather(listening, gone, return_exceptions=True)
        if ended and isinstance(outcomes[0], BaseException) and not self._hung_up(outcomes[0]):
            raise outcomes[0]
        try:
            await self._finish()
        except ChatError as error:
            if not self._hung_up(error):
                raise

    async def greet(self, card: Card) -> None:
        """Show the first message of a session.

        Raises:
            ChatError: nobody can read the output any more.
        """
        await self._show(card)

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Show a card once for a key, and return the message's id.

        Raises:
            ChatError: another room than the console's, or nobody can read the output any more.
        """
        self._check(room)
        self.outcomes.add(card.outcome)
        if known := self._sent.get(key):
            return known
        card = await self._with_paths_of_pictures(card)
        answered = self._typed.sent(card.answers, waits=is_awaited(card)) if self._source.live else ""
        posted = self._board.post(card, thread=thread, answered=answered)
        if is_awaited(card):
            self._typed.awaited(posted.id, card.answers)
        self._sent[key] = posted.id
        await self._keep_buttons()
        block = self._renderer.message(posted)
        if block is not None and "\n" not in block and self._screen.has_status and is_awaited(card):
            self._awaited[posted.id] = block
            await self._screen.status(block)
        else:
            await self._write(block)
        return posted.id

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Show what a message says now: in one line while work is under way, else as a whole.

        Raises:
            ChatError: another room than the console's, or nobody can read the output any more.
        """
        self._check(room)
        self.outcomes.add(card.outcome)
        if key in self._edited:
            return
        self._edited.add(key)
        card = await self._with_paths_of_pictures(card)
        answered = self._typed.edited(message_id) if self._source.live else ""
        posted = self._board.post(card, thread=thread, edits=message_id, answered=answered)
        await self._keep_buttons()
        if self._awaited.pop(message_id, None) is not None:
            await self._screen.status(next(iter(self._awaited.values()), ""))
        await self._write(self._renderer.message(posted))

    async def send_private_file(self, account: str, file: PrivateFile, *, key: str) -> None:
        """Show it on the screen: whoever typed the line that asks for it reads that, and nobody else.

        Raises:
            ChatError: nobody can read the output any more.
        """
        if key not in self._shown_files:
            await self._show(Card(title=file.title, text=file.text))
            self._shown_files.add(key)

    async def _with_paths_of_pictures(self, card: Card) -> Card:
        return await self._pictures.named(card) if card.pictures and self._pictures is not None else card

    async def _keep_buttons(self) -> None:
        if self._store is not None and (buttons := self._board.changed_buttons()) is not None:
            await self._store.save(_BUTTONS, buttons)

    async def _show_buttons_of_before(self) -> None:
        rows = tuple(
            (f"[{offer.number}]", offer.button.label, operation_named(offer))
            for number in self._board.numbers
            if (offer := self._board.offer(number)) is not None
        )
        if rows:
            table = Table(columns=("Button", "", "Operation"), rows=rows)
            await self._show(Card(title="Buttons that stand from before", tables=(table,)))

    async def _listen(self, accept: Accept) -> None:
        async with aclosing(self._source.lines()) as lines:
            async for line in lines:
                if not isinstance(line, Narration | TooLong) and line.text.strip() in _LEAVING:
                    return
                await self._take(line, accept)
                if not self._source.live or self._source.pasted:
                    await self._quiet()

    async def _take(self, line: Line, accept: Accept) -> None:
        if isinstance(line, Narration):
            await self._write(self._renderer.narration(line.text))
        elif isinstance(line, TooLong):
            await self._object(f"A line of more than {LONGEST:,} characters is not read; say it shorter.")
        else:
            await self._answer(read_line(line.text, self._speaker), accept)

    async def _answer(self, meaning: Meaning, accept: Accept) -> None:
        match meaning:
            case Nothing():
                return
            case Comment():
                if self._source.live and not self._told_of_comments:
                    self._told_of_comments = True
                    await self._show(COMMENT)
            case Unclear(sentence):
                await self._object(sentence)
            case Speech(speaker, text):
                await self._echo(speaker, text)
                await accept(self._said(speaker, text))
            case Code(speaker, text):
                await self._echo(speaker, _CODE_SHOWN)
                await accept(self._said(speaker, text, shown=_CODE_SHOWN))
            case Pressed(speaker, number, shown, reason):
                await self._echo(speaker, f"{shown} {reason}".strip())
                offer = None if number is None else self._board.offer(number)
                if offer is None:
                    await self._object(no_such_button(shown, self._board.numbers))
                elif isinstance(offer.button, Shortcut):
                    chosen_on = offer.message_id if offer.button.consequence is Consequence.CHOICE else None
                    await accept(self._said(speaker, offer.button.command, chosen_on))
                else:
                    await accept(self._button_event(speaker, offer.message_id, offer.button, reason))

    def _said(self, speaker: str, text: str, chosen_on: str | None = None, shown: str = "") -> MessageEvent:
        event = MessageEvent(
            event_id=self._board.new_id(),
            room=Room(platform=CONSOLE, id=self._board.room),
            sender=speaker,
            text=text,
            address=Address.DIRECT,
            sent_at=self._now(),
            chosen_on=chosen_on,
        )
        named = shown or text
        self._typed.typed(event.event_id, named if speaker == self._speaker else f"@{speaker}: {named}")
        return event

    def _button_event(self, speaker: str, message_id: str, button: Button, reason: str) -> ButtonEvent:
        return ButtonEvent(
            event_id=self._board.new_id(),
            room=Room(platform=CONSOLE, id=self._board.room),
            sender=speaker,
            choice=button.choice,
            message_id=message_id,
            operation_id=button.operation_id,
            digest_prefix=button.digest_prefix,
            reason=reason,
            sent_at=self._now(),
        )

    def _now(self) -> datetime:
        self._last_contact = self._clock()
        return self._last_contact

    async def _echo(self, speaker: str, text: str) -> None:
        """A script's lines are shown as they are said; who types sees them already."""
        if not self._source.live:
            await self._write(self._renderer.said(speaker, text))

    async def _object(self, sentence: str) -> None:
        self.outcomes.add(CardOutcome.REFUSED)
        await self._show(Card(tone=Tone.WARNING, title=sentence, outcome=CardOutcome.REFUSED))

    async def _show(self, card: Card) -> None:
        await self._write(self._renderer.message(self._board.post(card, thread=None)))

    async def _write(self, block: str | None) -> None:
        if block is not None:
            await self._screen.show(block)

    async def _finish(self) -> None:
        settling = asyncio.ensure_future(self._settled())
        try:
            done, _ = await asyncio.wait({settling}, timeout=PATIENCE if self._source.live else None)
            if not done and not self._screen.gone.is_set():
                await self._show(FINISHING)
            await settling
        finally:
            settling.cancel()

    def _hung_up(self, error: BaseException) -> bool:
        """Whether the error is only that nobody reads the output any more: an end, not a failure."""
        return isinstance(error, ChatError) and self._screen.gone.is_set()

    def _check(self, room: str) -> None:
        if room != self._board.room:
            raise ChatError(
                f"The console is one room, “{self._board.room}”; there is no “{room}”.", passing=False
            )
