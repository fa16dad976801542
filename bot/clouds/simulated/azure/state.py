"""What a simulated gallery holds, and its rules: writes, deletions, the operations they start."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import Any, NoReturn

from slipway.bot.clouds.simulated.azure.seed import Seed, definition_document, version_document
from slipway.bot.clouds.simulated.faults import FaultKind

Document = dict[str, Any]
Key = tuple[str, str]  # definition and version, case-folded: ARM ignores case in names

_VERSION = re.compile(r"(\d{1,10})\.(\d{1,10})\.(\d{1,10})", re.ASCII)


class ArmError(Exception):
    """An answer that is an error: status, code and message as ARM gives them."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Outcome(StrEnum):
    """How a long-running operation ends."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass
class LongRunningOperation:
    """A long-running operation. ``looks`` is how often it is seen running before its end; None for ever."""

    id: str
    key: Key
    deletes: bool
    looks: int | None
    outcome: Outcome
    effective: bool  # whether a deletion really takes the version away
    code: str = ""
    done: bool = False

    @property
    def status(self) -> str:
        """As the operation resource shows it."""
        return self.outcome if self.done else "InProgress"


@dataclass
class Record:
    """A version with the ETag of its present content."""

    definition: str
    document: Document
    etag: str
    running: LongRunningOperation | None = None

    @property
    def state(self) -> str:
        """Its provisioning state."""
        return str(self.document["properties"]["provisioningState"])

    @state.setter
    def state(self, value: str) -> None:
        self.document["properties"]["provisioningState"] = value


class GalleryState:
    """One gallery: definitions, versions, operations."""

    def __init__(self, seed: Seed, clock: Callable[[], datetime], polls: int) -> None:
        self.seed = seed
        self._clock = clock
        self._polls = polls
        self._numbers = count(1)
        self.definitions: dict[str, Document] = {}
        self.versions: dict[str, dict[str, Record]] = {}  # by definition and name, case-folded
        self.operations: dict[str, LongRunningOperation] = {}
        for definition in seed.definitions:
            self.definitions[definition.name.casefold()] = definition_document(seed, definition)
            for version in definition.versions:
                document = version_document(seed, definition, version)
                self._add(Record(definition.name, document, self._etag()))

    def definition(self, name: str) -> Document:
        """One definition, or the 404 that Azure gives."""
        found = self.definitions.get(name.casefold())
        if found is None:
            _not_found(f"galleries/{self.seed.gallery}/images/{name}")
        return found

    def versions_of(self, definition: str) -> list[Record]:
        """All versions of a definition in the order of their making; looking at them advances operations."""
        self.definition(definition)
        siblings = self.versions.get(definition.casefold(), {})
        for record in tuple(siblings.values()):
            self._look(record)
        return list(siblings.values())

    def version(self, definition: str, name: str) -> Record:
        """One version, or 404; looking at it advances its operation."""
        self.definition(definition)
        record = self._find(definition, name)
        if record is not None:
            self._look(record)
        record = self._find(definition, name)
        if record is None:
            self._missing(definition, name)
        return record

    def operation(self, operation_id: str) -> LongRunningOperation:
        """One operation, or 404; looking at it advances it."""
        running = self.operations.get(operation_id)
        if running is None:
            _not_found(f"operations/{operation_id}")
        self._advance(running)
        return running

    def put(
        self,
        definition: str,
        name: str,
        body: Document,
        if_match: str | None,
        fault: FaultKind | None,
        code: str,
    ) -> tuple[Record, LongRunningOperation, bool]:
        """Create a version, or replace one; the flag says that it was created."""
        self.definition(definition)
        if _VERSION.fullmatch(name) is None:
            raise ArmError(400, "InvalidParameter", f"The version name {name} is not Major.Minor.Patch.")
        record = self._find(definition, name)
        document = self._checked(definition, name, body, record)
        if record is None:
            if if_match is not None:
                _etag_differs()
            record = Record(definition, document, self._etag())
            record.state = "Creating"
            self._add(record)
            return record, self._start(record, deletes=False, fault=fault, code=code), True
        return record, self._change(record, document, if_match, fault, code), False

    def patch(
        self,
        definition: str,
        name: str,
        body: Document,
        if_match: str | None,
        fault: FaultKind | None,
        code: str,
    ) -> tuple[Record, LongRunningOperation]:
        """Merge the publishing profile and the tags of a version."""
        record = self._find(definition, name)
        if record is None:
            self._missing(definition, name)
        merged = copy.deepcopy(record.document)
        if "tags" in body:
            merged["tags"] = body["tags"]
        profile = body.get("properties", {}).get("publishingProfile", {})
        merged["properties"]["publishingProfile"].update(profile)
        document = self._checked(definition, name, merged, record)
        return record, self._change(record, document, if_match, fault, code)

    def delete(
        self, definition: str, name: str, if_match: str | None, fault: FaultKind | None, code: str
    ) -> LongRunningOperation | None:
        """Start deleting a version; None where there is none."""
        record = self._find(definition, name)
        if record is None:
            return None
        _check_etag(record, if_match)
        _check_idle(record)
        self._check_life(record)
        if fault is not FaultKind.NOT_DONE:
            record.state = "Deleting"
        return self._start(record, deletes=True, fault=fault, code=code)

    def delete_definition(self, name: str) -> bool:
        """Delete a definition that has no versions; False where there is none."""
        folded = name.casefold()
        if self.versions.get(folded):
            raise ArmError(409, "CannotDeleteResource", "Nested resources exist: delete its versions first.")
        return self.definitions.pop(folded, None) is not None

    def latest(self, definition: str, region: str) -> str | None:
        """What “latest” resolves to for a launch there: the highest number that is there and not excluded."""
        names = [
            record.document["name"]
            for record in self.versions.get(definition.casefold(), {}).values()
            if record.state in ("Succeeded", "Updating") and _launches_in(record.document, region)
        ]
        return max(names, key=_integers, default=None)

    def _checked(self, definition: str, name: str, body: Document, record: Record | None) -> Document:
        """The document that a write makes, or a refusal."""
        document = copy.deepcopy(body)
        if not isinstance(document.get("location"), str) or not isinstance(document.get("properties"), dict):
            raise ArmError(400, "InvalidParameter", "location and properties are required.")
        properties = document["properties"]
        if "storageProfile" not in properties:
            raise ArmError(
                400, "InvalidParameter", "Required parameter properties.storageProfile is missing."
            )
        profile = properties.setdefault("publishingProfile", {})
        location = _plain(document["location"])
        regions = profile.get("targetRegions") or [{"name": document["location"]}]
        profile["targetRegions"] = regions
        if location not in {_plain(region["name"]) for region in regions}:
            raise ArmError(400, "InvalidParameter", "The source region must be among the target regions.")
        if record is not None:
            _check_immutable(record.document, document)
            before = record.document["properties"]["publishingProfile"].get("publishedDate")
        else:
            before = None
        profile["publishedDate"] = before or self._clock().isoformat()
        properties["provisioningState"] = "Succeeded"
        document["id"] = f"{self.seed.gallery_id}/images/{definition}/versions/{name}"
        document["name"] = name
        document["type"] = "Microsoft.Compute/galleries/images/versions"
        return document

    def _change(
        self, record: Record, document: Document, if_match: str | None, fault: FaultKind | None, code: str
    ) -> LongRunningOperation:
        _check_etag(record, if_match)
        _check_idle(record)
        if fault is not FaultKind.NOT_DONE:
            record.document = document
            record.state = "Updating"
        record.etag = self._etag()
        return self._start(record, deletes=False, fault=fault, code=code)

    def _start(
        self, record: Record, *, deletes: bool, fault: FaultKind | None, code: str
    ) -> LongRunningOperation:
        looks = None if fault is FaultKind.NEVER_END else self._polls
        running = LongRunningOperation(
            id=f"{next(self._numbers):08x}-0000-4000-8000-000000000000",
            key=self._key(record.definition, record.document["name"]),
            deletes=deletes,
            looks=looks,
            outcome=_end(fault, code),
            effective=fault is not FaultKind.NOT_DONE,
            code=code or "InternalOperationError",
        )
        self.operations[running.id] = running
        record.running = running
        if looks == 0:
            self._finish(running)
        return running

    def _look(self, record: Record) -> None:
        if record.running is not None:
            self._advance(record.running)

    def _advance(self, running: LongRunningOperation) -> None:
        if running.done or running.looks is None:
            return
        if running.looks > 0:
            running.looks -= 1
        else:
            self._finish(running)

    def _finish(self, running: LongRunningOperation) -> None:
        running.done = True
        siblings = self.versions[running.key[0]]
        record = siblings[running.key[1]]
        record.running = None
        if running.outcome is not Outcome.SUCCEEDED:
            record.state = "Failed"
        elif running.deletes and running.effective:
            del siblings[running.key[1]]
        elif running.effective:
            record.state = "Succeeded"

    def _check_life(self, record: Record) -> None:
        """Refuse to delete what its safety profile protects until its end of life."""
        properties = record.document["properties"]
        ends = properties["publishingProfile"].get("endOfLifeDate")
        ended = ends is not None and datetime.fromisoformat(ends) <= self._clock()
        if properties.get("safetyProfile", {}).get("blockDeletionBeforeEndOfLife") and not ended:
            raise ArmError(409, "OperationNotAllowed", "The version is protected until its end of life.")

    def _find(self, definition: str, name: str) -> Record | None:
        return self.versions.get(definition.casefold(), {}).get(name.casefold())

    def _missing(self, definition: str, name: str) -> NoReturn:
        _not_found(f"galleries/{self.seed.gallery}/images/{definition}/versions/{name}")

    def _add(self, record: Record) -> None:
        definition, name = self._key(record.definition, record.document["name"])
        self.versions.setdefault(definition, {})[name] = record

    def _etag(self) -> str:
        return f'"{next(self._numbers):08x}"'

    @staticmethod
    def _key(definition: str, version: str) -> Key:
        return definition.casefold(), version.casefold()


def _end(fault: FaultKind | None, code: str) -> Outcome:
    """``Canceled`` is not a kind of its own: it is a failure halfway with that code."""
    if fault is not FaultKind.FAIL_HALFWAY:
        return Outcome.SUCCEEDED
    return Outcome.CANCELED if code == Outcome.CANCELED else Outcome.FAILED


def _not_found(what: str) -> NoReturn:
    raise ArmError(404, "ResourceNotFound", f"The Resource 'Microsoft.Compute/{what}' was not found.")


def _etag_differs() -> NoReturn:
    raise ArmError(412, "PreconditionFailed", "The condition of If-Match is not met.")


def _check_etag(record: Record, if_match: str | None) -> None:
    if if_match not in (None, "*", record.etag):
        _etag_differs()


def _check_idle(record: Record) -> None:
    if record.running is not None:
        raise ArmError(409, "Conflict", f"The version is {record.state.lower()}; wait until that has ended.")


def _check_immutable(before: Document, after: Document) -> None:
    """Refuse to change the location, or the storage account type of the version or of a region."""
    old, new = before["properties"]["publishingProfile"], after["properties"]["publishingProfile"]
    kinds = {_plain(region["name"]): region.get("storageAccountType") for region in old["targetRegions"]}
    changed = old.get("storageAccountType") != new.get("storageAccountType", old.get("storageAccountType"))
    for region in new["targetRegions"]:
        kind = kinds.get(_plain(region["name"]))
        changed = changed or (kind is not None and region.get("storageAccountType", kind) != kind)
    if changed or _plain(before["location"]) != _plain(after["location"]):
        raise ArmError(
            409, "PropertyChangeNotAllowed", "Changing property storageAccountType is not allowed."
        )


def _launches_in(document: Document, region: str) -> bool:
    profile = document["properties"]["publishingProfile"]
    for target in profile["targetRegions"]:
        if _plain(target["name"]) == _plain(region):
            own = target.get("excludeFromLatest")
            return not (profile.get("excludeFromLatest") if own is None else own)
    return False


def _plain(region: str) -> str:
    """“East US” and eastus are one region."""
    return region.replace(" ", "").lower()


def _integers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))
