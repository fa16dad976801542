"""What a simulated Azure is like besides what it holds: rights, locks, entity tags, how long its work takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from slipway.bot.clouds.simulated.azure.errors import invalid
from slipway.bot.clouds.simulated.azure.quotas import Limits
from slipway.bot.clouds.simulated.azure.replication import AT_ONCE, Copying
from slipway.bot.clouds.simulated.azure.sources import SourceFacts


class LockLevel(StrEnum):
    """What a management lock forbids."""

    CAN_NOT_DELETE = "CanNotDelete"
    READ_ONLY = "ReadOnly"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lock(_Value):
    """A management lock. ``scope`` is a resource's id; everything below it is locked, too."""

    scope: str
    level: LockLevel = LockLevel.CAN_NOT_DELETE
    name: str = "lock"

    def covers(self, resource: str) -> bool:
        """Whether the resource is the scope or below it."""
        scope, folded = self.scope.casefold().rstrip("/"), resource.casefold()
        return folded == scope or folded.startswith(f"{scope}/")


def locked_by(scope: str, name: str, level: str) -> Lock:
    """A lock that somebody puts on.

    Raises:
        ArmError: there is no such level.
    """
    known = {each.value.casefold(): each for each in LockLevel}
    if level.casefold() not in known:
        raise invalid(f"The lock level '{level}' is invalid.")
    return Lock(scope=scope, level=known[level.casefold()], name=name)


class Durations(_Value):
    """How long operations on versions take. The defaults are recorded ones of 2026, in one region."""

    create: timedelta = timedelta(minutes=7)
    update: timedelta = timedelta(seconds=150)
    delete: timedelta = timedelta(seconds=150)


class Conditions(_Value):
    """The defaults are how a gallery was recorded, except that operations advance by being looked at.

    Attributes:
        entity_tags: whether answers about versions carry an ETag, and If-Match is honoured. No recorded one does.
        linked_rights: whether the caller may use what a version's source names. Without, a write whose body names
            an image, disk, snapshot, machine or storage account is refused, changed or not.
        locks: management locks.
        lock_rights: whether the caller may put locks on and take them off.
        durations: how long operations take by the simulator's clock; None: they end after some looks.
        soft_delete: whether the gallery keeps deleted versions for seven days; None: that was never set, which the
            gallery shows otherwise than one that was switched off again.
        sources: what versions can be made of, by resource id; None: anything that is named.
        definition_lingers: so long after its last version went a definition still cannot be deleted; 10 to 20
            seconds in reality.
        copying: how the copies of versions to regions go.
        limits: how many requests are served; None: any number.
    """

    entity_tags: bool = False
    linked_rights: bool = True
    locks: tuple[Lock, ...] = ()
    lock_rights: bool = True
    durations: Durations | None = None
    soft_delete: bool | None = None
    sources: Mapping[str, SourceFacts] | None = None
    definition_lingers: timedelta = timedelta(0)
    copying: Copying = AT_ONCE
    limits: Limits | None = None


AS_RECORDED = Conditions()
"""The defaults."""
