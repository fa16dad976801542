"""Who changed a version is asked for until the cloud's log tells, and never for longer than it may be late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from slipway.bot.chat.model import Card, Platform, Room
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_activity import Author, VersionEvent
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.operations.model import Operation
from slipway.bot.operations.watches import Spot, WatchHost
from slipway.bot.subjects.images.watching.authors import AuthorLookup
from slipway.bot.subjects.images.watching.probe import look as look_at_logs
from slipway.bot.subjects.images.watching.survey import Survey
from slipway.bot.subjects.images.watching.told import ToldChanges
from slipway.bot.subjects.images.watching.watcher import Watcher
from tests.images.builders import MemoryGallery, promoted, version
from tests.images.watching.memory import MemoryForeignChanges
from tests.support.ami_families import FAMILY, client, everywhere, shared_stages
from tests.support.azure import X64
from tests.support.clock import NOW
from tests.support.configuration import settings_of, valid_document

MINUTE = timedelta(minutes=1)
DAN = Author("dan@example.org", "the portal", NOW - MINUTE)
REFUSED = CloudError(CloudErrorKind.REFUSED, cloud="azure", sentence="Azure refused to show the log.")
AWAY = CloudError(CloudErrorKind.UNREACHABLE, cloud="azure", sentence="Azure did not answer.")


class LoggedGallery(MemoryGallery):
    """A gallery whose log says this."""

    log_title = "The log"
    logged_within = timedelta(minutes=20)

    def __init__(self) -> None:
        super().__init__(promoted("43.1.0"), version("43.2.0"))
        self.says: tuple[Author, ...] | CloudError = ()
        self.asked: list[tuple[VersionEvent, datetime, datetime]] = []

    async def authors(
        self,
        definition: str,
        number: VersionNumber,
        event: VersionEvent,
        ids: Sequence[str],
        during: tuple[datetime, datetime],
    ) -> tuple[Author, ...]:
        self.asked.append((event, *during))
        return await self._answer()

    async def try_log(self) -> None:
        await self._answer()

    async def _answer(self) -> tuple[Author, ...]:
        if isinstance(self.says, CloudError):
            raise self.says
        return self.says


@dataclass
class Watched:
    """A gallery that is watched, with what is kept and said, over any number of processes."""

    gallery: Any
    cloud: str = "azure"
    now: datetime = NOW
    kept: dict[str, str] = field(default_factory=dict)
    foreign: MemoryForeignChanges = field(default_factory=MemoryForeignChanges)
    said: dict[str, Card] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        clouds = Clouds([Adapter(self.cloud, {IMAGE_VERSIONS: self.gallery})])
        clock, room = (lambda: self.now), Room(platform=Platform("matrix"), id="!r:x")
        more: dict[str, Any] = {"clock": clock, "room": room, "prefix": "!"}
        authors = AuthorLookup(clouds, self.foreign, clock)
        told = ToldChanges(clouds, self, self.foreign, name=str.title, authors=authors, **more)
        every = timedelta(minutes=30)
        self.watcher = Watcher(clouds, Survey(clouds, clock), self, self, told, every=every, **more)

    async def load(self, name: str) -> str | None:
        return self.kept.get(name)

    async def save(self, name: str, value: str) -> None:
        self.kept[name] = value

    async def about(self, target: str, limit: int) -> Sequence[Operation]:
        return ()

    async def recent(self, limit: int) -> Sequence[Operation]:
        return ()

    async def edit(self, key: str, card: Card, spot: Spot) -> None:
        await self.say(key, card, spot)

    async def say(self, key: str, card: Card, spot: Spot) -> None:
        self.said[key] = card

    async def pass_(self, minutes: int) -> None:
        """Let minutes pass, and look after each."""
        for _ in range(minutes):
            self.now += MINUTE
            await self.watcher.look(cast("WatchHost", self))

    @property
    def text(self) -> str:
        return "\n".join(card.text for card in self.said.values())


async def changed() -> tuple[Watched, LoggedGallery]:
    """A version was promoted by somebody, and told."""
    gallery = LoggedGallery()
    watched = Watched(gallery)
    await watched.pass_(1)
    gallery.change(X64, "43.2.0", excluded=False)
    await watched.pass_(30)
    assert watched.text == "43.2.0 was promoted in eastus and westus."
    return watched, gallery


async def test_who_it_was_is_told_once_the_log_has_it_over_a_restart_and_not_asked_again() -> None:
    watched, gallery = await changed()
    watched.start()
    gallery.says = (DAN,)
    watched.now += MINUTE
    await watched.watcher.look(cast("WatchHost", watched))
    watched.now += 10 * MINUTE
    await watched.watcher.look(cast("WatchHost", watched))
    by = " by dan@example.org, through the portal, at 11:59 UTC."
    assert watched.text == f"43.2.0 was promoted in eastus and westus{by}"
    event, since, until = gallery.asked[0]
    assert (event, since <= NOW + MINUTE, until >= NOW + 31 * MINUTE) == (VersionEvent.PROMOTED, True, True)
    often = len(gallery.asked)
    await watched.pass_(60)
    assert len(gallery.asked) == often


@pytest.mark.parametrize(
    ("says", "ends", "most"),
    [
        ((), " The log names nobody for that.", 10),
        (AWAY, " By whom is not known: Azure did not answer.", 10),
        (REFUSED, " By whom is not known: Azure refused to show the log.", 2),
    ],
)
async def test_it_is_asked_a_few_times_and_then_said_that_it_is_not_known(
    says: tuple[Author, ...] | CloudError, ends: str, most: int
) -> None:
    watched, gallery = await changed()
    gallery.says = says
    await watched.pass_(50)
    assert watched.text == f"43.2.0 was promoted in eastus and westus.{ends}"
    assert 1 <= len(gallery.asked) <= most


async def test_on_aws_it_is_found_by_the_ids_that_a_version_had_also_when_it_is_gone() -> None:
    async with shared_stages() as stages:
        here = await stages.make(
            [*everywhere("20261101.0", public=True), *everywhere("20261108.0"), *everywhere("20261115.0")]
        )
        trail = here.aws.trail
        trail.arns["test"] = "arn:aws:iam::123456789012:user/dan"
        watched = Watched(here.images, "aws")
        trail.clock = lambda: watched.now
        await watched.pass_(1)
        for region in ("us-east-1", "eu-west-1"):
            ec2 = client(here.aws.url, region)
            gone, off = await here.id("20261108.0", region), await here.id("20261115.0", region)
            await asyncio.to_thread(ec2.deregister_image, ImageId=gone)
            await asyncio.to_thread(ec2.disable_image, ImageId=off)
        await watched.pass_(30)
        (card,) = watched.said.values()
        by = "by arn:aws:iam::123456789012:user/dan, through Boto3/"
        deleted, disabled = card.text.splitlines()
        assert deleted.startswith(f"43.20261108.0 was deleted {by}")
        assert disabled.startswith(f"43.20261115.0 was disabled {by}")
        assert f"Restore: `!restore {FAMILY}/43.20261115.0`" in card.notes
        assert not any("20261108.0`" in note and "restore" in note for note in card.notes)


async def test_doctor_warns_of_a_log_that_it_may_not_read_and_finds_nothing_wrong() -> None:
    gallery = LoggedGallery()
    clouds = Clouds([Adapter("azure", {IMAGE_VERSIONS: cast("Any", gallery)})])
    settings = settings_of({**valid_document(), "watching": {}})
    assert (await look_at_logs(settings, clouds)).detail == "told by The log"
    gallery.says = REFUSED
    found = await look_at_logs(settings, clouds)
    assert found.well
    (warning,) = found.warnings
    assert "so what others change is told without who did it" in warning
    assert "deploy/aws-policy.json and deploy/azure-role.json" in warning
