"""Looks at credentials as often as configured, and tells what ends, comes, goes and cannot be read, each once.

Each message has a key of what it is about (credential, end, reminder), so whoever says it again, after a crash or in
another process, says nothing new; and it is said before it is noted, so nothing is lost in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from pydantic import ValidationError

from slipway.bot.chat.model import Card, Room
from slipway.bot.operations.presentation.card_moments import by_clocks_of
from slipway.bot.operations.watches import Spot, WatchHost
from slipway.bot.subjects.credentials.answers import Answer, Memory
from slipway.bot.subjects.credentials.changes import (
    TOLD_AFTER,
    Everywhere,
    Reminded,
    Seen,
    SeenEntry,
    by_others,
    changes,
    kept_apart,
    seen,
)
from slipway.bot.subjects.credentials.model import Credential, Reading, State
from slipway.bot.subjects.credentials.notices import (
    changed_card,
    due_card,
    how_settled,
    readable_card,
    settled_card,
    step_card,
    unread_card,
)
from slipway.bot.subjects.credentials.services import CredentialServices
from slipway.bot.subjects.credentials.standing import (
    Standing,
    last_threshold,
    next_moment,
    standing,
)

_SOON = timedelta(minutes=15)
"""After a look that failed, the next comes so soon: it may have been a moment's outage."""

_FAILING = timedelta(hours=1)
"""While a source cannot be read, it is looked at so often: what is put right is not called wrong for long."""

_AGAIN = " again"
"""Ends the step of a reminder that was seen to, until what was in the credential's place went away."""

log = structlog.get_logger(__name__)


class Watcher:
    """Looks at every entry. What is seen of one first is learned without a word, but for what ends.

    Args:
        services: the inventory, the rules and the people.
        memory: keeps what was seen.
        room: where it is told; None for the owners alone.
        prefix: of command lines.
        zone: of times.
    """

    def __init__(
        self,
        services: CredentialServices,
        memory: Memory,
        *,
        room: Room | None,
        prefix: str,
        zone: ZoneInfo,
    ) -> None:
        self._services = services
        self._memory = memory
        self._answers = services.answers
        self._room = room
        self._prefix = prefix
        self._zone = zone
        self._next: datetime | None = None
        self._looked_at: datetime | None = None

    async def look(self, host: WatchHost) -> None:
        """Look, if it is time to, and tell."""
        now = self._services.clock()
        if not self._services.inventory.entries or not self._is_time(now):
            return
        self._looked_at = now
        before = await self.seen()
        readings = kept_apart(await self._services.inventory.look(), before)
        everywhere = Everywhere.of(before, readings)
        everything = [each for reading in readings for each in reading.found]
        moments = [now + self._services.rules.every]
        for reading in readings:
            after = await self._settle(reading, everything, everywhere, now, host)
            moments += [now + (_SOON if after.failures < TOLD_AFTER else _FAILING)] if after.failures else []
            moments += [moment for each in reading.found for moment in await self._moments(each, now)]
        self._next = min(moments)

    def hasten(self) -> None:
        """Look with the next minute: somebody is at it, and what they change is to be seen."""
        self._next = None

    async def seen(self) -> dict[str, SeenEntry]:
        """What was seen last, by entry; asks no source."""
        found = {name: await self._known(name) for name in self._services.inventory.entries}
        return {name: each for name, each in found.items() if each is not None}

    async def _moments(self, credential: Credential, now: datetime) -> list[datetime]:
        """When something is to be said of a credential next: looks are seldom, and reminders on time."""
        due = next_moment(credential, self._services.thresholds(credential.entry), now)
        answer = await self._answers.about(credential.key, credential.ends_at)
        put_off = answer.until if answer is not None else None
        return [each for each in (due, put_off) if each is not None and each > now]

    def _is_time(self, now: datetime) -> bool:
        if self._next is None or self._looked_at is None:
            return True
        return not self._looked_at <= now < self._next  # also where the clock was set back

    async def _settle(
        self,
        reading: Reading,
        everything: Sequence[Credential],
        everywhere: Everywhere,
        now: datetime,
        host: WatchHost,
    ) -> SeenEntry:
        """Bring together what was seen before and now by one entry."""
        before = await self._known(reading.entry)
        if reading.problem:
            after = await self._unreadable(reading, before or SeenEntry(credentials={}), now, host)
            # What was never read is learned at the first look that reads it.
            await self._keep(reading.entry, after)
            return after
        known = before.credentials if before is not None else {}
        told = before.changes if before is not None else 0
        learned = before is not None and (before.failures == 0 or bool(known))
        if before is not None and before.outage_told and self._room is None:
            await self._say(
                host, f"unread {reading.entry} {before.outages}", readable_card(reading.entry), reading.entry
            )
        own = await self._services.workshop.ledger.own_changes(reading.entry)
        found = by_others(changes(known, reading, everywhere), own.made, own.removed) if learned else ()
        if found:
            told += 1
            card = changed_card(reading.entry, found, now, self._prefix)
            log.info("credentials changed at their source", entry=reading.entry, what=card.text)
            await self._say(host, f"changed {reading.entry} {told}", card, reading.entry)
        after = SeenEntry(
            credentials=await self._reminded(reading, known, everything, everywhere, now, host),
            changes=told,
            outages=before.outages if before is not None else 0,
        )
        await self._keep(reading.entry, after)
        return after

    async def _unreadable(
        self, reading: Reading, before: SeenEntry, now: datetime, host: WatchHost
    ) -> SeenEntry:
        log.warning("credentials could not be read", entry=reading.entry, problem=reading.problem)
        lately = before.failed_at is not None and timedelta() <= now - before.failed_at < _SOON
        if before.failures and lately:  # somebody hastened it, and it may be the same moment's outage
            return before.model_copy(update={"problem": reading.problem})
        failures = min(before.failures + 1, TOLD_AFTER)
        outages = before.outages + (failures == TOLD_AFTER and not before.outage_told)
        if failures == TOLD_AFTER and self._room is None:  # a room hears of it by the list of problems
            card = unread_card(
                reading.entry, reading.problem, self._prefix, self._mentions(host, reading.entry)
            )
            await self._say(host, f"unread {reading.entry} {outages}", card, reading.entry)
        more = {"failures": failures, "failed_at": now, "outages": outages, "problem": reading.problem}
        return before.model_copy(update=more)

    async def _reminded(
        self,
        reading: Reading,
        known: Mapping[str, Seen],
        everything: Sequence[Credential],
        everywhere: Everywhere,
        now: datetime,
        host: WatchHost,
    ) -> dict[str, Seen]:
        """Remind of what ends, and close what needs it no more; what is to be kept of each."""
        kept: dict[str, Seen] = {}
        for credential in reading.found:
            before = known.get(credential.key)
            after = seen(credential, before)
            stands = standing(credential, everything, self._services.thresholds(reading.entry), now)
            answer = await self._answers.about(credential.key, credential.ends_at)
            if answer is not None and not answer.counts(succeeded=stands.successor is not None):
                answer, stands = None, replace(stands, step=f"{stands.step}{_AGAIN}" if stands.step else "")
            if (
                before is not None and before.reminded is not None and after.reminded is None
            ):  # it was renewed
                await self._close(reading.entry, credential.key, before, credential, None, None, host)
            put_off = answer is not None and answer.until is not None and answer.silences(now)
            if stands.step and (answer is None or not answer.silences(now) or (put_off and after.reminded)):
                after = await self._remind(credential, after, stands, answer, now, host)
            elif after.reminded is not None and not put_off:
                await self._close(reading.entry, credential.key, after, credential, stands, answer, host)
                after = after.model_copy(update={"reminded": None})
            seen_to = answer is not None and answer.until is None
            overdue = stands.state is State.ENDED and not seen_to
            until = answer.until if answer is not None and put_off else None
            kept[credential.key] = after.model_copy(update={"overdue": overdue, "put_off": until})
        for key, each in known.items():
            if key not in everywhere.now and each.reminded is not None:
                await self._close(reading.entry, key, each, None, None, None, host)
        return kept

    async def _remind(
        self,
        credential: Credential,
        kept: Seen,
        stands: Standing,
        answer: Answer | None,
        now: datetime,
        host: WatchHost,
    ) -> Seen:
        """Have the reminder stand in the room as things are now, and call the owner again where a step is reached."""
        entry = credential.entry
        mentions = self._mentions(host, entry)
        owner = self._services.owner_in_words(entry)
        settings = self._services.entry(entry)
        put_off = answer is not None and answer.silences(now)
        until = answer.until if answer is not None and put_off else None
        last = last_threshold(credential, self._services.thresholds(entry))
        left = credential.left(now)
        card = due_card(
            credential,
            stands,
            settings,
            owner,
            self._prefix,
            now,
            until,
            can_wait=left is not None and left > last,
        )
        step = stands.step if answer is None else answer.step(stands.step)
        root = _root(credential.key, credential.ends_at)
        await self._say_to_owners(host, root, card.model_copy(update={"mentions": mentions}), entry)
        first = kept.reminded.first if kept.reminded is not None else step.removesuffix(_AGAIN)
        if step != first and not put_off:
            further = step_card(credential, now, mentions, lost=stands.step.endswith(_AGAIN))
            await self._say_to_owners(host, f"{root} {step}", further, entry, below=root)
        if credential.ends_at is None:
            return kept
        return kept.model_copy(update={"reminded": Reminded(ends_at=credential.ends_at, first=first)})

    async def _close(
        self,
        entry: str,
        key: str,
        before: Seen,
        now: Credential | None,
        stands: Standing | None,
        answer: Answer | None,
        host: WatchHost,
    ) -> None:
        """Let the reminder say why there is nothing to remind of any more."""
        if before.reminded is None:
            return
        person = self._services.people.name(answer.person) if answer is not None else ""
        card = settled_card(before.name, how_settled(now, before, stands, person))
        await self._say_to_owners(host, _root(key, before.reminded.ends_at), card, entry)

    async def _say(
        self, host: WatchHost, key: str, card: Card, entry: str, *, below: str | None = None
    ) -> None:
        card = by_clocks_of(self._zone, card)
        if self._room is not None:
            await host.say(key, card, Spot(self._room), below=below)
            return
        for owner in self._services.owners(entry):
            if not await host.say_alone(key, card, owner.id):
                log.warning("nobody could be told of a credential", entry=entry, what=card.title)

    async def _say_to_owners(
        self, host: WatchHost, key: str, card: Card, entry: str, *, below: str | None = None
    ) -> None:
        """As :meth:`_say`; an owner whom the room cannot call, as they have no account there, hears of it alone."""
        await self._say(host, key, card, entry, below=below)
        if self._room is None:
            return
        for owner in self._services.owners(entry):
            if not host.mention(owner.id, self._room):
                await host.say_alone(key, card.model_copy(update={"mentions": ()}), owner.id)

    def _mentions(self, host: WatchHost, entry: str) -> tuple[str, ...]:
        if self._room is None:
            return ()
        return tuple(
            account
            for owner in self._services.owners(entry)
            for account in host.mention(owner.id, self._room)
        )

    async def _known(self, entry: str) -> SeenEntry | None:
        kept = await self._memory.load(_memory(entry))
        try:
            return None if kept is None else SeenEntry.model_validate_json(kept)
        except ValidationError:
            log.warning("what was seen of credentials is of another Slipway, and learned anew", entry=entry)
            return None

    async def _keep(self, entry: str, found: SeenEntry) -> None:
        await self._memory.save(_memory(entry), found.model_dump_json())


def _root(key: str, ends_at: datetime | None) -> str:
    return f"ends {key} {ends_at.isoformat() if ends_at is not None else '-'}"


def _memory(entry: str) -> str:
    return f"credentials seen {entry}"
