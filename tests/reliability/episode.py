"""One episode: an installation of its own lives through its steps, comes to rest, and is looked at from outside."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.program import write_toml
from slipway.bot.clouds.simulated.control import Logged
from tests.reliability.actors import Actors
from tests.reliability.bot import Bot
from tests.reliability.clouds import CountingFaults, EpisodeClouds
from tests.reliability.database import EpisodeDatabase
from tests.reliability.evidence import Evidence, LifeTold, OperationTold, operations_named
from tests.reliability.installation import document
from tests.reliability.invariants import violations
from tests.reliability.leadership import Hindrance, Span, absences
from tests.reliability.ledger import Ledger
from tests.reliability.logs import lines_by_words, ticks, tracebacks
from tests.reliability.messages import Seen, cards
from tests.reliability.options import ALICE, Options
from tests.reliability.replica import Company, Life, Replica
from tests.reliability.rest import unsettled, waiting
from tests.reliability.rooms.console import ConsoleRoom
from tests.reliability.rooms.matrix import EncryptedMatrixRoom, MatrixRoom
from tests.reliability.rooms.room import Room
from tests.reliability.rooms.slack import SlackRoom
from tests.reliability.senders import Senders
from tests.reliability.steps import Step, draw, draw_first, draw_last
from tests.reliability.world import World
from tests.support.processes.program import ROOT, environment

BOUND_SECONDS = 180.0
"""Within which everything has to come to its end once nothing fails any more: the longest pause between two tries of
a message is 60 s (messages.delivery), housekeeping comes once a minute, Matrix tries again after at most a minute."""

BEYOND_DAYS = 6
"""Longer than a machine may live in an episode, wherever its clock stood at the launch."""

_LOOK_EVERY = 0.25
_PROGRAM_SECONDS = 60.0


@dataclass(frozen=True)
class Result:
    """What came of an episode."""

    options: Options
    violations: Sequence[str]
    counts: Counter[str]
    settled_after: float
    longest_absence: float
    journal: Sequence[str]
    logged: Counter[str]


class Episode:
    """Runs one.

    Args:
        options: what it is like.
        world: what it shares with others.
        folder: its own; what happened is kept there.
    """

    def __init__(self, options: Options, world: World, folder: Path) -> None:
        self._options = options
        self._world = world
        self._folder = folder
        self._ledger = Ledger(file=folder / "journal.txt")
        self._settled_after = self._longest_absence = 0.0
        self._beyond = 0

    async def run(self) -> Result:
        """Live through it."""
        self._folder.mkdir(parents=True)
        async with AsyncExitStack() as stack:
            await self._prepare(stack)
            try:
                found = await self._live()
            except TimeoutError as error:  # the bot does not start, does not stop, or does not answer
                where = traceback.extract_tb(error.__traceback__)[-2]
                found = [f"ends: waited in vain, in {where.name} ({where.line})"]
            self._count()
        for each in found:
            self._ledger.tell(f"VIOLATION {each}")
        logged = sum((lines_by_words(life.log) for life in self._bot.lives), Counter[str]())
        return Result(
            self._options,
            found,
            self._ledger.counts,
            self._settled_after,
            self._longest_absence,
            self._ledger.journal,
            logged,
        )

    async def _live(self) -> list[str]:
        """From its first start to its last stop; what does not hold then."""
        self._began = time.time()
        self._bot.keep()
        await self._do(draw_first(self._options))
        await self._bot.ready()
        await self._do(draw(self._options))
        evidence = await self._evidence()
        (self._folder / "evidence.txt").write_text(evidence.shown())
        return violations(evidence)

    async def _do(self, steps: Sequence[Step]) -> None:
        for step in steps:
            await asyncio.sleep(step.after)
            await self._actors.act(step.deed)

    async def _prepare(self, stack: AsyncExitStack) -> None:
        options = self._options
        deployment = f"r{options.seed}e{options.episode}t{time.time_ns()}"
        self._clouds = EpisodeClouds(
            options.definitions,
            options.polls,
            self._world.aws,
            self._world.aws_faults,
            self._world.images,
            deployment,
        )
        await self._clouds.start()
        stack.push_async_callback(self._clouds.stop)
        company = Company()
        self._senders = senders = Senders(company.lives)
        self._watch(self._clouds.azure_faults, lambda: self._clouds.azure.requests)
        self._watch(self._clouds.aws_faults, lambda: self._clouds.aws.requests)
        many, watch = options.replicas, senders.called
        console = ConsoleRoom()
        slack = SlackRoom(over_http=options.slack_http, replicas=many, seed=options.name, watch=watch)
        kind = EncryptedMatrixRoom if options.encrypted else MatrixRoom
        matrix = kind(self._world.synapse, self._folder, options.edit_interval, replicas=many, watch=watch)
        rooms: tuple[Room, ...] = (console, matrix, slack)
        for room in rooms:
            await room.open()
            stack.push_async_callback(room.close)
        self._rooms = {room.name: room for room in rooms}
        self._matrix = matrix
        self._database = await self._open_database(stack, deployment) if many > 1 else None
        aws = {"SLIPWAY_AWS_ACCESS_KEY_ID": "test", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "test"}
        self._secrets = {**slack.secrets, **aws}
        replicas = [self._replica(number, deployment, company) for number in range(1, many + 1)]
        self._bot = console.bot = Bot(replicas, company)
        stack.push_async_callback(self._bot.close)
        replicas[-1].move_clock(options.clock_gap if many > 1 else 0)
        self._actors = Actors(self._bot, self._rooms, self._clouds, self._ledger, self._database)

    def _watch(self, faults: CountingFaults, requests: Callable[[], Sequence[Logged]]) -> None:
        """Have it noted which process asked a cloud for what."""
        faults.asked = lambda label: self._senders.asked(label, requests()[-1].port)

    async def _open_database(self, stack: AsyncExitStack, deployment: str) -> EpisodeDatabase:
        database = EpisodeDatabase(await self._world.postgres(), deployment, self._options.replicas)
        stack.push_async_callback(database.close)
        await database.open()
        return database

    def _replica(self, number: int, deployment: str, company: Company) -> Replica:
        config = self._folder / f"slipway-{number}.toml"
        state = self._folder / f"state-{number}"
        url = self._database.url if self._database is not None else ""
        found = document(self._options, self._rooms, self._clouds, deployment, state, number, url)
        self._policies = found["policy"]
        write_toml(config, found)
        if self._database is None:
            return Replica(self._folder, config, self._secrets, number, company)
        secrets = {**self._secrets, **self._database.environment(number)}
        return Replica(self._folder, config, secrets, number, company, alone=False)

    async def _evidence(self) -> Evidence:
        """Let nothing fail any more, wait for the end of everything, and look at what is there."""
        await self._actors.calm()
        began = time.monotonic()
        self._ledger.tell("nothing fails any more")
        left = await self._rest()
        if not left:
            await self._do(draw_last(self._options))
            await self._actors.calm()
            began = time.monotonic()
            left = await self._rest()
        if not left:
            for operation, chat in self._waiting():
                await self._actors.cancel(ALICE, chat, operation)
            left = await self._rest(may_wait=False)
        if not left:
            left = await self._outlast()
        self._settled_after = time.monotonic() - began
        self._ledger.tell(
            f"everything has ended, after {self._settled_after:.1f} s" if not left else "not at rest"
        )
        told = await self._told() if not left else {}
        code = await self._bot.rest()
        afterwards = await self._afterwards() if not left and code == 0 else ()
        trail = await self._program("audit", "show")
        proof = await self._program("audit", "verify")
        for entry in self._ledger.entries:
            if entry.chat == "matrix":
                entry.said.at = self._matrix.at(entry.said.id) or 0.0
        clouds = self._clouds.machines
        lives = [
            LifeTold(
                each.number,
                each.process.returncode,
                each.asked_to_stop,
                each.at_rest,
                tracebacks(each.log),
                each.turn,
                each.lost,
                each.ready_at is None and self._was_cut_off(each),
            )
            for each in self._bot.lives
        ]
        found = list(absences([_span(each) for each in self._bot.lives], self._hindrances()))
        self._ledger.counts["take-overs"] += len(found)
        self._longest_absence = max((each.seconds or 0.0 for each in found), default=0.0)
        return Evidence(
            options=self._options,
            entries=tuple(self._ledger.entries),
            seen=self._seen(),
            operations=told,
            trail=[json.loads(line) for line in trail.splitlines() if line.startswith("{")],
            proof="" if "The audit trail holds" in proof else proof.strip() or "audit verify says nothing",
            writes=tuple(self._clouds.gallery.log),
            machines={key: each for cloud in clouds for key, each in (await cloud.all()).items()},
            machine_writes=[write for cloud in clouds for write in cloud.writes()],
            ended_by_strangers=frozenset().union(*(cloud.ended_by_strangers for cloud in clouds)),
            made_by_strangers=frozenset().union(*(cloud.made_by_strangers for cloud in clouds)),
            bystanders=frozenset(cloud.bystander for cloud in clouds),
            policies=self._policies,
            undermined=frozenset(self._ledger.undermined),
            lives=lives,
            done=tuple(self._senders.done),
            absences=found,
            ticks=frozenset().union(*(ticks(each.log) for each in self._bot.lives)),
            minutes=self._minutes(),
            unsettled=left,
            afterwards=afterwards,
        )

    def _hindrances(self) -> list[Hindrance]:
        """What kept replicas from taking over, or from starting."""
        frozen = [Hindrance(*each, one.number) for one in self._bot.replicas for each in one.frozen]
        return frozen + (self._database.hindrances if self._database is not None else [])

    def _was_cut_off(self, life: Life) -> bool:
        """Whether it could not always reach the database."""
        ended = life.ended_at or time.monotonic()
        return any(
            each.replica in (None, life.replica) and each.begin < ended and each.end > life.began
            for each in self._hindrances()
        )

    def _minutes(self) -> int | None:
        if self._ledger.counts["moves of the clock"] or (
            self._options.replicas > 1 and self._options.clock_gap
        ):
            return None
        return int(time.time() // 60) - int(self._began // 60) + self._beyond

    async def _outlast(self) -> Sequence[str]:
        """Let the whole life of every machine be over, and the bot look after them twice, once at each start: it ends
        them, and then says of what it had said before that they are gone."""
        self._bot.move_clocks(BEYOND_DAYS * 24 * 60)
        self._beyond = BEYOND_DAYS * 24 * 60  # times of the schedule that are skipped
        self._ledger.tell(f"the clock shows {BEYOND_DAYS} days more, beyond every machine's life")
        for _ in range(2):
            await self._bot.restart()
            if left := await self._until(self._living) or await self._rest(may_wait=False):
                return left
        return ()

    async def _living(self) -> Sequence[str]:
        return [f"{machine} lives" for cloud in self._clouds.machines for machine in await cloud.living()]

    def _seen(self) -> dict[str, list[Seen]]:
        return {name: room.seen() for name, room in self._rooms.items()}

    async def _rest(self, *, may_wait: bool = True) -> Sequence[str]:
        """Wait until everything has ended, but for what may be waiting for people; what has not in time."""

        async def look() -> Sequence[str]:
            return [
                *unsettled(self._ledger.entries, self._seen(), self._bot.settled),
                *(f"{operation} waits" for operation, _ in self._waiting() if not may_wait),
            ]

        return await self._until(look)

    async def _until(self, look: Callable[[], Awaitable[Sequence[str]]]) -> Sequence[str]:
        """Look until nothing is found any more, or time is up; what is found then."""
        deadline = time.monotonic() + BOUND_SECONDS
        while left := await look():
            if time.monotonic() > deadline:
                return left
            await asyncio.sleep(_LOOK_EVERY)
        return ()

    def _waiting(self) -> list[tuple[str, str]]:
        """The operations that wait for approvals, and a chat with threads to say so in."""
        return [(operation, "slack") for operation in waiting(self._seen())]

    async def _told(self) -> Mapping[str, OperationTold]:
        """Ask on the console for everything about every operation."""
        trail = await self._program("audit", "show")
        lines = [json.loads(line) for line in trail.splitlines() if line.startswith("{")]
        told = {}
        for operation in sorted(operations_named(self._seen(), lines)):
            line = await self._answer(f"!op {operation}", partial(_tells_all, operation))
            told[operation] = OperationTold.read(line)
        return told

    async def _answer(self, asked: str, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Ask for something on the console, and wait for what answers it."""
        async with asyncio.timeout(BOUND_SECONDS):
            while (life := self._bot.leading) is None:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(_LOOK_EVERY)
            before = len(life.lines)
            self._bot.say(f"@{ALICE}: {asked}")
            while True:
                for _, line in life.lines[before:]:
                    if wanted(line):
                        return line
                await asyncio.sleep(_LOOK_EVERY)

    async def _afterwards(self) -> Sequence[str]:
        """Start it once more, with nothing left to do, and say what it does."""
        seen, writes = self._seen(), len(self._clouds.gallery.log)
        self._bot.keep()
        await self._bot.ready()
        await self._answer("!whoami", lambda line: "You are" in line["title"])
        await self._bot.rest()
        found = [f"it changed something: {each}" for each in self._clouds.gallery.log[writes:]]
        for chat, messages in self._seen().items():
            if chat != "console" and messages != seen[chat]:
                fresh = [each for each in messages if each not in seen[chat] and not each.is_clockwork]
                found += [f"it said something in {chat}: {each.text[:80]}" for each in fresh]
        return found

    async def _program(self, *arguments: str) -> str:
        where = ("--config", str(self._folder / "slipway-1.toml"))
        reached = {} if self._database is None else self._database.environment(None)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "slipway", *arguments, *where),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env=environment(**self._secrets, **reached),
        )
        output, _ = await asyncio.wait_for(process.communicate(), _PROGRAM_SECONDS)
        return output.decode()

    def _count(self) -> None:
        counts = self._ledger.counts
        counts["leases lost"] = sum(life.lost for life in self._bot.lives)
        counts["kills"] = sum(life.killed for life in self._bot.lives)
        for entry in self._ledger.entries:
            counts[f"{entry.act}s"] += 1
        counts["operations"] = len(
            {each.title.operation for each in _titled(self._seen()) if each.title is not None}
        )
        counts["messages"] = sum(len(messages) for messages in self._seen().values())
        counts["ticks"] = sum(each.is_tick for messages in self._seen().values() for each in messages)
        counts["machines on Azure"] = len(self._clouds.vms.launched())
        counts["changes"] = sum(each.changed and not each.stranger for each in self._clouds.gallery.log)


def _span(life: Life) -> Span:
    return Span(
        life.number, life.replica, life.began, life.ready_at, life.led_at, life.works_at, life.ended_at
    )


def _titled(seen: Mapping[str, Sequence[Seen]]) -> list[Seen]:
    return [each for messages in seen.values() for each in cards(messages)]


def _tells_all(operation: str, line: Mapping[str, Any]) -> bool:
    """Whether a line of the console's answers ``!op``."""
    return operation in line["title"] and any(each["label"] == "Asked at" for each in line["fields"])
