"""Who changed a gallery's version, as Azure's activity log tells: 90 days of it, some minutes late. Pure.

Sources: “Retrieve activity log data using Azure monitor REST API”; REST reference, Activity Logs - List (2015-04-01);
“Azure Activity Log event schema”, category Administrative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import cannot_be_read
from slipway.bot.clouds.ports.image_activity import Author, VersionEvent
from slipway.bot.core.text import fit_for_a_line

API_VERSION = "2015-04-01"

LOG = "/providers/Microsoft.Insights/eventtypes/management/values"
"""Below a subscription."""

LATE = timedelta(minutes=20)
"""As a rule, an entry is there after 3 to 20 minutes (Azure Monitor, “Activity log in Azure Monitor”)."""

WHAT = "activity log"

_SELECTED = "caller,claims,correlationId,eventTimestamp,operationName,status"

_WRITE = "microsoft.compute/galleries/images/versions/write"
_DELETE = "microsoft.compute/galleries/images/versions/delete"

_APPLICATIONS = {
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "the portal",
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "azure-cli",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
}
"""Programs of Microsoft's own, by the ids of their applications (“Verify first-party Microsoft applications in
sign-in reports”)."""


def query_of(resource: str, during: tuple[datetime, datetime]) -> dict[str, str]:
    """The query that lists what happened to a resource between two moments."""
    since, until = (f"{each.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for each in during)
    wanted = f"eventTimestamp ge '{since}' and eventTimestamp le '{until}' and resourceUri eq '{resource}'"
    return {"api-version": API_VERSION, "$filter": wanted, "$select": _SELECTED}


def read_authors(entries: Iterable[object], event: VersionEvent, account: AzureAccount) -> tuple[Author, ...]:
    """Who did something to the resource, the newest first, each once.

    A change is logged several times under one ``correlationId``, as it begins and as it ends; what failed did
    nothing.

    Args:
        entries: of the listing.
        event: what was done. All but a deletion are writes of the version, and look alike.
        account: for errors.

    Raises:
        CloudError: UNEXPECTED_ANSWER where an entry is not understood.
    """
    wanted = _DELETE if event is VersionEvent.DELETED else _WRITE
    by_change: dict[str, list[Mapping[str, Any]]] = {}
    for each in entries:
        if not isinstance(each, dict):
            raise cannot_be_read(WHAT, "value", account)
        if _value(each, "operationName").casefold() == wanted:
            by_change.setdefault(str(each.get("correlationId", "")), []).append(each)
    found: dict[tuple[str, str], Author] = {}
    done = [change for change in by_change.values() if not any(_failed(each) for each in change)]
    named = [author for change in done for author in _authors(change, account)]
    for author in sorted(named, key=lambda each: each.at, reverse=True):
        found.setdefault((author.name, author.through), author)
    return tuple(found.values())


def _authors(change: Iterable[Mapping[str, Any]], account: AzureAccount) -> Iterator[Author]:
    """Who began it; a caller stands in each of its entries, as a rule."""
    for each in sorted(change, key=lambda entry: str(entry.get("eventTimestamp"))):
        raw = each.get("claims")
        claims = raw if isinstance(raw, dict) else {}
        name = next((text for text in (each.get("caller"), claims.get("name")) if text), None)
        if isinstance(name, str):
            yield Author(fit_for_a_line(name), _through(claims), _moment(each, account))
            return


def _through(claims: Mapping[str, Any]) -> str:
    application = claims.get("appid")
    if not isinstance(application, str) or not application:
        return ""
    known = _APPLICATIONS.get(application.casefold())
    return known or f"the application {fit_for_a_line(application, 40)}"


def _moment(entry: Mapping[str, Any], account: AzureAccount) -> datetime:
    text = entry.get("eventTimestamp")
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise cannot_be_read(WHAT, "eventTimestamp", account) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _failed(entry: Mapping[str, Any]) -> bool:
    return _value(entry, "status").casefold() in ("failed", "failure")


def _value(entry: Mapping[str, Any], name: str) -> str:
    """The value of a “localizable string”."""
    found = entry.get(name)
    value = found.get("value") if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
