"""Carries out one step: whoever it is about does what it says, with what is there by then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import count

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.replicas.model import LeaseTiming
from tests.reliability.bot import Bot
from tests.reliability.clouds import CountingFaults, EpisodeClouds
from tests.reliability.database import EpisodeDatabase
from tests.reliability.deeds import (
    Again,
    Ask,
    Behind,
    Cancel,
    ChatFault,
    CloudFault,
    CutWire,
    Decide,
    Deed,
    Freeze,
    Hand,
    Kill,
    KillAtCommit,
    KillAtRequest,
    MoveClock,
    Outage,
    Question,
    RestartDatabase,
    Round,
    Stop,
    TakeBack,
    Undermine,
    Way,
)
from tests.reliability.evidence import PROMOTED
from tests.reliability.ledger import Act, Entry, Ledger
from tests.reliability.messages import Seen, cards
from tests.reliability.options import RELENG
from tests.reliability.orders import pick_of
from tests.reliability.rooms.room import Room

_PATIENCE = 20.0
"""Seconds for which what is to strike replicas at work waits until they are."""


class Actors:
    """Everybody and everything that an episode's bot has to live with.

    Args:
        bot: the bot.
        rooms: the chats, by name.
        clouds: the clouds.
        ledger: where it is written down.
        database: the server that replicas have; None for files.
    """

    def __init__(
        self,
        bot: Bot,
        rooms: Mapping[str, Room],
        clouds: EpisodeClouds,
        ledger: Ledger,
        database: EpisodeDatabase | None = None,
    ) -> None:
        self._database = database
        self._bot = bot
        self._rooms = rooms
        self._clouds = clouds
        self._ledger = ledger
        self._numbers = count(1)
        self._outages: set[asyncio.Task[None]] = set()

    async def act(self, deed: Deed) -> None:
        """Do what a step says. What cannot be done now is left out."""
        if _needs_replicas_at_work(deed):
            await self._bot.at_work(_PATIENCE)
        match deed:
            case Ask() | Question() | Decide() | Round() | Undermine() | Cancel() | TakeBack():
                await self._people(deed)
            case Kill() | KillAtCommit() | KillAtRequest() | Stop() | Freeze() | MoveClock():
                self._process(deed)
            case RestartDatabase() | CutWire():
                self._storage(deed)
            case Again():
                await self._again(deed)
            case Behind():
                await self._behind(deed)
            case CloudFault():
                self._cloud_fault(deed)
            case ChatFault():
                self._chat_fault(deed)
            case Outage(what, seconds):
                self._outage(what, seconds)

    async def _people(self, deed: Ask | Question | Decide | Round | Undermine | Cancel | TakeBack) -> None:
        match deed:
            case Ask():
                await self._ask(deed)
            case Question():
                await self._question(deed)
            case Decide():
                await self._decide(deed)
            case Round(chat):
                await self._round(chat)
            case Undermine():
                await self._undermine(deed)
            case Cancel():
                await self._cancel(deed)
            case TakeBack():
                await self._take_back(deed)

    def _process(self, deed: Kill | KillAtCommit | KillAtRequest | Stop | Freeze | MoveClock) -> None:
        one = self._bot.pick(0.0 if isinstance(deed, KillAtRequest) else deed.which)
        name = f" replica {one.number}" if len(self._bot.replicas) > 1 else ""
        match deed:
            case Kill(pause):
                one.pause = pause
                one.kill()
                self._ledger.tell(f"kill -9{name}, {pause} s of rest")
            case KillAtCommit(timing, number, pause):
                one.pause = pause
                one.kill_at_commit(timing, number)
                self._ledger.tell(f"to be killed{name} {timing} commit {number}, {pause} s of rest")
            case KillAtRequest(cloud, timing, number, pause):
                one.pause = pause
                self._faults(cloud).kill_at(number, timing, self._victim)
                self._ledger.tell(f"to be killed {timing} request {number} to {cloud}, {pause} s of rest")
            case Stop(pause):
                if one.lives and one.life.ready.is_set() and one.life.alive:
                    one.pause = pause
                    one.terminate()
                    self._happened("stops", f"SIGTERM{name}")
            case Freeze(seconds):
                if one.freeze(seconds):
                    self._happened("freezes", f"the bot{name} stands still for {seconds} s")
            case MoveClock(minutes):
                one.move_clock(minutes)
                self._happened("moves of the clock", f"the clock{name} shows {minutes} minutes more")

    def _storage(self, deed: RestartDatabase | CutWire) -> None:
        if (database := self._database) is None:
            return
        match deed:
            case RestartDatabase(crash, seconds):
                if database.restart(seconds, crash=crash):
                    how = "crashes" if crash else "stops"
                    self._happened("database restarts", f"the database {how} for {seconds} s")
            case CutWire(seconds, silent, which):
                one = self._bot.pick(which).number
                if database.cut(one, seconds, silent=silent):
                    how = "says nothing" if silent else "is cut"
                    self._happened("cuts", f"the wire of replica {one} to the database {how} for {seconds} s")

    async def calm(self) -> None:
        """Let nothing go wrong any more, anywhere."""
        for outage in tuple(self._outages):
            outage.cancel()
        await asyncio.gather(*self._outages, return_exceptions=True)
        self._clouds.calm()
        if self._database is not None:
            await self._database.calm()
        self._bot.spare()
        for room in self._rooms.values():
            await room.calm()

    async def cancel(self, who: str, chat: str, operation: str) -> None:
        """Have somebody cancel an operation by its id."""
        await self._speak(Act.CANCEL, who, chat, f"!cancel {operation}", topic=True, operation=operation)

    def _faults(self, cloud: str) -> CountingFaults:
        return self._clouds.azure_faults if cloud == "azure" else self._clouds.aws_faults

    def _victim(self) -> int | None:
        leading = self._bot.leading
        return leading.process.pid if leading is not None else None

    def _happened(self, what: str, words: str) -> None:
        self._ledger.counts[what] += 1
        self._ledger.tell(words)

    async def _ask(self, ask: Ask) -> None:
        if line := await ask.order.line(self._clouds, ask.who, ask.pick):
            await self._speak(Act.ORDER, ask.who, ask.chat, line, topic=ask.topic)

    async def _question(self, question: Question) -> None:
        await self._speak(
            Act.QUESTION, question.who, question.chat, "!whoami", topic=question.topic, word="You are"
        )

    async def _decide(self, decide: Decide) -> None:
        act = Act.of(decide.choice)
        if decide.way is Way.BARE:  # whether there is a card or not
            await self._speak(act, decide.who, decide.chat, f"!{act}", topic=True)
            return
        card = self._a_card(decide.chat, decide.pick, wanted=lambda each: bool(each.choices))
        if card is None or card.title is None:
            return
        operation = card.title.operation
        if decide.way is Way.NAMED:
            line = f"!{act} {operation}"
            await self._speak(act, decide.who, decide.chat, line, topic=True, operation=operation)
            return
        if decide.way is Way.REPLY:
            await self._reply(act, decide.who, card)
            return
        await self._press(decide.who, decide.chat, decide.choice, card)

    async def _reply(self, act: Act, who: str, card: Seen) -> None:
        """Decide in a card's thread, where there are threads: that says which operation is meant."""
        if card.chat == "console" or card.private or card.title is None:
            return
        said = await self._rooms[card.chat].say(who, f"!{act}", card.thread or card.id)
        if said is not None:
            operation = card.title.operation
            self._ledger.note(Entry(act, who, card.chat, f"!{act}", said, operation=operation, reply=True))

    async def _press(self, who: str, chat: str, choice: Choice, card: Seen) -> None:
        said = await self._rooms[chat].press(who, choice, card)
        if said is not None and card.title is not None:
            self._ledger.note(Entry(Act.of(choice), who, chat, "", said, operation=card.title.operation))

    async def _round(self, chat: str) -> None:
        for card in [each for each in cards(self._rooms[chat].seen()) if each.choices]:
            for who in RELENG:
                await self._press(who, chat, Choice.APPROVE, card)

    async def _undermine(self, deed: Undermine) -> None:
        card = self._a_card(deed.chat, deed.pick, wanted=self._is_untouched_promotion)
        found = PROMOTED.search(card.text) if card is not None else None
        if card is None or card.title is None or found is None:
            return
        definition = next((each for each in self._clouds.definitions if each == found["definition"]), None)
        if definition is None:
            return
        self._clouds.flip(definition, self._clouds.upload(definition))
        self._ledger.undermined.add(card.title.operation)
        self._happened(
            "plans undermined",
            f"somebody else: a newer latest of {definition}, before {card.title.operation}",
        )
        await self._press(deed.who, deed.chat, Choice.APPROVE, card)

    def _is_untouched_promotion(self, card: Seen) -> bool:
        """Whether it promotes something, and nobody can have agreed to it yet: also no line without an id, which on
        the console may have been typed ahead."""
        if card.title is None or card.title.kind != "promote" or not card.choices:
            return False
        given = [each for each in self._ledger.entries if each.act is Act.APPROVE]
        bare = [each for each in given if each.operation is None and each.chat == card.chat]
        return not any(each.operation == card.title.operation for each in given) and not any(
            each.chat == "console" or each.said.at >= card.at for each in bare
        )

    async def _cancel(self, cancel: Cancel) -> None:
        card = self._a_card(
            cancel.chat, cancel.pick, wanted=lambda each: not (each.title and each.title.ended)
        )
        if card is not None and card.title is not None:
            await self.cancel(cancel.who, cancel.chat, card.title.operation)

    async def _take_back(self, deed: TakeBack) -> None:
        presses = [
            each
            for each in self._ledger.entries
            if each.act is Act.APPROVE and not each.typed and not each.taken_back and each.chat == "matrix"
        ][-4:]
        if not presses:
            return
        entry = pick_of(presses, deed.pick)
        if await self._rooms[entry.chat].take_back(entry.said):
            entry.taken_back = True
            self._happened("votes taken back", f"{entry.who} takes back: {entry}")

    async def _behind(self, deed: Behind) -> None:
        if deed.hand is Hand.TERMINATE:
            if running := await self._clouds.running():
                await self._clouds.terminate(pick_of(running, deed.pick))
                self._happened("changes behind its back", "somebody terminates a machine")
            return
        definition = pick_of(self._clouds.definitions, deed.pick)
        idle = sorted(
            name for name, each in self._clouds.versions(definition).items() if each.running is None
        )
        if deed.hand is Hand.UPLOAD:
            self._clouds.upload(definition)
        elif not idle:
            return
        else:
            version = pick_of(idle[-6:], deed.which)
            do = {
                Hand.FLIP: self._clouds.flip,
                Hand.DELETE: self._clouds.delete,
                Hand.PROTECT: self._clouds.protect,
            }
            do[deed.hand](definition, version)
        self._happened("changes behind its back", f"somebody else: {deed.hand} in {definition}")

    async def _again(self, deed: Again) -> None:
        if await self._rooms[deed.chat].again(deed.pick):
            self._happened("redeliveries", f"{deed.chat} delivers something again")

    def _chat_fault(self, deed: ChatFault) -> None:
        if self._rooms[deed.chat].trouble(deed.trouble, deed.place, deed.times, deed.seconds):
            what = f"{deed.chat}: {deed.trouble} x {deed.times}, {deed.seconds} s"
            self._happened("chat faults", what)

    def _cloud_fault(self, deed: CloudFault) -> None:
        reads, writes = ("GET *", "[PD]* *") if deed.cloud == "azure" else ("Describe*", "[RT]*Instances")
        kind = deed.kind
        seconds = deed.seconds if kind is FaultKind.SLOW else None
        match = writes if deed.writes else reads
        self._faults(deed.cloud).add(Fault(kind=kind, match=match, times=deed.times, seconds=seconds))
        self._happened("cloud faults", f"{deed.cloud}: {kind} x {deed.times} of {match}")

    def _outage(self, what: str, seconds: float) -> None:
        if any(task.get_name() == what for task in self._outages):
            return
        self._happened("outages", f"{what} is away for {seconds} s")
        task = asyncio.create_task(self._away(what, seconds), name=what)
        self._outages.add(task)
        task.add_done_callback(self._outages.discard)

    async def _away(self, what: str, seconds: float) -> None:
        if room := self._rooms.get(what):
            room.set_away(True)
            try:
                await asyncio.sleep(seconds)
            finally:
                room.set_away(False)
            return
        away = self._clouds.go_away(what)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._faults(what).forget(away)

    async def _speak(
        self,
        act: Act,
        who: str,
        chat: str,
        line: str,
        *,
        topic: bool,
        operation: str | None = None,
        word: str = "",
    ) -> None:
        room = self._rooms[chat]
        thread = await room.topic(who, f"topic {next(self._numbers)}") if topic else None
        said = await room.say(who, line, thread)
        if said is not None:
            self._ledger.note(Entry(act, who, chat, line, said, thread, operation, word))

    def _a_card(self, chat: str, pick: float, wanted: Callable[[Seen], bool]) -> Seen | None:
        found = [each for each in cards(self._rooms[chat].seen()) if wanted(each)]
        return pick_of(found[-5:], pick) if found else None


def _needs_replicas_at_work(deed: Deed) -> bool:
    """Whether it is what one process on files cannot live through, and rare: it is not to strike none."""
    return isinstance(deed, RestartDatabase | CutWire) or (
        isinstance(deed, Freeze) and deed.seconds > LeaseTiming().ttl
    )
