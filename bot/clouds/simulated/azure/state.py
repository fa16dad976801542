"""What a simulated gallery holds, and what happens to it: writes, deletions, the operations they start."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import NoReturn

from slipway.bot.clouds.simulated.azure import definition_rules, errors, version_rules
from slipway.bot.clouds.simulated.azure.conditions import AS_RECORDED, Conditions, Lock, LockLevel, locked_by
from slipway.bot.clouds.simulated.azure.operations import Key, LongRunningOperation, Outcome, Terms, ends_at
from slipway.bot.clouds.simulated.azure.regions import short_name
from slipway.bot.clouds.simulated.azure.replication import Copies
from slipway.bot.clouds.simulated.azure.resource import Document, Resource
from slipway.bot.clouds.simulated.azure.seed import (
    Seed,
    SeedDefinition,
    definition_document,
    version_document,
)
from slipway.bot.clouds.simulated.azure.times import read_arm_time
from slipway.bot.clouds.simulated.faults import FaultKind

RETENTION = timedelta(days=7)
"""So long a deleted version can be restored, where the gallery keeps them."""

_NO_TERMS = Terms()


@dataclass
class Record(Resource):
    """A version with the ETag of its present content, and what changes it."""

    definition: str
    etag: str
    running: LongRunningOperation | None = None
    copies: Copies = field(default_factory=Copies)


@dataclass(frozen=True)
class SoftDeleted:
    """A version that is kept after its deletion."""

    document: Document
    at: datetime


class GalleryState:
    """One gallery: definitions, versions, operations.

    Args:
        seed: what it holds at first.
        clock: the present moment.
        polls: so often an operation is seen running before it ends, where ``conditions`` name no durations.
        conditions: rights, locks and the like; may be replaced at any time.
    """

    def __init__(
        self, seed: Seed, clock: Callable[[], datetime], polls: int, conditions: Conditions = AS_RECORDED
    ) -> None:
        self.seed = seed
        self.conditions = conditions
        self._clock = clock
        self._polls = polls
        self._numbers = count(1)
        self.definitions: dict[str, Document] = {}
        self.versions: dict[str, dict[str, Record]] = {}  # by definition and name, case-folded
        self.soft_deleted: dict[Key, SoftDeleted] = {}
        self.operations: dict[str, LongRunningOperation] = {}
        self._emptied: dict[str, datetime] = {}  # when a definition's last version went
        for definition in seed.definitions:
            self.add(definition)

    def add(self, definition: SeedDefinition) -> None:
        """Hold a definition with its versions from now on."""
        self.definitions[definition.name.casefold()] = definition_document(self.seed, definition)
        for version in definition.versions:
            document = version_document(self.seed, definition, version)
            self._add(Record(document, definition.name, self._etag()))

    def definition(self, name: str) -> Document:
        """One definition, or the 404 that Azure gives."""
        found = self.definitions.get(name.casefold())
        if found is None:
            raise errors.not_found(f"galleries/{self.seed.gallery}/images/{name}", self.seed.resource_group)
        return found

    def put_definition(self, name: str, body: Document) -> tuple[Document, bool]:
        """Create a definition, or replace one; the flag says that it was created."""
        before = self.definitions.get(name.casefold())
        others = [each for key, each in self.definitions.items() if key != name.casefold()]
        return self._store(name, definition_rules.written(body, before, others)), before is None

    def patch_definition(self, name: str, body: Document) -> Document:
        """Change parts of a definition."""
        before = self.definition(name)
        others = [each for each in self.definitions.values() if each is not before]
        return self._store(str(before["name"]), definition_rules.merged(body, before, others))

    def delete_definition(self, name: str) -> bool:
        """Delete a definition that has no versions; False where there is none."""
        folded = name.casefold()
        self._check_locks(f"{self.seed.gallery_id}/images/{name}", deletes=True)
        nested = [record.name for record in self.versions.get(folded, {}).values()]
        lingers = self._emptied.get(folded)
        if nested or (lingers and self._clock() < lingers + self.conditions.definition_lingers):
            left = nested[0] if nested else "*"
            raise errors.nested_resources(f"galleries/{self.seed.gallery}/images/{name}/versions/{left}")
        return self.definitions.pop(folded, None) is not None

    def versions_of(self, definition: str) -> list[Record]:
        """All versions of a definition in the order of their making; looking at them advances operations."""
        self._check_parent(definition)
        siblings = self.versions.get(definition.casefold(), {})
        for record in tuple(siblings.values()):
            self._look(record)
        return list(siblings.values())

    def version(self, definition: str, name: str) -> Record:
        """One version, or 404; looking at it advances its operation."""
        self._check_parent(definition)
        record = self._find(definition, name)
        if record is not None:
            self._look(record)
        return self._find(definition, name) or self._missing(definition, name)

    def soft_deleted_of(self, definition: str) -> list[SoftDeleted]:
        """The deleted versions of a definition that can still be restored."""
        self._purge()
        return [each for key, each in self.soft_deleted.items() if key[0] == definition.casefold()]

    def operation(self, operation_id: str) -> LongRunningOperation:
        """One operation, or 404; looking at it advances it."""
        running = self.operations.get(operation_id)
        if running is None:
            raise errors.not_found(f"locations/capsOperations/{operation_id}", self.seed.resource_group)
        self._advance(running)
        return running

    def done_at_once(self) -> LongRunningOperation:
        """The operation of a write to a definition, which is over before anybody looks."""
        now = self._clock()
        number = f"{next(self._numbers):08x}-0000-4000-8000-000000000000"
        running = LongRunningOperation(number, ("", ""), False, now, None, now, ended=now)
        self.operations[running.id] = running
        return running

    def put(
        self, definition: str, name: str, body: Document, terms: Terms = _NO_TERMS
    ) -> tuple[Record, LongRunningOperation, bool]:
        """Create a version, or replace one; the flag says that it was created."""
        self._check_parent(definition)
        version_rules.check_name(name)
        body = version_rules.without_nulls(body)
        self._check_write(definition, name, body)
        record = self._find(definition, name)
        if record is None and "properties" not in body:
            restored = self._restore(definition, name, terms)
            return (*restored, False)
        if record is not None:
            self._settle(record)
        before = None if record is None else record.document
        if before is None and self.conditions.sources is not None:
            version_rules.check_made_of(body, self.conditions.sources, self.definition(definition))
        failed = () if record is None else record.copies.failed(self._clock())
        document = version_rules.replaced(body, before, self._clock(), failed)
        if record is not None:
            return record, self._change(record, document, terms), False
        if terms.if_match is not None and self.conditions.entity_tags:
            raise errors.condition_not_met()
        record = self._record(definition, name, document)
        record.state = "Creating"
        record.copies.begin(version_rules.region_flags(document), self.conditions.copying, self._clock())
        return record, self._start(record, deletes=False, terms=terms), True

    def patch(
        self, definition: str, name: str, body: Document, terms: Terms = _NO_TERMS
    ) -> tuple[Record, LongRunningOperation]:
        """Change parts of a version, or restore one that was deleted."""
        self._check_parent(definition)
        body = version_rules.without_nulls(body)
        self._check_write(definition, name, body)
        record = self._find(definition, name)
        if record is None and (body.get("properties") or {}).get("restore") is True:
            return self._restore(definition, name, terms)
        if record is None:
            self._missing(definition, name)
        self._settle(record)
        failed = record.copies.failed(self._clock())
        document = version_rules.merged(body, record.document, self._clock(), failed)
        return record, self._change(record, document, terms)

    def delete(self, definition: str, name: str, terms: Terms = _NO_TERMS) -> LongRunningOperation | None:
        """Start deleting a version; None where there is none."""
        self._check_parent(definition)
        record = self._find(definition, name)
        if record is None:
            return None
        self._settle(record)
        self._check_locks(self._version_id(definition, name), deletes=True)
        self._check_etag(record, terms)
        if record.running is not None:
            raise errors.busy(record.state)
        self._check_life(record)
        if terms.fault is not FaultKind.NOT_DONE:
            record.state = "Deleting"
        return self._start(record, deletes=True, terms=terms)

    def put_lock(self, definition: str, version: str, name: str, level: str) -> tuple[Lock, bool]:
        """Put a lock on a version, or write it anew; the flag says that it was put on."""
        lock = locked_by(self._lock_scope(definition, version, "write"), name, level)
        others = self._other_locks(lock)
        created = len(others) == len(self.conditions.locks)
        self.conditions = self.conditions.model_copy(update={"locks": (*others, lock)})
        return lock, created

    def delete_lock(self, definition: str, version: str, name: str) -> bool:
        """Take a lock off a version; False where there is none."""
        others = self._other_locks(Lock(scope=self._lock_scope(definition, version, "delete"), name=name))
        there = len(others) < len(self.conditions.locks)
        self.conditions = self.conditions.model_copy(update={"locks": others})
        return there

    def _lock_scope(self, definition: str, version: str, verb: str) -> str:
        """Where a lock is put on or taken off, for whoever may."""
        record = self.version(definition, version)
        scope = str(record.document["id"])
        if not self.conditions.lock_rights:
            raise errors.not_authorised(f"Microsoft.Authorization/locks/{verb}", scope)
        return scope

    def _other_locks(self, lock: Lock) -> tuple[Lock, ...]:
        key = (lock.scope.casefold(), lock.name.casefold())
        return tuple(
            each for each in self.conditions.locks if (each.scope.casefold(), each.name.casefold()) != key
        )

    def latest(self, definition: str, region: str) -> str | None:
        """What “latest” resolves to for a launch there: the highest number that is there and not excluded."""
        names = [
            record.name
            for record in self.versions.get(definition.casefold(), {}).values()
            if record.state in ("Succeeded", "Updating")
            and version_rules.launches_in(record.document, region)
            and record.copies.there(short_name(region), self._clock())
        ]
        return max(names, key=version_rules.integers, default=None)

    def _restore(self, definition: str, name: str, terms: Terms) -> tuple[Record, LongRunningOperation]:
        """Bring a deleted version back as it was, its old publication date included."""
        self._purge()
        kept = self.soft_deleted.pop(self._key(definition, name), None)
        if kept is None:
            raise errors.invalid("Required parameter 'storageProfile' is missing (null).")
        record = Record(kept.document, definition, self._etag())
        self._add(record)
        record.state = "Updating"
        return record, self._start(record, deletes=False, terms=terms)

    def _record(self, definition: str, name: str, document: Document) -> Record:
        head = {"name": name, "id": self._version_id(definition, name)}
        kind = {"type": "Microsoft.Compute/galleries/images/versions"}
        record = Record({**head, **kind, **document}, definition, self._etag())
        self._add(record)
        return record

    def _store(self, name: str, document: Document) -> Document:
        head = {"name": name, "id": f"{self.seed.gallery_id}/images/{name}"}
        stored = {**head, "type": "Microsoft.Compute/galleries/images", **document}
        self.definitions[name.casefold()] = stored
        return stored

    def _change(self, record: Record, document: Document, terms: Terms) -> LongRunningOperation:
        self._check_etag(record, terms)
        if record.running is not None:
            deletes = record.running.deletes
            raise errors.being_deleted(record.name) if deletes else errors.busy(record.state)
        if terms.fault is not FaultKind.NOT_DONE:
            head = {key: record.document[key] for key in ("name", "id", "type")}
            before = version_rules.region_flags(record.document)
            record.document = {**head, **document}
            self._copy(record, before)
            record.state = "Updating"
        record.etag = self._etag()
        return self._start(record, deletes=False, terms=terms)

    def replication(self, record: Record) -> Document:
        """How far a version's copies are; while it is made there are none."""
        try:
            regions = version_rules.region_flags(record.document)
        except (KeyError, TypeError, AttributeError):  # spoiled by a test
            return {"aggregatedState": "Unknown", "summary": []}
        details = self.conditions.copying.details
        return record.copies.shown(regions, self._clock(), details, made=record.state != "Creating")

    def _copy(self, record: Record, before: Collection[str]) -> None:
        """Begin copies to the regions that a version was not in before."""
        regions = version_rules.region_flags(record.document)
        record.copies.keep(regions)
        new = [region for region in regions if region not in before]
        record.copies.begin(new, self.conditions.copying, self._clock())

    def _start(self, record: Record, *, deletes: bool, terms: Terms) -> LongRunningOperation:
        now, takes = self._clock(), self.conditions.durations
        usual = None if takes is None else takes.delete if deletes else takes.update
        if takes is not None and record.state == "Creating":
            usual = takes.create
        copying = record.copies.ended(now)
        if self.conditions.copying.ends_updates and not deletes and copying > now:
            usual = max(usual or timedelta(), copying - now)
            if record.copies.any_fails and terms.fault is None:
                terms = replace(terms, fault=FaultKind.FAIL_HALFWAY)
        endless = usual is not None or terms.fault is FaultKind.NEVER_END
        running = LongRunningOperation(
            id=f"{next(self._numbers):08x}-0000-4000-8000-000000000000",
            key=self._key(record.definition, record.name),
            deletes=deletes,
            started=now,
            looks=None if endless else self._polls,
            due=ends_at(now, usual, terms),
            terms=terms,
        )
        self.operations[running.id] = running
        record.running = running
        if running.looks == 0:
            self._finish(running)
        return running

    def _look(self, record: Record) -> None:
        if record.running is not None:
            self._advance(record.running)

    def _settle(self, record: Record) -> None:
        """End what has ended by time; a write is no look."""
        if record.running is not None and record.running.due is not None:
            self._advance(record.running)

    def _advance(self, running: LongRunningOperation) -> None:
        if running.ends_now(self._clock()):
            self._finish(running)

    def _finish(self, running: LongRunningOperation) -> None:
        running.ended = running.due or self._clock()
        siblings = self.versions[running.key[0]]
        record = siblings[running.key[1]]
        record.running = None
        if running.terms.code == "OperationPreempted" and running.outcome is not Outcome.SUCCEEDED:
            record.state = "Succeeded"  # the newer operation is over, too
        elif running.outcome is not Outcome.SUCCEEDED:
            record.state = "Failed"
        elif running.deletes and running.effective:
            self._remove(running.key, record)
        elif running.effective:
            version_rules.finished(record.document)
            record.state = "Succeeded"

    def _remove(self, key: Key, record: Record) -> None:
        siblings = self.versions[key[0]]
        del siblings[key[1]]
        if not siblings:
            self._emptied[key[0]] = self._clock()
        if self.conditions.soft_delete:
            self.soft_deleted[key] = SoftDeleted(record.document, self._clock())

    def _purge(self) -> None:
        """Forget the deleted versions whose time is over."""
        now = self._clock()
        self.soft_deleted = {
            key: each for key, each in self.soft_deleted.items() if now < each.at + RETENTION
        }

    def _check_write(self, definition: str, name: str, body: Document) -> None:
        resource = self._version_id(definition, name)
        self._check_locks(resource, deletes=False)
        if not self.conditions.linked_rights:
            version_rules.check_linked_rights(resource, body)

    def _check_locks(self, resource: str, *, deletes: bool) -> None:
        for lock in self.conditions.locks:
            if lock.covers(resource) and (deletes or lock.level is LockLevel.READ_ONLY):
                raise errors.locked(resource, lock.scope, "delete" if deletes else "write")

    def _check_life(self, record: Record) -> None:
        """Refuse to delete what its safety profile protects until its end of life."""
        properties = record.document["properties"]
        ends = properties["publishingProfile"].get("endOfLifeDate")
        ended = ends is not None and read_arm_time(ends) <= self._clock()
        if properties.get("safetyProfile", {}).get("blockDeletionBeforeEndOfLife") and not ended:
            raise errors.blocked_before_end_of_life()

    def _check_etag(self, record: Record, terms: Terms) -> None:
        if self.conditions.entity_tags and terms.if_match not in (None, "*", record.etag):
            raise errors.condition_not_met()

    def _check_parent(self, definition: str) -> None:
        if definition.casefold() not in self.definitions:
            raise errors.parent_not_found(f"{self.seed.gallery}/{definition}")

    def _find(self, definition: str, name: str) -> Record | None:
        return self.versions.get(definition.casefold(), {}).get(name.casefold())

    def _missing(self, definition: str, name: str) -> NoReturn:
        resource = f"galleries/{self.seed.gallery}/images/{definition}/versions/{name}"
        raise errors.not_found(resource, self.seed.resource_group)

    def _version_id(self, definition: str, name: str) -> str:
        return f"{self.seed.gallery_id}/images/{definition}/versions/{name}"

    def _add(self, record: Record) -> None:
        definition, name = self._key(record.definition, record.name)
        self.versions.setdefault(definition, {})[name] = record

    def _etag(self) -> str:
        return f'"{next(self._numbers):08x}"'

    @staticmethod
    def _key(definition: str, version: str) -> Key:
        return definition.casefold(), version.casefold()
