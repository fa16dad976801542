"""Changing one version of a gallery: look, send once, wait for the end, look again.

Azure's answers carry no ETag, and a deletion takes no condition, so nothing is sent twice: each try begins with a
look at the version as it is then, which whoever asked for the change is shown. What Azure throttles is tried again
for as long as the budget of time lasts that all changes of the account share; what fails otherwise, some times.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.edits import Edit
from slipway.bot.clouds.azure.images.version_update import other_differences
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import Guard, VersionAbsentError
from slipway.bot.clouds.throttling import ThrottleGate
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.waiting import Sleep

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.images.arm import Arm, VersionDocument

_UNSURE = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.BROKEN, CloudErrorKind.TIMED_OUT})
"""After these, a change may or may not have been taken."""

_PREEMPTED = "OperationPreempted"
"""The code of a change that a newer one took the place of: not refused, and perhaps needed no more."""


@dataclass(frozen=True)
class VersionChanges:
    """Changes of versions. Whoever calls sets the limit of time.

    Attributes:
        account: for errors.
        settings: how often to try where something fails, and how long to wait then at Azure's request at most.
        gate: where changes wait that Azure throttles. It is not that of reads, which Azure counts apart: reads that
            are served say nothing of changes.
        open: gives the client.
        read: reads a version; VersionAbsentError where it is certain that there is none.
        backoff: seconds before the second try where Azure does not say; doubles.
        polling: seconds between two looks at a version that something is under way with.
        sleep: lets time pass.
    """

    account: AzureAccount
    settings: AzureSettings
    gate: ThrottleGate
    open: Callable[[], Awaitable[Arm]]
    read: Callable[[str, VersionNumber], Awaitable[VersionDocument]]
    backoff: float
    polling: float
    sleep: Sleep

    async def update(
        self, definition: str, number: VersionNumber, edit: Edit, action: str, guard: Guard | None
    ) -> tuple[str, ...]:
        """Make an edit, and wait for the end of it; what else of the version is other than before is returned."""
        before = await self._update(definition, number, edit, action, guard, waits=True)
        return await self._differences(before, definition, number, edit)

    async def begin(
        self, definition: str, number: VersionNumber, edit: Edit, action: str, guard: Guard | None
    ) -> None:
        """Have an edit taken, and wait for no end: nothing is sent where it was taken before and goes on."""
        await self._update(definition, number, edit, action, guard, waits=False)

    async def _update(
        self,
        definition: str,
        number: VersionNumber,
        edit: Edit,
        action: str,
        guard: Guard | None,
        *,
        waits: bool,
    ) -> VersionDocument | None:
        """Make an edit; what was read before it was written last, None where nothing was written."""
        lost: CloudError | None = None
        before: VersionDocument | None = None
        failures = 0
        with self.gate:
            while True:
                sent_in = await self.gate.enter()
                preempted = lost is not None and lost.code == _PREEMPTED
                with self._looking(again=lost is not None, action=action):
                    read = await self._until_idle(
                        definition, number, edit, action, patient=preempted, waits=waits
                    )
                # A failed version gets its write even if it looks right: the write before it ended halfway.
                if read is None:
                    return before
                if guard is not None:
                    guard(read.version)
                before = read
                lost = await self._write(read, edit, action, waits=waits)
                if lost is None:
                    self.gate.served()
                    return before
                failures += lost.kind is not CloudErrorKind.THROTTLED
                if not await self._again(lost, failures, sent_in):
                    break
        # The last write, too, may have been taken.
        with self._looking(again=True, action=action):
            read = await self._until_idle(definition, number, edit, action, waits=waits)
        if read is not None:
            raise lost
        return before

    async def delete(self, definition: str, number: VersionNumber, action: str, guard: Guard | None) -> None:
        """Delete a version; one that is gone already is no error."""
        lost: CloudError | None = None
        failures = 0
        with self.gate:
            while True:
                sent_in = await self.gate.enter()
                if lost is not None or guard is not None:
                    with self._looking(again=lost is not None, action=action):
                        found = await self._until_not_deleting(definition, number)
                    if found is None:
                        return
                    if guard is not None:
                        guard(found)
                lost = await self._delete_once(definition, number, action)
                if lost is None:
                    self.gate.served()
                    return
                failures += lost.kind is not CloudErrorKind.THROTTLED
                if not await self._again(lost, failures, sent_in):
                    break
        with self._looking(again=True, action=action):
            found = await self._until_not_deleting(definition, number)
        if found is not None:
            raise lost

    @contextmanager
    def _looking(self, *, again: bool, action: str) -> Iterator[None]:
        """Around a look; where something was sent before it, a look that fails leaves that open, and says so."""
        try:
            yield
        except CloudError as blind:
            settled = isinstance(blind, VersionAbsentError) or blind.kind is CloudErrorKind.CONFLICT
            if settled or not again:
                raise
            raise blind.after(f"{self.account.title} was asked to {action}") from blind

    async def _write(
        self, read: VersionDocument, edit: Edit, action: str, *, waits: bool
    ) -> CloudError | None:
        """Send a write and, if asked to, wait for its end; the error after which it is worth looking, and perhaps
        trying, again."""
        definition, number = read.version.definition, read.version.number
        arm = await self.open()
        try:
            poller = await arm.begin_write(read, edit, action=action)
        except CloudError as error:
            # aiohttp sends a write again, unasked, when a kept connection breaks: the first one was taken, and the
            # second one refused because of it. Look whether it has come to its end.
            if self._not_taken(error) or await self._took_it(error, definition, number, edit):
                return error
            raise
        if not waits:
            return None
        try:
            await arm.finish(poller, action=action)
        except CloudError as error:
            settled = not (error.doubtful or error.code == _PREEMPTED)
            if settled and not await self._took_it(error, definition, number, edit):
                raise
            return error
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
            settled = not (error.doubtful or error.code == _PREEMPTED)
            if settled and not await self._is_going(error, definition, number):
                raise
            return error
        return None

    async def _differences(
        self, before: VersionDocument | None, definition: str, number: VersionNumber, edit: Edit
    ) -> tuple[str, ...]:
        """What of the version is other than when it was read to be written; nothing where nothing was written."""
        if before is None:
            return ()
        try:
            after = await self.read(definition, number)
        except CloudError as blind:
            raise blind.after(f"{self.account.title} took the change of {number} of {definition}") from blind
        return other_differences(before.document, after.document, edit.paths)

    async def _again(self, lost: CloudError, failures: int, sent_in: int) -> bool:
        """Whether to look and try again, once it is time to: as long after as Azure asked for, or else a little
        longer each time.

        Args:
            lost: what became of the last try.
            failures: how many tries failed, throttles not counted.
            sent_in: the gate's round in which the last one was sent.

        Raises:
            CloudError: ``lost``, where it is a throttle and the budget does not reach: that was not taken.
        """
        if lost.kind is CloudErrorKind.THROTTLED:
            if not await self.gate.refused(sent_in, lost.retry_after):
                raise lost
            return True
        self.gate.served()
        if failures >= self.settings.max_attempts:
            return False
        asked = lost.retry_after
        await self.sleep(self.backoff * 2 ** (failures - 1) if asked is None else max(asked, 0))
        return True

    def _not_taken(self, error: CloudError) -> bool:
        """Whether Azure did not take a change yet, or nobody knows, so that looking and asking again may help."""
        if error.kind is CloudErrorKind.THROTTLED:
            return True
        asked = error.retry_after
        if asked is not None and asked > self.settings.timeout.total_seconds():
            return False
        return error.kind in _UNSURE or error.code == _PREEMPTED

    async def _until_idle(
        self,
        definition: str,
        number: VersionNumber,
        edit: Edit,
        action: str,
        *,
        patient: bool = False,
        waits: bool = True,
    ) -> VersionDocument | None:
        """The version once nothing changes it, or None where it has become as wanted; without ``waits``, also where
        it is on the way there.

        ``patient`` waits for the end of another update, too, such as one that took the place of ours.

        Raises:
            CloudError: CONFLICT where something else than such a write is under way.
        """
        while True:
            read = await self.read(definition, number)
            wanted = edit.made(read.version)
            match read.version.state:
                case VersionState.SUCCEEDED:
                    return None if wanted else read
                case VersionState.FAILED:
                    return read
                case VersionState.UPDATING if wanted and not waits:
                    return None
                case VersionState.UPDATING if wanted or patient:
                    await self.sleep(self.polling)
                case _:
                    raise self.account.error(
                        CloudErrorKind.CONFLICT,
                        f"{self.account.title} was not asked to {action}: "
                        f"the version is {_shown(read.version)} right now.",
                    )

    async def _took_it(self, error: CloudError, definition: str, number: VersionNumber, edit: Edit) -> bool:
        """Whether a write that was refused as contradicting something has been made all the same."""
        if error.kind is not CloudErrorKind.CONFLICT:
            return False
        version = await self._present(definition, number)
        if version is None or version.state is VersionState.FAILED:
            return False
        return edit.made(version)

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
            await self.sleep(self.polling)

    async def _present(self, definition: str, number: VersionNumber) -> ImageVersion | None:
        """The version; None where it is certain that there is none."""
        try:
            return (await self.read(definition, number)).version
        except VersionAbsentError:
            return None


def _shown(version: ImageVersion) -> str:
    """Its state within a sentence."""
    return f"“{version.state_title}”" if version.state is VersionState.UNKNOWN else version.state.lower()
