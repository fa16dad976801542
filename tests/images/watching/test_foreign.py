"""Whatever is done by whomever in whatever order: ours is never told as foreign, and what is foreign is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slipway.bot.chat.model import Card, Platform, Room
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_evidence import Outcome
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.operations.model import Operation, OperationState, Plan
from slipway.bot.operations.watches import Spot, WatchHost
from slipway.bot.subjects.images.adopting.model import ForeignChange
from slipway.bot.subjects.images.cleaning_up.retention import Rule
from slipway.bot.subjects.images.evidence.steps import RecordVerdict
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.steps import DeleteVersion, FlagReason, SetExcluded, VersionStep
from slipway.bot.subjects.images.watching.authors import AuthorLookup
from slipway.bot.subjects.images.watching.change import Aspect, changes, holds, seen
from slipway.bot.subjects.images.watching.foreign import effects, is_ours
from slipway.bot.subjects.images.watching.survey import Survey
from slipway.bot.subjects.images.watching.told import ToldChanges
from slipway.bot.subjects.images.watching.watcher import Watcher
from tests.images.builders import MemoryGallery, promoted, version
from tests.images.watching.memory import MemoryForeignChanges
from tests.support.azure import X64

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
EVERY = timedelta(minutes=30)
NUMBERS = ("43.1.0", "43.2.0", "43.3.0")


def flag(number: str, *, excluded: bool) -> SetExcluded:
    return SetExcluded(definition=X64, version=number, cloud="azure", excluded=excluded, why=FlagReason.NAMED)


def deletion(number: str) -> DeleteVersion:
    return DeleteVersion(definition=X64, version=number, cloud="azure", rule=Rule.CANDIDATES, promoted=False)


def operation(
    step: VersionStep, state: OperationState = OperationState.RUNNING, ended: datetime | None = None
) -> Operation:
    """An operation of this one step; of the rest nothing is asked."""
    plan: dict[str, Any] = {"steps": (step,)}
    values: dict[str, Any] = {"state": state, "ended_at": ended, "plan": Plan.model_construct(**plan)}
    return Operation.model_construct(**values)


@dataclass
class World:
    """A gallery, whoever changes it, and the bot that watches it and may die."""

    gallery: MemoryGallery = field(
        default_factory=lambda: MemoryGallery(*(version(number) for number in NUMBERS), promoted("43.0.0"))
    )
    kept: dict[str, str] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    said: dict[str, Card] = field(default_factory=dict)
    foreign: MemoryForeignChanges = field(default_factory=MemoryForeignChanges)
    now: datetime = NOW
    saves_left: int | None = None
    mute: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new process."""
        clouds = Clouds([Adapter("azure", {IMAGE_VERSIONS: self.gallery})])
        room = Room(platform=Platform("matrix"), id="!r:x")
        self.watcher = Watcher(
            clouds,
            Survey(clouds, lambda: self.now),
            self,
            self,
            ToldChanges(
                clouds,
                self,
                self.foreign,
                name=str.title,
                authors=AuthorLookup(clouds, self.foreign, lambda: self.now),
                clock=lambda: self.now,
                room=room,
                prefix="!",
            ),
            clock=lambda: self.now,
            every=EVERY,
            room=room,
            prefix="!",
        )

    async def load(self, name: str) -> str | None:
        return self.kept.get(name)

    async def save(self, name: str, value: str) -> None:
        if self.saves_left is not None:
            self.saves_left -= 1
            if self.saves_left < 0:
                raise RuntimeError("the process is gone")
        self.kept[name] = value

    async def about(self, target: str, limit: int) -> Sequence[Operation]:
        del limit
        return [
            each
            for each in self.operations
            if any(isinstance(step, VersionStep) and step.target == target for step in each.plan.steps)
        ]

    async def recent(self, limit: int) -> Sequence[Operation]:
        del limit
        return self.operations

    async def edit(self, key: str, card: Card, spot: Spot) -> None:
        if key in self.said:
            await self.say(key, card, spot)

    async def say(self, key: str, card: Card, spot: Spot) -> None:
        del spot
        if self.mute:
            raise RuntimeError("the process is gone")
        self.said[key] = card

    def look(self) -> None:
        self.now += EVERY
        asyncio.run(self.watcher.look(cast("WatchHost", self)))  # nothing else of it is asked than to say

    def set(self, number: str, *, excluded: bool) -> None:
        if VersionNumber.parse(number) in self.gallery.held[X64]:
            self.gallery.change(X64, number, excluded=excluded)

    @property
    def lines(self) -> list[str]:
        told = [line for card in self.said.values() for line in card.text.splitlines()]
        return [line.partition(" That is not so any more")[0] for line in told]


class OurWorld(World):
    """A world in which only operations of ours change anything, some of them late."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.late: list[VersionStep] = []

    def begin(self, step: VersionStep, *, late: bool) -> None:
        """An operation begins, and its step shows at once, or later."""
        self.operations.append(operation(step))
        self.late.append(step)
        if not late:
            self.arrive()

    def arrive(self) -> None:
        """The cloud has carried out all that it was asked for."""
        for step in self.late:
            if isinstance(step, SetExcluded):
                self.set(step.version, excluded=step.excluded)
            else:
                self.gallery.held[X64].pop(VersionNumber.parse(step.version), None)
        self.late.clear()

    def end(self, state: OperationState) -> None:
        """All operations end; what is done was seen to be, and what failed may be carried out after that."""
        if state is OperationState.DONE:
            self.arrive()
        ends = {"state": state, "ended_at": self.now}
        self.operations = [
            each if each.ended_at is not None else each.model_copy(update=ends) for each in self.operations
        ]

    def do(self, act: str, number: str, flagged: bool, late: bool) -> None:
        """One of these things happens."""
        match act:
            case "flag":
                self.begin(flag(number, excluded=flagged), late=late)
            case "delete":
                self.begin(deletion(number), late=late)
            case "done" | "failed":
                self.end(OperationState(act))
            case "arrive":
                self.arrive()
            case "restart":
                self.start()
            case _:
                self.look()
                self.arrive()  # within half an hour, which is less than a cloud may take


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["flag", "delete", "done", "failed", "arrive", "restart", "look"]),
            st.sampled_from(NUMBERS),
            st.booleans(),
            st.booleans(),
        ),
        max_size=25,
    )
)
@example([("delete", NUMBERS[0], False, True), ("failed", "", False, False), ("look", "", False, False)])
def test_an_operation_of_ours_is_never_told_as_foreign(done: list[tuple[str, str, bool, bool]]) -> None:
    world = OurWorld()
    world.look()
    for each in done:
        world.do(*each)
    world.look()
    assert world.lines == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["promote", "hide", "delete", "add", "nothing"]),
            st.sampled_from(NUMBERS),
            st.sampled_from(
                [
                    "lives",
                    "restarts",
                    "dies before speaking",
                    "dies at the 1st save",
                    "dies at the 2nd save",
                    "fails",
                ]
            ),
        ),
        max_size=12,
    )
)
def test_each_foreign_change_is_told_exactly_once_over_restarts(done: list[tuple[str, str, str]]) -> None:
    world = World()
    world.look()
    expected: list[str] = []
    for act, number, fate in done:
        has = VersionNumber.parse(number) in world.gallery.held[X64]
        was = has and not world.gallery.held[X64][VersionNumber.parse(number)].excluded
        if act in ("promote", "hide") and has and was == (act == "hide"):
            world.set(number, excluded=act == "hide")
            verb = "was taken back from latest" if was else "was promoted"
            expected.append(f"{number} {verb} in eastus and westus.")
        elif act == "delete" and has:
            del world.gallery.held[X64][VersionNumber.parse(number)]
            expected.append(f"{number} was deleted.")
        elif act == "add" and not has:
            world.gallery.put(version(number))  # an upload is no change
        if fate == "fails":
            world.gallery.failing[X64] = CloudError(
                CloudErrorKind.UNEXPECTED_ANSWER, cloud="azure", sentence="It is down."
            )
            world.look()
            world.gallery.failing.clear()
        if fate.startswith("dies"):
            world.mute = "speaking" in fate
            world.saves_left = None if world.mute else 0 if "1st" in fate else 1
            with suppress(RuntimeError):
                world.look()
            world.saves_left, world.mute = None, False
        if fate != "lives":
            world.start()
        world.look()
        assert sorted(world.lines) == sorted(expected)
        there = {str(each.number): seen(each) for each in world.gallery.held[X64].values()}
        kept = world.foreign.kept.values()
        assert all(holds(each.change, there.get(each.change.version)) for each in kept if each.open)
        over = sum(" That is not so any more" in card.text for card in world.said.values())
        assert over == sum(any(not each.open for each in kept if each.notice == n) for n in _notices(kept))
    world.look()
    assert sorted(world.lines) == sorted(expected)


def _notices(kept: Iterable[ForeignChange]) -> set[int]:
    return {each.notice for each in kept}


def test_a_listing_that_is_empty_by_mistake_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.look()
    with monkeypatch.context() as odd:
        odd.setattr(world.gallery, "versions", AsyncMock(return_value=VersionListing((), ())))
        world.look()
    world.look()
    assert world.lines == []


def test_that_somebody_deleted_every_version_is_told_once() -> None:
    world = World()
    world.look()
    world.gallery.held[X64] = {}
    world.look()
    world.look()
    assert sorted(world.lines) == [f"43.{number}.0 was deleted." for number in range(4)]


def test_what_is_still_uploaded_says_nothing_and_the_first_look_learns() -> None:
    world = World()
    world.look()
    world.gallery.put(replace(promoted("43.9.0"), state=VersionState.CREATING))
    world.look()
    assert world.lines == []
    world.gallery.put(promoted("43.9.0"))
    world.look()
    assert world.lines == ["43.9.0 came new, and is promoted in eastus and westus."]


def test_a_listing_that_lags_behind_the_version_itself_tells_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.look()
    before = world.gallery.held[X64][VersionNumber.parse("43.1.0")]

    async def by_itself(_definition: str, number: VersionNumber) -> ImageVersion:
        assert number == before.number
        return before

    monkeypatch.setattr(world.gallery, "version", by_itself)
    world.set("43.1.0", excluded=False)
    world.look()
    assert world.lines == []


def test_an_operation_that_does_something_else_explains_nothing() -> None:
    ours = effects(operation(flag("43.1.0", excluded=False)))
    target = Pin(definition=X64, version="43.1.0", cloud="azure").target
    held = {"43.1.0": seen(promoted("43.1.0"))}
    (hidden,) = changes(held, {"43.1.0": seen(version("43.1.0"))})
    assert hidden.aspect is Aspect.HIDDEN
    assert not is_ours(hidden, target, ours, NOW)
    (up,) = changes({"43.1.0": seen(version("43.1.0"))}, held)
    assert is_ours(up, target, ours, NOW)
    assert not is_ours(up, Pin(definition=X64, version="43.2.0", cloud="azure").target, ours, NOW)


@pytest.mark.parametrize(
    ("state", "hours", "explains"),
    [
        (OperationState.PROPOSED, None, False),
        (OperationState.REJECTED, 0, False),
        (OperationState.EXPIRED, 0, False),
        (OperationState.APPROVED, None, True),
        (OperationState.DONE, 0, True),
        (OperationState.DONE, 1, False),
        (OperationState.FAILED, 1, True),
        (OperationState.FAILED, 3, False),
    ],
)
def test_only_what_was_agreed_to_and_lately_carried_out_explains_a_change(
    state: OperationState, hours: int | None, explains: bool
) -> None:
    ended = None if hours is None else NOW - timedelta(hours=hours)
    ours = effects(operation(flag("43.1.0", excluded=False), state, ended))
    (up,) = changes({"43.1.0": seen(version("43.1.0"))}, {"43.1.0": seen(promoted("43.1.0"))})
    target = Pin(definition=X64, version="43.1.0", cloud="azure").target
    assert is_ours(up, target, ours, NOW) is explains
    verdict = RecordVerdict(
        definition=X64, version="43.1.0", cloud="azure", outcome=Outcome.FAILED, person="alice"
    )
    assert not effects(operation(verdict))
