"""`promote --due`, a clean-up and `!images` over a large gallery by a configuration with rules, copies, waves and
holds, each beside a bare client that makes the calls which any client needs for it."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from benchmarks.azure import WatchedGallery, requests_of, settings_of, simulator, slow_down
from benchmarks.bare_gallery import BareReading, Document, Listed, nothing, of_none, read_barely
from benchmarks.figures import Figures, aim, say, spread
from benchmarks.in_process import RecordingChat, running_bot
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.core.steps import Request
from slipway.bot.garbage import collect_seldom
from slipway.bot.operations.model import Plan
from slipway.bot.subjects.images.holds.model import PlacedHold
from slipway.bot.subjects.images.replication.settings import ReplicationSettings, WaveSettings
from slipway.bot.subjects.images.requests import Cleanup, Promote
from slipway.bot.subjects.images.rules.settings import PromotionSettings
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.wiring.parts import RunningBot
from slipway.commands.dispatch.events import LineRequest
from slipway.commands.images.images import MOST_ASKED

LIMIT_OF_THE_BARE_CLIENT = 1.3
LIMIT_OF_THE_FLOOR = 1.3
AT_ONCE = 16
"""Of which the aims are: what `parallel_listings` is where nothing is configured."""

CANDIDATES = 2
"""Of each definition: the newest is too young for the rules, and the next one is due."""

_REGIONS = ("eastus", "westeurope", "southeastasia")
_HELD = 50
_MINIMUM_AGE = timedelta(hours=36)

_LOCKS = "{gallery}/providers/Microsoft.Authorization/locks?api-version=2020-05-01"
_USES = "/subscriptions/{subscription_id}/providers/Microsoft.Compute/{kind}?api-version=2026-04-01"

Way = Callable[[], Awaitable[int]]
"""Does it once; how many steps or rows came of it."""

Bare = Callable[[], Awaitable[BareReading]]


@dataclass
class _Measured:
    """One way and its bare client, in turn. Seconds."""

    needed: int = 1
    asked: int = 0
    more: int = 0
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    bare_processor: list[float] = field(default_factory=list)
    made: int = 0

    @property
    def times_the_bare_client(self) -> float:
        return median(self.seconds) / median(self.bare)

    def figures(self, floor: float) -> Figures:
        """As they are printed."""
        return {
            "steps_or_rows": self.made,
            "calls": self.asked,
            "calls_needed": self.needed,
            "calls_more_than_needed": self.more,
            "floor_seconds": round(floor, 3),
            "seconds": spread(self.seconds),
            "processor_seconds": spread(self.processor),
            "bare_client_seconds": spread(self.bare),
            "bare_client_processor_seconds": spread(self.bare_processor),
            "times_the_floor": round(median(self.seconds) / floor, 3),
            "times_the_bare_client": round(self.times_the_bare_client, 3),
            "processor_times_the_bare_client": round(median(self.processor) / median(self.bare_processor), 3),
            "bare_client_times_the_floor": round(median(self.bare) / floor, 3),
        }


def tables() -> Mapping[str, Any]:
    """Rules, copies and waves for every definition."""
    return {
        "promotion": {
            "*": PromotionSettings(minimum_age=_MINIMUM_AGE, replicated=True, not_older=True, protect=False)
        },
        "replication": {
            "*": ReplicationSettings(
                regions=_REGIONS,
                replicas=1,
                waves=(WaveSettings(name="first", regions=_REGIONS[:1], bake=timedelta(days=1)),),
            )
        },
    }


async def measure(
    *, definitions: int, versions: int, runs: int, latency: timedelta, more_at_once: int
) -> Figures:
    """Each in turn with its bare client, by an adapter that was used before, against answers that take so long."""
    collect_seldom()
    measured: dict[int, dict[str, _Measured]] = {}
    async with simulator(definitions, versions, CANDIDATES) as azure:
        await slow_down(azure, latency)
        for at_once in dict.fromkeys((AT_ONCE, more_at_once)):
            say(f"due: {definitions} definitions of {versions} versions, {at_once} calls at once")
            measured[at_once] = await _measured(azure, definitions, runs, at_once)
    floors = {
        at_once: {name: each.needed * latency.total_seconds() / at_once for name, each in here.items()}
        for at_once, here in measured.items()
    }
    usual = measured[AT_ONCE]
    return {
        "definitions": definitions,
        "versions": definitions * versions,
        "holds": min(_HELD, definitions),
        **{
            f"{at_once}_at_once": {name: each.figures(floors[at_once][name]) for name, each in here.items()}
            for at_once, here in measured.items()
        },
        "aims": {
            **{
                f"{name}_beside_a_bare_client": aim(
                    each.times_the_bare_client,
                    LIMIT_OF_THE_BARE_CLIENT,
                    f"times a bare client that makes the needed calls, {AT_ONCE} at once; medians",
                )
                for name, each in usual.items()
            },
            **{
                f"{name}_and_its_floor": aim(
                    median(each.seconds) / floors[AT_ONCE][name],
                    LIMIT_OF_THE_FLOOR,
                    f"times the floor: the needed calls by {AT_ONCE} at once, as long as answers take; median",
                )
                for name, each in usual.items()
            },
        },
    }


async def _measured(
    azure: Mapping[str, str], definitions: int, runs: int, at_once: int
) -> dict[str, _Measured]:
    gallery = WatchedGallery(settings_of(azure).model_copy(update={"parallel_listings": at_once}))
    with TemporaryDirectory(prefix="slipway-bench-") as folder:
        async with running_bot(Path(folder), RecordingChat(), gallery, more=tables()) as bot:
            held = await _hold(bot.dispatcher._services.get(ImageServices), definitions)
            ways, bare = _ways(bot), _bare(azure, held, at_once)
            found = {name: _Measured() for name in ways}
            for run in range(runs + 1):
                for name, way in ways.items():
                    say(f"due: {name.replace('_', ' ')}, {run} of {runs}")
                    await _turn(azure, found[name], way, bare[name], first=run == 0)
    await gallery.close()
    return found


async def _turn(azure: Mapping[str, str], found: _Measured, way: Way, bare: Bare, *, first: bool) -> None:
    """One turn of both. The first one loads the SDK, and is not measured."""
    gc.collect()
    began, spent = time.perf_counter(), time.process_time()
    read = await bare()
    took, used = time.perf_counter() - began, time.process_time() - spent
    before = len(await requests_of(azure))
    gc.collect()
    began, spent = time.perf_counter(), time.process_time()
    found.made = await way()
    if first:
        return
    found.seconds.append(time.perf_counter() - began)
    found.processor.append(time.process_time() - spent)
    found.bare.append(took)
    found.bare_processor.append(used)
    sent, needed = Counter((await requests_of(azure))[before:]), Counter(read.calls)
    found.asked, found.needed = sent.total(), needed.total()
    found.more = (sent - needed).total()
    assert not needed - sent, f"the bare client reads more than is needed: {list(needed - sent)[:3]}"


def _ways(bot: RunningBot) -> dict[str, Way]:
    """Plans of what is due and of a clean-up, and the listing as a chat gets it."""
    person = bot.dispatcher._services.people.by_account(CONSOLE, "alice")
    assert person is not None

    def planning(request: Request) -> Way:
        async def plan() -> int:
            found = await bot.dispatcher._command_runner._plans.plan(request, person)
            assert isinstance(found, Plan), found
            return len(found.steps)

        return plan

    async def images() -> int:
        line = LineRequest(
            event_key=f"say:{uuid4()}", requester=person.id, text="images", room=None, at=datetime.now(UTC)
        )
        card = (await bot.dispatcher.ask(line)).card
        assert card is not None
        assert card.tables, card.title
        return len(card.tables[0].rows)

    return {
        "promote_due": planning(Promote(definition="*", due=True)),
        "cleanup": planning(Cleanup()),
        "images": images,
    }


def _bare(azure: Mapping[str, str], held: frozenset[str], at_once: int) -> dict[str, Bare]:
    """What any client reads for these rules: all versions; of what is due, how far its copies are, and those of what
    is latest; of held definitions, those of what is latest, since it may be owed somewhere; the locks, where
    something changes, and what uses versions, where something goes. And for a list, the copies of what became latest
    last."""
    gallery = (
        f"/subscriptions/{azure['subscription_id']}/resourceGroups/{azure['resource_group']}"
        f"/providers/Microsoft.Compute/galleries/{azure['gallery']}"
    )
    locks = _LOCKS.format(gallery=gallery)
    uses = [
        _USES.format(subscription_id=azure["subscription_id"], kind=kind)
        for kind in ("virtualMachines", "virtualMachineScaleSets")
    ]

    def due(name: str, versions: Sequence[Document]) -> Iterable[str]:
        newest = sorted(versions, key=_number, reverse=True)
        latest = next(each for each in newest if not _excluded(each))
        yield str(latest["name"])
        if name in held:
            return
        since = datetime.now(UTC) - _MINIMUM_AGE
        newer = [each for each in newest if _number(each) > _number(latest)]
        yield from [str(each["name"]) for each in newer if _published(each) <= since][:1]

    def newest_latest(listed: Listed) -> Iterable[tuple[str, str]]:
        tops = {
            name: max((each for each in versions if not _excluded(each)), key=_number)
            for name, versions in listed.items()
        }
        order = sorted(tops, key=lambda name: (_published(tops[name]), name), reverse=True)
        return [(name, str(tops[name]["name"])) for name in order[:MOST_ASKED]]

    def reading(
        each: Callable[[str, Sequence[Document]], Iterable[str]] = of_none,
        then: Callable[[Listed], Iterable[tuple[str, str]]] = nothing,
        besides: Sequence[str] = (),
    ) -> Bare:
        return lambda: read_barely(azure, at_once, each=each, then=then, besides=besides)

    return {
        "promote_due": reading(each=due, besides=[locks]),
        "cleanup": reading(besides=[locks, *uses]),
        "images": reading(then=newest_latest),
    }


def _number(version: Document) -> VersionNumber:
    return VersionNumber.parse(version["name"])


def _excluded(version: Document) -> bool:
    return version["properties"]["publishingProfile"]["excludeFromLatest"] is True


def _published(version: Document) -> datetime:
    return datetime.fromisoformat(version["properties"]["publishingProfile"]["publishedDate"])


async def _hold(services: ImageServices, definitions: int) -> frozenset[str]:
    """Hold some definitions, as people do; their names."""
    now = datetime.now(UTC)
    names = [f"Fedora-Cloud-{1000 + number}-x64" for number in range(min(_HELD, definitions))]
    for name in names:
        await services.holds.store.place(PlacedHold("azure", name, "", "bob", "a bug", now, None, f"k{name}"))
    return frozenset(names)
