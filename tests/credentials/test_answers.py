"""Answers about credentials whose end is only a rule of ours, and of what is declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Card, Room
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.access_keys import ACCESS_KEYS, AccessKey
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.operations.watches import Spot
from slipway.bot.people import People
from slipway.bot.subjects.credentials.answers import Answers
from slipway.bot.subjects.credentials.executors import KeepAnswerExecutor
from slipway.bot.subjects.credentials.inventory import Inventory
from slipway.bot.subjects.credentials.planners import DonePlanner, SnoozePlanner
from slipway.bot.subjects.credentials.requests import Done, Snooze
from slipway.bot.subjects.credentials.rotating.ledger import RotationLedger
from slipway.bot.subjects.credentials.rotating.staging import Workshop
from slipway.bot.subjects.credentials.services import CredentialServices
from slipway.bot.subjects.credentials.settings import CredentialSettings, ExpirySettings
from slipway.bot.subjects.credentials.steps import KeepAnswer
from slipway.bot.subjects.credentials.watcher import Watcher
from tests.support.clock import DAY, NOW, POLL_AT_ONCE
from tests.support.configuration import settings_of, valid_document
from tests.support.key_value_store import InMemoryStore


class Keys:
    """Fulfils :class:`slipway.bot.clouds.ports.access_keys.AccessKeys`: one user's keys."""

    def __init__(self, *keys: AccessKey) -> None:
        self.held = list(keys)

    async def users(self) -> tuple[str, ...]:
        return ("uploader",)

    async def keys(self, user: str) -> list[AccessKey]:
        if user != "uploader":
            raise CloudError(CloudErrorKind.NOT_FOUND, cloud="aws", sentence="There is no such user.")
        return self.held

    async def close(self) -> None:
        """Holds nothing."""


def key(number: int, *, age: timedelta, active: bool = True) -> AccessKey:
    """A key of the user."""
    return AccessKey(f"AKIA{number:016}", "uploader", active, NOW - age, NOW - DAY, "ec2")


def services(keys: Keys, **entry: object) -> CredentialServices:
    plain = {"owner": "alice", "user": "uploader", **entry}
    inventory = Inventory(
        {"ec2": CredentialSettings.model_validate(plain)},
        Clouds([Adapter("aws", {ACCESS_KEYS: keys})]),
        {},
        90 * DAY,
    )
    people = People(settings_of(valid_document()))
    store = InMemoryStore()
    shop = Workshop(Clouds(), RotationLedger(store), lambda _: (), lambda: NOW, POLL_AT_ONCE)
    return CredentialServices(inventory, ExpirySettings(), people, lambda: NOW, Answers(store), shop)


async def test_a_key_that_is_too_old_is_done_once_its_source_accepts_it_no_more() -> None:
    old, new = key(1, age=100 * DAY), key(2, age=DAY)
    held = Keys(old, new)
    planner = DonePlanner(services(held))
    request = Done(person="alice", name=f"ec2/{old.id[-8:]}")
    with pytest.raises(UserError, match="accepts ec2/00000001 still, which is too old"):
        await planner.plan(request, NOW)
    held.held = [key(1, age=100 * DAY, active=False), new]
    draft = await planner.plan(request, NOW)
    assert draft.steps == ()
    assert "its source accepts it no more" in draft.summary


async def test_a_name_of_several_is_asked_about() -> None:
    with pytest.raises(UserError, match="ec2 has 2 credentials; say which") as caught:
        await SnoozePlanner(services(Keys(key(1, age=80 * DAY), key(2, age=88 * DAY)))).plan(
            Snooze(person="alice", name="ec2", seconds=60), NOW
        )
    assert set(caught.value.nearest) == {"ec2/00000001", "ec2/00000002"}


async def test_of_several_the_one_is_meant_of_which_somebody_is_reminded() -> None:
    planner = SnoozePlanner(services(Keys(key(1, age=80 * DAY), key(2, age=DAY))))
    draft = await planner.plan(Snooze(person="alice", name="ec2", seconds=86400), NOW)
    assert "ec2/00000001" in draft.summary


async def test_a_slip_in_a_tables_name_is_asked_about() -> None:
    with pytest.raises(UserError, match="There is no credential ec22") as caught:
        await DonePlanner(services(Keys(key(1, age=80 * DAY)))).plan(Done(person="alice", name="ec22"), NOW)
    assert "ec2" in caught.value.nearest


async def test_planned_again_later_it_means_the_same() -> None:
    planner = SnoozePlanner(services(Keys(key(1, age=80 * DAY))))
    draft = await planner.plan(Snooze(person="alice", name="EC2", seconds=3 * 86400), NOW)
    again = await planner.plan(draft.request, NOW + timedelta(minutes=5))
    assert again.steps == draft.steps
    assert again.request == draft.request
    (step,) = draft.steps
    assert isinstance(step, KeepAnswer)
    assert step.until == NOW + 3 * DAY


async def test_a_user_who_is_gone_is_told_with_the_clouds_words() -> None:
    planner = DonePlanner(services(Keys(), user="nobody"))
    with pytest.raises(UserError, match=r"nothing is believed of it: There is no such user\."):
        await planner.plan(Done(person="alice", name="ec2"), NOW)


async def test_an_answer_that_is_not_there_after_it_was_kept_is_no_answer(tmp_path: Path) -> None:
    store = InMemoryStore()
    executor = KeepAnswerExecutor(Answers(store), lambda: NOW)
    step = KeepAnswer(
        credential="k", name="ec2", ends_at=NOW + DAY, person="alice", until=NOW + timedelta(hours=1)
    )
    assert await executor.observe(step, "token") is None
    with pytest.raises(CloudError) as caught:
        await executor.verify(step, "token")
    assert caught.value.kind is CloudErrorKind.UNVERIFIED
    await executor.act(step, "token")
    await executor.act(step, "token")
    assert (await executor.verify(step, "token")).summary.startswith("Nobody is reminded of ec2 until")
    assert (await executor.observe(step, "token")) is not None
    assert await executor.observe(step, "another") is None


@dataclass
class Host:
    """Fulfils :class:`slipway.bot.operations.watches.WatchHost`, as far as it is asked here."""

    said: list[tuple[str, str]] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)

    async def say(self, key: str, card: Card, spot: Spot, *, below: str | None = None) -> None:
        self.said.append((f"{spot.room.platform}:{spot.room.id}", card.title))
        self.cards.append(card)

    async def say_alone(self, key: str, card: Card, person: str) -> bool:
        self.said.append((person, card.title))
        return True

    def mention(self, person: str, room: Room) -> tuple[str, ...]:
        return (f"@{person}",) if person == "alice" else ()


async def test_an_owner_whom_the_room_cannot_call_hears_of_it_alone() -> None:
    keys = Keys(key(1, age=100 * DAY))
    found = services(keys, owner="releng")  # alice and bob, who has no account there
    host: Any = Host()
    watcher = Watcher(
        found, InMemoryStore(), room=Room(platform=CONSOLE, id="releng"), prefix="!", zone=ZoneInfo("UTC")
    )
    await watcher.look(host)
    title = "ec2/00000001 has been too old for 10 days"
    assert host.said == [("console:releng", title), ("bob", title)]
    keys.held.clear()
    watcher.hasten()
    await watcher.look(host)
    gone = "ec2/00000001 is gone from its source"
    assert host.said[-2:] == [("console:releng", gone), ("bob", gone)]


async def test_of_what_slipway_toml_alone_knows_nothing_is_offered_that_would_be_refused() -> None:
    found = services(Keys(), user="", expires="2026-11-25")
    host: Any = Host()
    watcher = Watcher(
        found, InMemoryStore(), room=Room(platform=CONSOLE, id="releng"), prefix="!", zone=ZoneInfo("UTC")
    )
    await watcher.look(host)
    (card,) = host.cards
    assert [each.label for each in card.shortcuts] == ["Snooze for 3 days"]
    assert any("write its new date in slipway.toml" in each for each in card.notes)
    with pytest.raises(
        UserError, match=r"slipway.toml says that ec2 ends on 2026-11-25, .* start Slipway again"
    ):
        await DonePlanner(found).plan(Done(person="alice", name="ec2"), NOW)
