"""Applications of a directory by Microsoft Graph: whole listings, dates as they come, refusals in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core import AsyncPipelineClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from slipway.bot.clouds.azure.access import Anonymous, ClientSecret
from slipway.bot.clouds.azure.graph.access import graph_access
from slipway.bot.clouds.azure.graph.documents import SELECT, read_date
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.ports.app_credentials import AppCredentialKind
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import one_version_seed
from tests.support.certificates import certificate
from tests.support.clock import NOW
from tests.support.directory import YEAR, application, directory_id, secret, simulated_directory


async def test_every_page_is_read_and_secrets_of_one_name_stay_two() -> None:
    apps = [application(f"app-{number:02}", secret()) for number in range(23)]
    twins = application("twins", secret("ci", left=timedelta(days=3)), secret("ci"))
    async with simulated_directory(*apps, twins) as here:
        here.azure.graph.page_size = 5
        found = await here.directory.applications()
        assert [each.name for each in found] == [*(each.name for each in apps), "twins"]
        assert len(here.azure.requests) == 5
    first, second = found[-1].credentials
    assert (first.label, second.label) == ("ci", "ci")
    assert first.id != second.id
    assert first.ends_at == NOW + timedelta(days=3)
    assert first.starts_at == NOW + timedelta(days=3) - YEAR


async def test_one_application_is_asked_for_by_its_client_id() -> None:
    one = application("uploader", secret(), certificates=[secret("cert", left=timedelta(days=9))])
    async with simulated_directory(application("other"), one) as here:
        found = await here.directory.application(one.client_id)
        with pytest.raises(CloudError) as missing:
            await here.directory.application(directory_id())
        with pytest.raises(CloudError) as odd:
            await here.directory.application("x')/owners?$select=id#")
        assert len(here.azure.requests) == 2, "what can be no id is not asked for"
    assert [each.kind for each in found.credentials] == [
        AppCredentialKind.SECRET,
        AppCredentialKind.CERTIFICATE,
    ]
    assert missing.value.kind is CloudErrorKind.NOT_FOUND
    assert odd.value.kind is CloudErrorKind.INVALID


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2027-01-05T10:00:00Z", datetime(2027, 1, 5, 10, tzinfo=UTC)),
        ("2027-01-05T10:00:00.1234567Z", datetime(2027, 1, 5, 10, tzinfo=UTC)),
        ("2027-01-05T10:00:00+02:00", datetime(2027, 1, 5, 8, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", None),
        ("0001-01-01T00:00:00Z", None),
        ("2027-02-30T00:00:00Z", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_read_as_they_come_and_never_guessed(written: str | None, read: datetime | None) -> None:
    assert read_date(written) == read


async def test_a_refusal_names_the_permission_that_is_lacking() -> None:
    async with simulated_directory(application()) as here:
        here.azure.graph.refuses = True
        with pytest.raises(CloudError) as caught:
            await here.directory.applications()
    assert caught.value.kind is CloudErrorKind.REFUSED
    assert "Application.Read.All" in caught.value.sentence
    assert "Microsoft Graph refused" in caught.value.sentence
    assert "Insufficient privileges" in caught.value.words


async def test_a_listing_that_goes_in_circles_is_an_error_and_not_a_listing() -> None:
    async with simulated_directory(*(application(f"{number}") for number in range(4))) as here:
        here.azure.graph.page_size, here.azure.graph.circles = 2, True
        with pytest.raises(CloudError, match="goes in circles") as caught:
            await here.directory.applications()
    assert caught.value.kind is CloudErrorKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.UNAVAILABLE])
async def test_what_graph_throttles_is_asked_for_again(kind: FaultKind) -> None:
    async with simulated_directory(*(application(f"{number}") for number in range(4))) as here:
        here.azure.graph.page_size = 2
        here.azure.faults.add(Fault(kind=kind, seconds=0, after=1, times=2))
        assert len(await here.directory.applications()) == 4


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind=FaultKind.ERROR, after=1, times=None), CloudErrorKind.BROKEN),
        (Fault(kind=FaultKind.GARBAGE, after=1), CloudErrorKind.UNEXPECTED_ANSWER),
        (Fault(kind=FaultKind.GARBAGE, body='{"value": [{"id": "1"}]}'), CloudErrorKind.UNEXPECTED_ANSWER),
        (Fault(kind=FaultKind.GARBAGE, body='{"value": "none"}'), CloudErrorKind.UNEXPECTED_ANSWER),
        (Fault(kind=FaultKind.THROTTLE, times=None), CloudErrorKind.THROTTLED),
        (Fault(kind=FaultKind.DROP, times=None), CloudErrorKind.UNREACHABLE),
    ],
)
async def test_a_page_that_cannot_be_had_fails_the_whole_listing(fault: Fault, kind: CloudErrorKind) -> None:
    async with simulated_directory(
        *(application(f"{number}") for number in range(4)), max_attempts=2
    ) as here:
        here.azure.graph.page_size = 2
        here.azure.faults.add(fault)
        with pytest.raises(CloudError) as caught:
            await here.directory.applications()
    assert caught.value.kind is kind


def test_a_simulator_stands_for_graph_too_and_each_cloud_has_its_own() -> None:
    def access(**given: Any) -> tuple[str, type]:
        plain = {"subscription_id": "1", "resource_group": "g", "gallery": "G"}
        login = {"tenant_id": "t", "client_id": "c", "client_secret": "s"}
        found = graph_access(AzureSettings(**{**plain, **login, **given}), {}, "azure")
        return found.base_url, type(found.credential)

    assert access() == ("https://graph.microsoft.com", ClientSecret)
    assert access(endpoint="https://management.usgovcloudapi.net/") == (
        "https://graph.microsoft.us",
        ClientSecret,
    )
    assert access(endpoint="http://127.0.0.1:1") == ("http://127.0.0.1:1", Anonymous)
    assert access(graph_endpoint="http://127.0.0.1:2") == ("http://127.0.0.1:2", Anonymous)
    assert access(endpoint="http://127.0.0.1:1", graph_endpoint="https://g.example") == (
        "https://g.example",
        ClientSecret,
    )


class _Token:
    """A credential whose token is made up."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("made-up", 4_000_000_000)

    async def close(self) -> None:
        """Nothing to let go of."""


async def test_a_client_of_azure_core_reads_the_simulated_graph_unmodified_over_tls(tmp_path: Path) -> None:
    """The simulator is judged by another client than ours; this one sends a token, and so over https alone."""
    made = certificate(left=timedelta(days=36500), life=timedelta(days=40000))
    authority = tmp_path / "authority.pem"
    authority.write_bytes(made.pem)
    azure = SimulatedAzure(one_version_seed())
    url = await azure.start(tls=made.context(tmp_path))
    azure.graph.applications = [application(f"app-{number}", secret()) for number in range(5)]
    azure.graph.page_size = 2
    policy = AsyncBearerTokenCredentialPolicy(_Token(), "scope")  # type: ignore[arg-type]
    transport = AioHttpTransport(connection_verify=str(authority))
    client: AsyncPipelineClient[Any, Any] = AsyncPipelineClient(url, policies=[policy], transport=transport)
    names, link = [], f"{url}/v1.0/applications?$select={SELECT}&$top=999"
    try:
        async with client:
            while link:
                answer = await client.send_request(HttpRequest("GET", link))
                page = answer.json()
                names += [each["displayName"] for each in page["value"]]
                assert all(
                    key["secretText"] is None for each in page["value"] for key in each["passwordCredentials"]
                )
                link = page.get("@odata.nextLink")
            with pytest.raises(ServiceRequestError):
                await client.send_request(
                    HttpRequest("GET", f"http://{url.partition('//')[2]}/v1.0/applications")
                )
    finally:
        await azure.stop()
    assert names == [each.name for each in azure.graph.applications]
