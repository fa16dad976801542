"""The clouds of an episode: what they hold, their own log of what was changed and by whom, and what strangers do."""

from __future__ import annotations

import copy
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion, SimulatedAzure
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.clouds.simulated.azure.operations import LongRunningOperation, Terms
from slipway.bot.clouds.simulated.azure.resource import Document
from slipway.bot.clouds.simulated.azure.seed import version_document
from slipway.bot.clouds.simulated.azure.state import GalleryState, Record
from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind, Faults
from tests.crash.clouds import CrashTiming
from tests.reliability.azure_machines import ROOM, AzureEpisodeMachines
from tests.reliability.ec2 import Ec2EpisodeMachines
from tests.reliability.machines import EpisodeMachines

REGIONS = (SeedRegion("eastus"), SeedRegion("westeurope"))

_MANY = 100_000


class Action(StrEnum):
    """What changes about a version."""

    PROMOTE = "promote"
    TAKE_BACK = "take back"
    DELETE = "delete"
    RESTORE = "restore"


@dataclass(frozen=True)
class Write:
    """One change of a version, as the gallery notes it.

    Attributes:
        stranger: whether somebody else than the bot made it.
        action: what.
        definition: of which definition.
        version: of which version.
        changed: whether it was otherwise before.
        so: whether it was as wished afterwards.
        spoiled: what else it changed, which it must not.
    """

    stranger: bool
    action: Action
    definition: str
    version: str
    changed: bool
    so: bool = True
    spoiled: tuple[str, ...] = ()


class WatchedGallery(GalleryState):
    """A gallery that keeps a log of its own of every change."""

    def __init__(self, seed: Seed, polls: int) -> None:
        super().__init__(seed, lambda: datetime.now(UTC), polls, Conditions(soft_delete=True))
        self.log: list[Write] = []

    def put(
        self,
        definition: str,
        name: str,
        body: Document,
        terms: Terms = Terms(),  # noqa: B008 - as the base has it
    ) -> tuple[Record, LongRunningOperation, bool]:
        before = self._document(definition, name)
        result = super().put(definition, name, body, terms)
        self._note(definition, name, body, before, result[0].document)
        return result

    def patch(
        self,
        definition: str,
        name: str,
        body: Document,
        terms: Terms = Terms(),  # noqa: B008 - as the base has it
    ) -> tuple[Record, LongRunningOperation]:
        before = self._document(definition, name)
        result = super().patch(definition, name, body, terms)
        self._note(definition, name, body, before, result[0].document)
        return result

    def delete(
        self,
        definition: str,
        name: str,
        terms: Terms = Terms(),  # noqa: B008 - as the base has it
    ) -> LongRunningOperation | None:
        running = super().delete(definition, name, terms)
        lied = terms.fault is FaultKind.NOT_DONE
        changed = running is not None and not lied
        self.log.append(Write(False, Action.DELETE, definition, name, changed, so=not lied))
        return running

    def _document(self, definition: str, name: str) -> Document | None:
        found = self.versions.get(definition.casefold(), {}).get(name)
        return None if found is None else copy.deepcopy(found.document)

    def _note(
        self, definition: str, name: str, body: Document, before: Document | None, after: Document
    ) -> None:
        if before is None and "properties" not in body:
            self.log.append(Write(False, Action.RESTORE, definition, name, True))
            return
        action = Action.TAKE_BACK if _excluded(body) else Action.PROMOTE
        if before is None:
            self.log.append(
                Write(False, action, definition, name, True, spoiled=("it was not there before",))
            )
            return
        changed = _excluded(before) != _excluded(after)
        others = tuple(sorted(key for key in _rest(before) if _rest(before)[key] != _rest(after).get(key)))
        so = _excluded(body) == _excluded(after)
        self.log.append(Write(False, action, definition, name, changed, so, others))


def _excluded(document: Document) -> bool:
    return bool(document["properties"]["publishingProfile"].get("excludeFromLatest"))


def _rest(document: Document) -> dict[str, Any]:
    """All of a version that a change of its flag must leave as it was."""
    properties = document["properties"]
    profile = {k: v for k, v in properties["publishingProfile"].items() if k != "excludeFromLatest"}
    own = {k: v for k, v in properties.items() if k not in ("publishingProfile", "provisioningState")}
    head = {k: document.get(k) for k in ("name", "location", "tags")}
    return {**{f"properties.{k}": v for k, v in own.items()}, **profile, **head}


class CountingFaults(Faults):
    """A simulator's faults, one of which may be the death of the bot at its n-th request from now on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Callable[[str], None] = lambda _label: None
        self._left = 0
        self._timing = CrashTiming.BEFORE
        self._victim: Callable[[], int | None] = lambda: None

    def kill_at(self, number: int, timing: CrashTiming, victim: Callable[[], int | None]) -> None:
        """Kill the process that this gives at the n-th request from now on."""
        self._left, self._timing, self._victim = number, timing, victim

    def spare(self) -> None:
        """Kill nothing any more."""
        self._left = 0

    def forget(self, armed: Armed) -> None:
        """Let one fault be over."""
        armed.release()
        self._armed = [each for each in self._armed if each is not armed]

    def take(self, label: str) -> Armed | None:
        """Kill where it is time, else as usual."""
        self.asked(label)
        due, self._left = self._left == 1, max(0, self._left - 1)
        victim = self._victim() if due else None
        if victim is None:
            return super().take(label)
        os.kill(victim, signal.SIGKILL)
        return Armed(0, Fault(kind=FaultKind.DROP)) if self._timing is CrashTiming.BEFORE else None


def gallery(definitions: int, now: datetime) -> Seed:
    """A gallery with something to promote, to take back and to clean up in each definition."""
    return Seed(
        tuple(_definition(f"Fedora-Cloud-{43 - number}-x64", number, now) for number in range(definitions)),
        machines=ROOM,
    )


def _definition(name: str, number: int, now: datetime) -> SeedDefinition:
    days = {
        60: False,
        40: False,
        **dict.fromkeys(range(30 - number, 18, -1), True),
        9: True,
        5: True,
        3: True,
    }
    versions = tuple(_version(43 - number, day, excluded, now) for day, excluded in days.items())
    return SeedDefinition(name, "x64", versions)


def _version(release: int, days: int, excluded: bool, now: datetime) -> SeedVersion:
    made = now - timedelta(days=days)
    return SeedVersion(
        name=f"{release}.{made:%Y%m%d}.0",
        published_at=made,
        excluded=excluded,
        regions=REGIONS,
        end_of_life=made + timedelta(days=400),
        tags={"owner": "fedora-cloud"},
    )


class EpisodeClouds:
    """Azure with a gallery and machines of this episode's own, and the EC2 that all episodes share."""

    def __init__(
        self,
        definitions: int,
        polls: int,
        aws: SimulatedAws,
        aws_faults: CountingFaults,
        images: Sequence[str],
        deployment: str,
    ) -> None:
        now = datetime.now(UTC)
        seed = gallery(definitions, now)
        self.azure = SimulatedAzure(seed, page_size=20)
        self.gallery = WatchedGallery(seed, polls)
        self.azure.state = self.gallery
        self.azure_faults = CountingFaults()
        self.azure.faults = self.azure_faults
        self.aws = aws
        self.aws_faults = aws_faults
        self.images = images  # names of machine images that can be launched
        self.ec2 = Ec2EpisodeMachines(aws, deployment)
        self.vms = AzureEpisodeMachines(self.azure, deployment)
        self._uploads = 0
        self._now = now

    async def start(self) -> None:
        """Let Azure answer, and somebody else have a machine in each cloud."""
        await self.azure.start()
        await self.ec2.start()
        definition = self.definitions[0]
        self.vms.start(definition, min(self.versions(definition)))

    async def stop(self) -> None:
        """Let Azure go."""
        self.calm()
        await self.azure.stop()

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        for faults in (self.azure_faults, self.aws_faults):
            faults.spare()
            faults.clear()

    @property
    def machines(self) -> tuple[EpisodeMachines, ...]:
        """Those of each cloud."""
        return (self.ec2, self.vms)

    async def running(self, who: str | None = None) -> list[str]:
        """The machines that run in either cloud, of one person or of all."""
        return [machine for each in self.machines for machine in await each.running(who)]

    async def stopped(self, who: str) -> list[str]:
        """A person's machines that rest in either cloud."""
        return [machine for each in self.machines for machine in await each.stopped(who)]

    async def terminate(self, machine: str) -> None:
        """Somebody ends a machine behind the bot's back."""
        (owner,) = [each for each in self.machines if machine in await each.all()]
        await owner.terminate(machine)

    @property
    def definitions(self) -> list[str]:
        """The names of the gallery's definitions."""
        return [each.name for each in self.azure.seed.definitions]

    def versions(self, definition: str) -> dict[str, Record]:
        """The versions of a definition as the gallery has them."""
        return self.gallery.versions.get(definition.casefold(), {})

    def deleted_candidates(self, definition: str) -> list[str]:
        """What was deleted and is kept of a definition, and comes back as what it was: as a candidate."""
        kept = self.gallery.soft_deleted_of(definition)
        return sorted(each.document["name"] for each in kept if _excluded(each.document))

    def go_away(self, cloud: str) -> Armed:
        """Let a cloud answer nothing but that it is not there."""
        faults = self.azure_faults if cloud == "azure" else self.aws_faults
        return faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=_MANY))

    def flip(self, definition: str, version: str) -> None:
        """Somebody promotes a version, or takes it back, in the portal."""
        record = self.versions(definition)[version]
        profile = record.document["properties"]["publishingProfile"]
        profile["excludeFromLatest"] = not profile.get("excludeFromLatest")
        action = Action.TAKE_BACK if profile["excludeFromLatest"] else Action.PROMOTE
        self.gallery.log.append(Write(True, action, definition, version, True))

    def delete(self, definition: str, version: str) -> None:
        """Somebody deletes a version."""
        del self.versions(definition)[version]
        self.gallery.log.append(Write(True, Action.DELETE, definition, version, True))

    def upload(self, definition: str) -> str:
        """Somebody uploads a new candidate; its version."""
        self._uploads += 1
        release = int(definition.split("-")[2])
        made = _version(release, 1, True, self._now)
        name = f"{release}.{self._now:%Y%m%d}.{self._uploads}"
        document = version_document(self.azure.seed, self._seed_of(definition), made)
        document = {**document, "name": name, "id": document["id"].replace(made.name, name)}
        self.versions(definition)[name] = Record(document, definition, f'"stranger-{self._uploads}"')
        return name

    def protect(self, definition: str, version: str) -> None:
        """Somebody tags a version so that nothing deletes it."""
        self.versions(definition)[version].document["tags"]["delete"] = "never"

    def _seed_of(self, definition: str) -> SeedDefinition:
        return next(each for each in self.azure.seed.definitions if each.name == definition)
