"""Evidence in the database, and the way in for whoever finds something out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.store.database import Backend, Database
from slipway.bot.subjects.images.evidence.intake import EvidenceIntake
from slipway.bot.subjects.images.evidence.store import MOST_VERSIONS, EvidenceStore
from slipway.bot.subjects.images.requests import Pin
from tests.images.builders import MemoryGallery, version
from tests.images.evidence.facts import BOOT, FAILED, PASSED, TESTER, TESTS, evidence
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import DAY, NOW
from tests.support.clouds import galleries

PIN = Pin(definition=X64, version=CANDIDATE)


@pytest.fixture
async def store(where: Path | Backend) -> AsyncIterator[EvidenceStore]:
    """A store on a fresh database."""
    database = Database(where)
    await database.open()
    yield EvidenceStore(database)
    await database.close()


async def test_the_same_message_twice_is_recorded_once(store: EvidenceStore) -> None:
    found = evidence(BOOT, PASSED, key="message-1")
    assert await store.record(found)
    assert not await store.record(replace(found, outcome=FAILED))
    assert await store.of([PIN]) == {PIN.target: (replace(found, definition=X64.casefold(), number=1),)}


async def test_case_of_the_definition_does_not_count_and_order_is_that_of_recording(
    store: EvidenceStore,
) -> None:
    await store.record(evidence(BOOT, FAILED, key="1", definition=X64.upper()))
    await store.record(evidence(TESTS, PASSED, key="2"))
    await store.record(evidence(TESTS, PASSED, key="3", cloud="azure.staging"))
    found = await store.of([PIN])
    assert [(each.kind, each.number) for each in found[PIN.target]] == [(BOOT, 1), (TESTS, 2)]


async def test_thousands_of_versions_are_looked_up_together(store: EvidenceStore) -> None:
    await store.record(evidence(BOOT, PASSED))
    many = [Pin(definition=X64, version=f"43.{number}.0") for number in range(2 * MOST_VERSIONS)]
    assert list(await store.of([*many, PIN])) == [PIN.target]


def _image(image_id: str, cloud: str = "azure") -> MachineImage:
    return MachineImage(
        id=image_id,
        name=X64,
        architecture="x64",
        state="Succeeded",
        owner="Fedora",
        region="eastus",
        cloud=cloud,
        launchable=True,
    )


class NamingGallery(MemoryGallery):
    """One whose images have ids of another kind."""

    async def version_of_image(self, image: MachineImage) -> tuple[str, VersionNumber] | None:
        return (X64, VersionNumber.parse(CANDIDATE)) if image.id == "ami-1" else None


class TestIntake:
    async def test_whoever_launches_an_image_is_told_what_counts(self, store: EvidenceStore) -> None:
        intake = EvidenceIntake(store, galleries(MemoryGallery(version(CANDIDATE))), lambda name: name)
        image = _image(f"{X64}/{CANDIDATE}")
        assert await intake.of(image) == ()
        assert await intake.record(evidence(BOOT, FAILED, key="1"))
        assert await intake.record(evidence(BOOT, PASSED, key="2", summary="SSH after 41 s"))
        (told,) = await intake.of(image)
        assert told.startswith(f"Boot test passed, by {TESTER} on ")
        assert told.endswith(": SSH after 41 s")

    async def test_nothing_that_spoke_for_a_former_image_of_its_number_is_told(
        self, store: EvidenceStore
    ) -> None:
        await store.record(evidence(BOOT, PASSED))
        gallery = MemoryGallery(version(CANDIDATE, published=NOW - DAY))
        intake = EvidenceIntake(store, galleries(gallery), str)
        copied = replace(_image(f"{X64}/{CANDIDATE}"), created_at=NOW + DAY)
        assert len(await intake.of(copied)) == 1  # to this region, and tested elsewhere before
        gallery.change(X64, CANDIDATE, published_at=NOW + DAY)
        assert await intake.of(copied) == await intake.of(replace(copied, created_at=None)) == ()

    @pytest.mark.parametrize("image_id", [X64, f"{X64}/latest", "ami-0abc", f"/{CANDIDATE}"])
    async def test_an_id_that_names_no_version_has_no_evidence(
        self, store: EvidenceStore, image_id: str
    ) -> None:
        await store.record(evidence(BOOT, PASSED))
        intake = EvidenceIntake(store, galleries(MemoryGallery(version(CANDIDATE))), str)
        assert await intake.of(_image(image_id)) == ()
        assert await intake.of(_image(f"{X64}/{CANDIDATE}", cloud="aws")) == ()

    async def test_a_gallery_may_say_which_version_an_image_is(self, store: EvidenceStore) -> None:
        await store.record(evidence(BOOT, PASSED))
        intake = EvidenceIntake(store, galleries(NamingGallery(version(CANDIDATE))), str)
        assert len(await intake.of(_image("ami-1"))) == 1
        assert await intake.of(_image("ami-2")) == ()
