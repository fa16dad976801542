"""Deleted versions that the gallery keeps: which there are, until when, and bringing one back.

Soft delete is a preview of Azure Compute Gallery (learn.microsoft.com, “Soft Delete in Azure Compute Gallery”, 2025):
the gallery's ``softDeletePolicy`` says whether it is on, what was deleted is kept for seven days, and a PUT of the
version with nothing but its ``location`` brings it back (azure-cli's own recordings of 2026: answered 200, and the
whole old version is there, its old publication date included). So it comes back with its old flags, too: one that was
promoted may be latest until the write that follows has taken that from it. Whether a flag can be sent with that PUT
is not documented, and not tried.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import Name, cannot_be_read, is_azure_number, place_of
from slipway.bot.clouds.azure.images.changes import VersionChanges
from slipway.bot.clouds.azure.images.edits import FlagEverywhere
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_removal import DeletedVersion
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import Clock

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.images.arm import Arm

_QUERY: Mapping[str, str] = {"api-version": "2026-03-03"}
"""What azure-mgmt-compute 39 asks galleries for; soft delete needs 2024-03-03 at least."""

_USUAL = timedelta(days=7)
"""How long deleted versions are kept where the gallery does not say: the documentation has no other."""

_POLICY_KEPT = timedelta(minutes=5)
"""How long the gallery's policy is believed: a clean-up of hundreds of versions asks once for it."""

_BUSY = (VersionState.CREATING, VersionState.UPDATING, VersionState.MIGRATING, VersionState.DELETING)


class _Document(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Policy(_Document):
    is_soft_delete_enabled: StrictBool | None = None
    retention_period_in_days: StrictInt | None = Field(None, ge=1, le=3650)


class _GalleryProperties(_Document):
    soft_delete_policy: _Policy | None = None


class _Gallery(_Document):
    properties: _GalleryProperties


class _DeletedProperties(_Document):
    resource_arm_id: StrictStr = ""
    soft_deleted_time: StrictStr


class _Deleted(_Document):
    name: Name
    location: Name
    properties: _DeletedProperties


@dataclass
class DeletedVersions:
    """The deleted versions of one gallery.

    Attributes:
        account: for errors.
        gallery: its path.
        open: gives the client.
        changes: takes a version out of latest that came back as one that is promoted.
        polling: seconds between two looks at a version that comes back.
        clock: the present.
    """

    account: AzureAccount
    gallery: str
    open: Callable[[], Awaitable[Arm]]
    changes: VersionChanges
    polling: float
    clock: Clock
    _kept_for: timedelta | None = field(default=None, init=False)
    _asked_at: datetime | None = field(default=None, init=False)

    async def kept_for(self) -> timedelta | None:
        """How long what is deleted is kept; None where it is not."""
        now = self.clock()
        if self._asked_at is None or not timedelta() <= now - self._asked_at <= _POLICY_KEPT:
            arm = await self.open()
            answer = await arm.ask("GET", self.gallery, _QUERY, action="show the gallery")
            self._kept_for = _kept_for(self._read(_Gallery, answer.body, "the gallery").properties)
            self._asked_at = now
        return self._kept_for

    async def of(self, definition: str) -> tuple[DeletedVersion, ...]:
        """What is kept of a definition."""
        kept_for = await self.kept_for()
        if kept_for is None:
            return ()
        return tuple(
            DeletedVersion(definition, number, at, at + kept_for, self.account.name)
            for number, (at, _location) in (await self._listed(definition)).items()
        )

    async def bring_back(self, definition: str, number: VersionNumber, action: str) -> None:
        """Bring one back, wait until Azure has finished, and see to it that it is promoted nowhere.

        Each try begins with a look: what came back meanwhile is not asked for again. Whoever calls sets the limit of
        time.
        """
        failures = 0
        gate = self.changes.gate
        with gate:
            while True:
                sent_in = await gate.enter()
                if await self._is_back(definition, number):
                    break
                lost = await self._ask(definition, number, action)
                if lost is None:
                    gate.served()
                    failures = 0
                    await self.changes.sleep(self.polling)  # taken: a look may lag behind
                    continue
                if lost.kind is CloudErrorKind.THROTTLED:
                    if not await gate.refused(sent_in, lost.retry_after):
                        raise lost
                    continue
                gate.served()
                failures += 1
                if failures >= self.changes.settings.max_attempts:
                    raise lost
                await self.changes.sleep(self.changes.backoff * 2 ** (failures - 1))
        await self.changes.update(definition, number, FlagEverywhere(excluded=True), action, None)

    async def _is_back(self, definition: str, number: VersionNumber) -> bool:
        """Whether it is there, once nothing is under way with it (any more)."""
        while True:
            found = await self._present(definition, number)
            if found is None or found.state not in _BUSY:
                return found is not None
            await self.changes.sleep(self.polling)

    async def _present(self, definition: str, number: VersionNumber) -> ImageVersion | None:
        """The version; None where it is certain that there is none."""
        try:
            return (await self.changes.read(definition, number)).version
        except VersionAbsentError:
            return None

    async def _ask(self, definition: str, number: VersionNumber, action: str) -> CloudError | None:
        """Ask for it once; the error after which it is worth looking, and perhaps asking, again.

        Raises:
            VersionAbsentError: it is not kept (any more).
        """
        kept = (await self._listed(definition)).get(number)
        if kept is None:
            raise VersionAbsentError(
                cloud=self.account.name,
                sentence=f"{self.account.title} does not keep {number} of {definition} any more.",
            )
        arm = await self.open()
        path = f"{self.gallery}/images/{quote(definition, safe='')}/versions/{number}"
        try:
            await arm.ask("PUT", path, _QUERY, {"location": kept[1]}, action=action)
        except CloudError as error:
            if error.kind is CloudErrorKind.THROTTLED or error.doubtful or error.kind in _PASSING:
                return error
            # aiohttp sends a write again, unasked, when a kept connection breaks: the first one was taken, and the
            # second one refused because of it.
            if await self._present(definition, number) is None:
                raise
        return None

    async def _listed(self, definition: str) -> dict[VersionNumber, tuple[datetime, str]]:
        """When each was deleted, and where it was. What no version of ours could be called is none."""
        arm = await self.open()
        what = f"deleted versions of {definition}"
        path = (
            f"{self.gallery}/softDeletedArtifactTypes/images/artifacts/{quote(definition, safe='')}/versions"
        )
        listing = arm.listing(path, _QUERY, f"the {what}")
        pages = []
        while not listing.ended:
            pages.append(await listing.next_page())
        found: dict[VersionNumber, tuple[datetime, str]] = {}
        for entry in chain.from_iterable(pages):
            read = self._read(_Deleted, entry, what)
            number = _number(read)
            if number is not None:
                found[number] = (self._moment(read.properties.soft_deleted_time, what), read.location)
        return found

    def _moment(self, text: str, what: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise cannot_be_read(what, "properties.softDeletedTime", self.account) from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def _read(self, part: type[Any], document: object, what: str) -> Any:
        try:
            return part.model_validate(document)
        except ValidationError as error:
            raise cannot_be_read(what, place_of(error), self.account) from error


_PASSING = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.BROKEN, CloudErrorKind.TIMED_OUT})
"""After these it may have been taken, or may be taken the next time."""


def _kept_for(properties: _GalleryProperties) -> timedelta | None:
    policy = properties.soft_delete_policy
    if policy is None or policy.is_soft_delete_enabled is not True:
        return None
    days = policy.retention_period_in_days
    return _USUAL if days is None else timedelta(days=days)


def _number(found: _Deleted) -> VersionNumber | None:
    """Its number: by its own id where that is told, whose last part is the version's name, or by the entry's name."""
    own = found.properties.resource_arm_id.rstrip("/").rpartition("/")[2] or found.name
    try:
        number = VersionNumber.parse(own)
    except ValueError:
        return None
    return number if is_azure_number(number) else None
