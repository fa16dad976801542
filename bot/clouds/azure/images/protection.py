"""Having Azure itself refuse to delete a version: by its safety profile until its end of life, or by a lock.

Both are known again: the block by a tag that is written with it, the lock by its name. A version that a lock around
it holds, or a block of somebody else's, is protected already, and nothing of that is ever taken off here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.changes import VersionChanges
from slipway.bot.clouds.azure.images.edits import BlockDeletion
from slipway.bot.clouds.azure.images.locks import API_VERSION, own_lock
from slipway.bot.clouds.azure.settings import ProtectionBy
from slipway.bot.clouds.model import ImageVersion, Lock, VersionNumber
from slipway.bot.clouds.ports.image_protection import ProtectionSeen
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import Clock

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.images.arm import Arm, VersionDocument

_TITLES = {
    ProtectionBy.END_OF_LIFE: "Azure's block of deletion before end of life",
    ProtectionBy.LOCK: "a lock of Azure's",
}

_UNSURE = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.BROKEN, CloudErrorKind.TIMED_OUT})
"""After these, a change of a lock may or may not have been made."""


@dataclass(frozen=True)
class VersionProtection:
    """Protects versions of one gallery, and lifts that.

    Attributes:
        account: whose they are; it names the deployment.
        by: what protects from now on.
        gallery: its resource id.
        changes: changes versions.
        locks: lists the locks that hold versions of the gallery.
        open: gives the client.
        read: reads a version.
        clock: the present, for ends of life.
    """

    account: AzureAccount
    by: ProtectionBy
    gallery: str
    changes: VersionChanges
    locks: Callable[[], Awaitable[tuple[Lock, ...]]]
    open: Callable[[], Awaitable[Arm]]
    read: Callable[[str, VersionNumber], Awaitable[VersionDocument]]
    clock: Clock

    @property
    def title(self) -> str:
        """By what versions are protected."""
        return _TITLES[self.by]

    async def seen(self, versions: Sequence[ImageVersion]) -> tuple[ProtectionSeen, ...]:
        """How each of these, as it was read, is protected."""
        locks = await self._known_locks()
        return tuple(self._one(each, locks) for each in versions)

    async def protect(
        self, definition: str, number: VersionNumber, action: str, guard: Guard | None
    ) -> tuple[str, ...]:
        """Block or lock it, unless something protects it already."""
        version = (await self.read(definition, number)).version
        seen = self._one(version, await self._known_locks())
        if seen.on:
            return ()
        if seen.obstacle:
            raise self.account.error(
                CloudErrorKind.CONFLICT, f"{number} of {definition} {seen.obstacle}; it was not protected."
            )
        if self.by is ProtectionBy.END_OF_LIFE:
            edit = BlockDeletion(True, self.account.deployment)
            return await self.changes.update(definition, number, edit, action, guard)
        if guard is not None:
            guard(version)
        notes = "Slipway protects what is latest. Its clean-up takes this off before it deletes the version."
        body = {"properties": {"level": "CanNotDelete", "notes": notes}}
        await self._change_lock("PUT", version, body, action, there=True)
        return ()

    async def lift(
        self, definition: str, number: VersionNumber, action: str, guard: Guard | None
    ) -> tuple[str, ...]:
        """Take off what is this Slipway's own: the lock first, since it is the lesser write."""
        version = (await self.read(definition, number)).version
        if self._own(version, await self._known_locks()):
            if guard is not None:
                guard(version)
            await self._change_lock("DELETE", version, None, action, there=False)
        if not version.kept_by_us:
            return ()
        edit = BlockDeletion(False, self.account.deployment)
        return await self.changes.update(definition, number, edit, action, guard)

    def _one(self, version: ImageVersion, locks: Sequence[Lock]) -> ProtectionSeen:
        now = self.clock()
        ended = version.end_of_life is not None and version.end_of_life < now
        blocked = version.kept_until_end_of_life and not ended
        holding = [lock for lock in locks if lock.holds(version.definition, version.number)]
        obstacle = ""
        if self.by is ProtectionBy.END_OF_LIFE and (ended or version.end_of_life is None):
            lacks = "reached its end of life" if ended else "has no end of life"
            obstacle = f"{lacks}, and Azure blocks deletion only before one"
        return ProtectionSeen(
            on=blocked or bool(holding),
            ours=version.kept_by_us or any(lock.ours for lock in holding),
            others=(blocked and not version.kept_by_us) or any(not lock.ours for lock in holding),
            obstacle=obstacle,
        )

    def _own(self, version: ImageVersion, locks: Sequence[Lock]) -> bool:
        return any(lock.ours and lock.holds(version.definition, version.number) for lock in locks)

    async def _known_locks(self) -> tuple[Lock, ...]:
        """The gallery's locks; none where Slipway may not list them and puts on none either."""
        try:
            return await self.locks()
        except CloudError as error:
            if error.kind is CloudErrorKind.REFUSED and self.by is not ProtectionBy.LOCK:
                return ()
            raise

    async def _change_lock(
        self, method: str, version: ImageVersion, body: object, action: str, *, there: bool
    ) -> None:
        """Put the lock on, or take it off; an answer that got lost is no failure where its effect shows."""
        scope = f"{self.gallery}/images/{version.definition}/versions/{version.number}"
        path = f"{scope}/providers/Microsoft.Authorization/locks/{own_lock(self.account)}"
        arm = await self.open()
        try:
            await arm.ask(method, path, {"api-version": API_VERSION}, body, action=action)
        except CloudError as error:
            unsure = error.doubtful or error.kind in _UNSURE
            if not unsure or self._own(version, await self._known_locks()) is not there:
                raise
