"""Who changed a gallery's version, by Azure's activity log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.activity import read_authors
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.clouds.ports.image_activity import VersionEvent
from slipway.bot.clouds.simulated.azure.activity import CLI, PORTAL, Caller
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import CANDIDATE, CANDIDATE_NUMBER, LATEST, LATEST_NUMBER, X64, azure_harness

HIDE = {"properties": {"publishingProfile": {"excludeFromLatest": True}}}
DAN = Caller("dan@example.org", PORTAL)


async def test_who_wrote_or_deleted_a_version_is_found_once_the_log_has_it() -> None:
    async with azure_harness() as here:
        now = here.azure.activity.clock()
        during = (now - timedelta(hours=1), now + timedelta(minutes=1))
        here.azure.patch_by(DAN, X64, LATEST, HIDE)
        here.azure.delete_by(Caller("eve@example.org", CLI), X64, CANDIDATE)
        here.azure.activity.late = timedelta(minutes=10)
        assert await here.gallery.authors(X64, LATEST_NUMBER, VersionEvent.HIDDEN, (), during) == ()
        here.azure.activity.late = timedelta()
        (hidden,) = await here.gallery.authors(X64, LATEST_NUMBER, VersionEvent.HIDDEN, (), during)
        assert (hidden.name, hidden.through, hidden.at) == ("dan@example.org", "the portal", now)
        (deleted,) = await here.gallery.authors(X64, CANDIDATE_NUMBER, VersionEvent.DELETED, (), during)
        assert (deleted.name, deleted.through) == ("eve@example.org", "azure-cli")
        assert await here.gallery.authors(X64, LATEST_NUMBER, VersionEvent.DELETED, (), during) == ()
        here.azure.activity.refuses = True
        with pytest.raises(CloudError) as refused:
            await here.gallery.try_log()
        assert refused.value.kind is CloudErrorKind.REFUSED


def entry(status: str, **more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "caller": "dan@example.org",
        "correlationId": "1",
        "eventTimestamp": "2026-11-20T11:58:00.1234567Z",
        "operationName": {"value": "Microsoft.Compute/galleries/images/versions/write"},
        "status": {"value": status},
    }
    return usual | more


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([entry("Started"), entry("Succeeded")], ["dan@example.org"]),
        ([entry("Started"), entry("Failed")], []),
        ([entry("Started", caller=None)], []),
        ([entry("Started", caller=None, claims={"name": "Dan\n`x`"})], ["Dan 'x'"]),
        ([entry("Started", operationName=None)], []),
        ([entry("Accepted", claims="odd")], ["dan@example.org"]),
    ],
)
def test_what_is_logged_of_one_change_counts_once_and_what_failed_does_not(
    entries: list[dict[str, Any]], names: list[str]
) -> None:
    account = AzureAccount("azure", CloudContact(), "slipway")
    found = read_authors(entries, VersionEvent.PROMOTED, account)
    assert [each.name for each in found] == names


@pytest.mark.parametrize("odd", ["text", entry("Started", eventTimestamp="yesterday")])
def test_an_entry_that_cannot_be_read_is_told(odd: object) -> None:
    account = AzureAccount("azure", CloudContact(), "slipway")
    with pytest.raises(CloudError) as error:
        read_authors([odd], VersionEvent.PROMOTED, account)
    assert error.value.kind is CloudErrorKind.UNEXPECTED_ANSWER
