"""What Azure and AWS declare of themselves: their checks, their words, what doctor tries."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from slipway.bot.clouds.aws.declaration import CLOUD as AWS
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.azure.declaration import CLOUD as AZURE
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.capabilities import Adapter
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import ConfigError
from tests.support.aws import aws_settings, simulated_aws
from tests.support.azure import azure_settings, simulated_gallery
from tests.support.clouds import cloud_context

KEY = SecretStr("key")


def azure(**more: Any) -> AzureSettings:
    return AzureSettings(subscription_id="s", resource_group="fedora-cloud", gallery="Fedora", **more)


def aws(**more: Any) -> AwsSettings:
    return AwsSettings(region="eu-west-1", **more)


@pytest.mark.parametrize(
    ("declaration", "settings", "keys"),
    [
        (AZURE, azure(), []),
        (AZURE, azure(endpoint="http://azure.example"), ["endpoint"]),
        (AZURE, azure(client_secret=KEY), [""]),
        (AZURE, azure(client_secret=KEY, tenant_id="t", client_id="c"), []),
        (AWS, aws(), []),
        (AWS, aws(endpoint="ftp://here", owners=()), ["endpoint", "owners"]),
        (AWS, aws(access_key_id=KEY), [""]),
        (AWS, aws(access_key_id=KEY, secret_access_key=KEY), []),
    ],
)
def test_mistakes_are_told_by_the_keys_of_the_account(
    declaration: CloudDeclaration[Any], settings: object, keys: list[str]
) -> None:
    assert [problem.key for problem in declaration.check(settings, True)] == keys


def test_half_a_pair_of_keys_is_not_told_where_the_other_half_could_not_be_read() -> None:
    assert list(AWS.check(aws(access_key_id=KEY), False)) == []


def test_an_account_is_described_in_a_few_words() -> None:
    assert AZURE.describe(azure()) == "gallery Fedora in fedora-cloud"
    assert (
        AZURE.describe(azure(endpoint="http://[::1]:1")) == "gallery Fedora in fedora-cloud at http://[::1]:1"
    )
    assert AWS.describe(aws()) == "eu-west-1"
    assert AWS.describe(aws(endpoint="http://[::1]:1")) == "eu-west-1 at http://[::1]:1"


def test_a_named_account_that_cannot_be_used_is_told_by_its_own_table() -> None:
    with pytest.raises(ConfigError, match=r"azure\.staging\.tenant_id"):
        AZURE.open(azure(client_secret=KEY), cloud_context("azure.staging"))


async def test_doctor_counts_definitions_and_tells_a_refusal_by_the_accounts_name() -> None:
    async with simulated_gallery() as simulated:
        settings = azure_settings(simulated)
        adapter = Adapter("azure.staging", AZURE.open(settings, cloud_context("azure.staging")))
        try:
            finding = await AZURE.probe(settings, adapter)
            assert (finding.what, finding.detail, finding.well) == (
                "azure.staging",
                "7 image definitions in the gallery",
                True,
            )
            found = await adapter.port(IMAGE_VERSIONS).definitions()
            assert {each.cloud for each in found} == {"azure.staging"}
            simulated.faults.add(Fault(kind=FaultKind.REFUSE, times=None))
            finding = await AZURE.probe(settings, adapter)
            assert not finding.well
            assert finding.problems[0].startswith("Azure (azure.staging) refused to list")
            assert finding.next == "whose move: whoever runs Slipway; then `slipway doctor`"
        finally:
            await adapter.port(IMAGE_VERSIONS).close()


async def test_doctor_counts_launch_templates_and_tells_a_refusal_by_the_accounts_name() -> None:
    async with simulated_aws() as simulated:
        settings = aws_settings(simulated.url)
        adapter = Adapter("aws.eu", AWS.open(settings, cloud_context("aws.eu")))
        try:
            finding = await AWS.probe(settings, adapter)
            assert (finding.what, finding.detail, finding.well) == (
                "aws.eu",
                "2 launch templates in us-east-1",
                True,
            )
            assert {each.cloud for each in await adapter.port(MACHINES).images()} == {"aws.eu"}
            simulated.faults.add(Fault(kind=FaultKind.REFUSE, times=None))
            finding = await AWS.probe(settings, adapter)
            assert finding.problems[0].startswith("AWS (aws.eu) did not list launch templates")
        finally:
            await adapter.port(MACHINES).close()
