"""Changing one version of a gallery: look, send once, wait for the end, look again.

Azure's answers carry no ETag, and a deletion takes no condition, so nothing is sent twice: each try begins with a
look at the version as it is then, which whoever asked for the change is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.version_update import other_differences
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import Guard, VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.arm import Arm, VersionDocument

_UNSURE = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.BROKEN, CloudErrorKind.TIMED_OUT})
"""After these, a change may or may not have been taken."""

_PREEMPTED = "OperationPreempted"
"""The code of a change that a newer one took the place of: not refused, and perhaps needed no more."""


@dataclass(frozen=True)
class VersionChanges:
    """Changes of versions. Whoever calls sets the limit of time.

    Attributes:
        account: for errors.
        settings: how often to try, and how long to wait at Azure's request at most.
        open: gives the client.
        read: reads a version; VersionAbsentError where it is certain that there is none.
        backoff: seconds before the second try where Azure does not say; doubles.
        polling: seconds between two looks at a version that something is under way with.
    """

    account: AzureAccount
    settings: AzureSettings
    open: Callable[[], Awaitable[Arm]]
    read: Callable[[str, VersionNumber], Awaitable[VersionDocument]]
    backoff: float
    polling: float

    async def set_excluded(
        self, definition: str, number: VersionNumber, excluded: bool, action: str, guard: Guard | None
    ) -> tuple[str, ...]:
        """Set a version's flag, and that of every region that has one; what else is other than before is returned."""
        lost: CloudError | None = None
        before: VersionDocument | None = None
        for attempt in range(self.settings.max_attempts):
            await self._pause(attempt, lost)
            preempted = lost is not None and lost.code == _PREEMPTED
            read = await self._until_idle(definition, number, excluded, action, patient=preempted)
            # A failed version gets its write even if the flag looks right: the write before it ended halfway.
            if read is None:
                return await self._differences(before, definition, number)
            if guard is not None:
                guard(read.version)
            before = read
            lost = await self._write(read, excluded, action)
            if lost is None:
                return await self._differences(before, definition, number)
        # The last write, too, may have been taken.
        if lost is not None and await self._until_idle(definition, number, excluded, action) is not None:
            raise lost
        return await self._differences(before, definition, number)

    async def delete(self, definition: str, number: VersionNumber, action: str, guard: Guard | None) -> None:
        """Delete a version; one that is gone already is no error."""
        lost: CloudError | None = None
        for attempt in range(self.settings.max_attempts):
            await self._pause(attempt, lost)
            if attempt or guard is not None:
                found = await self._until_not_deleting(definition, number)
                if found is None:
                    return
                if guard is not None:
                    guard(found)
            lost = await self._delete_once(definition, number, action)
            if lost is None:
                return
        if lost is not None and await self._until_not_deleting(definition, number) is not None:
            raise lost

    async def _write(self, read: VersionDocument, excluded: bool, action: str) -> CloudError | None:
        """Send a write and wait for its end; the error after which it is worth looking, and perhaps trying, again."""
        definition, number = read.version.definition, read.version.number
        arm = await self.open()
        try:
            poller = await arm.begin_write(read, excluded=excluded, action=action)
        except CloudError as error:
            # aiohttp sends a write again, unasked, when a kept connection breaks: the first one was taken, and the
            # second one refused because of it. Look whether it has come to its end.
            if self._not_taken(error) or await self._took_it(error, definition, number, excluded):
                return error
            raise
        try:
            await arm.finish(poller, action=action)
        except CloudError as error:
            if error.code == _PREEMPTED or await self._took_it(error, definition, number, excluded):
                return error
            raise
        return None

    async def _delete_once(self, definition: str, number: VersionNumber, action: str) -> CloudError | None:
        """Send a deletion and wait for its end; the error after which it is worth looking, and perhaps trying,
        again."""
        arm = await self.open()
        try:
            poller = await arm.begin_delete(definition, number, action=action)
        except CloudError as error:
            if self._not_taken(error) or await self._is_going(error, definition, number):
                return error
            raise
        try:
            await arm.finish(poller, action=action)
        except CloudError as error:
            if error.code == _PREEMPTED or await self._is_going(error, definition, number):
                return error
            raise
        return None

    async def _differences(
        self, before: VersionDocument | None, definition: str, number: VersionNumber
    ) -> tuple[str, ...]:
        """What of the version is other than when it was read to be written; nothing where nothing was written."""
        if before is None:
            return ()
        return other_differences(before.document, (await self.read(definition, number)).document)

    async def _pause(self, attempt: int, lost: CloudError | None) -> None:
        """Wait before another try: as long as Azure asked for, or else a little longer each time."""
        if not attempt:
            return
        asked = lost.retry_after if lost is not None else None
        await asyncio.sleep(self.backoff * 2 ** (attempt - 1) if asked is None else max(asked, 0))

    def _not_taken(self, error: CloudError) -> bool:
        """Whether Azure did not take a change yet, or nobody knows, so that looking and asking again may help."""
        asked = error.retry_after
        if asked is not None and asked > self.settings.timeout.total_seconds():
            return False
        return error.kind is CloudErrorKind.THROTTLED or error.kind in _UNSURE or error.code == _PREEMPTED

    async def _until_idle(
        self, definition: str, number: VersionNumber, excluded: bool, action: str, *, patient: bool = False
    ) -> VersionDocument | None:
        """The version once nothing changes it, or None where it has become as wanted.

        ``patient`` waits for the end of another update, too, such as one that took the place of ours.

        Raises:
            CloudError: CONFLICT where something else than such a write is under way.
        """
        while True:
            read = await self.read(definition, number)
            wanted = _is_flagged(read.version, excluded)
            match read.version.state:
                case VersionState.SUCCEEDED:
                    return None if wanted else read
                case VersionState.FAILED:
                    return read
                case VersionState.UPDATING if wanted or patient:
                    await asyncio.sleep(self.polling)
                case state:
                    raise self.account.error(
                        CloudErrorKind.CONFLICT,
                        f"{self.account.title} was not asked to {action}: the version is {state.lower()} right now.",
                    )

    async def _took_it(
        self, error: CloudError, definition: str, number: VersionNumber, excluded: bool
    ) -> bool:
        """Whether a write that was refused as contradicting something has been made all the same."""
        if error.kind is not CloudErrorKind.CONFLICT:
            return False
        version = await self._present(definition, number)
        if version is None or version.state is VersionState.FAILED:
            return False
        return _is_flagged(version, excluded)

    async def _is_going(self, error: CloudError, definition: str, number: VersionNumber) -> bool:
        """Whether a version whose deletion was refused is gone, or being deleted already."""
        if error.kind not in (CloudErrorKind.CONFLICT, CloudErrorKind.NOT_FOUND):
            return False
        version = await self._present(definition, number)
        return version is None or version.state is VersionState.DELETING

    async def _until_not_deleting(self, definition: str, number: VersionNumber) -> ImageVersion | None:
        """The version once it is not being deleted (any more); None where it is gone."""
        while True:
            found = await self._present(definition, number)
            if found is None or found.state is not VersionState.DELETING:
                return found
            await asyncio.sleep(self.polling)

    async def _present(self, definition: str, number: VersionNumber) -> ImageVersion | None:
        """The version; None where it is certain that there is none."""
        try:
            return (await self.read(definition, number)).version
        except VersionAbsentError:
            return None


def _is_flagged(version: ImageVersion, excluded: bool) -> bool:
    """Whether the flag, and every region's own, is set so."""
    own = {region.excluded for region in version.regions} - {None}
    return version.excluded is excluded and own <= {excluded}
