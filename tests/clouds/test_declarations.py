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
from tests.support.configuration import DECLARED, settings_of, valid_document

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
        (AZURE, azure(machines_group="m", regions=("eastus", "westeurope")), []),
        (AZURE, azure(machines_group="m"), ["regions"]),
        (AZURE, azure(regions=("eastus",)), ["machines_group"]),
        (AZURE, azure(machines_group="m", regions=("East US",)), ["regions"]),
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
            assert finding.next.startswith("assign the role of deploy/azure-role.json to ")
        finally:
            await adapter.port(IMAGE_VERSIONS).close()


async def test_an_account_launches_machines_where_its_settings_say_where_and_else_none() -> None:
    without = AZURE.open(azure(), cloud_context("azure"))
    settings = azure(machines_group="m", regions=("eastus",))
    with_them = AZURE.open(settings, cloud_context("azure"))
    assert (MACHINES in without, MACHINES in with_them) == (False, True)
    assert (AZURE.lacks(azure()), AZURE.lacks(settings)) == (frozenset({MACHINES}), frozenset())


def test_a_profile_hands_its_description_to_the_account_that_it_names() -> None:
    document = valid_document()
    document["profiles"]["described"] = {
        "cloud": "azure",
        "machine": {"size": "Standard_B2s", "subnet": "machines/default"},
    }
    with pytest.raises(ConfigError, match=r"azure\.machines_group: missing, though the profile described"):
        DECLARED.open_clouds(settings_of(document), {})
    document["profiles"]["described"]["cloud"] = "aws"
    with pytest.raises(ConfigError, match=r"profiles\.described\.machine: EC2 launches from templates;"):
        DECLARED.open_clouds(settings_of(document), {})
    document["profiles"]["described"]["cloud"] = "azure"
    document["azure"].update({"machines_group": "m", "regions": ["eastus"]})
    clouds = DECLARED.open_clouds(settings_of(document), {})
    assert list(clouds.all(MACHINES)) == ["aws", "azure"]
    assert list(clouds.all(IMAGE_VERSIONS)) == ["azure"]


@pytest.mark.parametrize(
    ("machine", "key"),
    [
        ({"size": "Standard_B2s"}, "subnet"),
        ({"size": "Standard_B2s", "subnet": "alone"}, "subnet"),
        ({"size": "two words", "subnet": "n/s"}, "size"),
        ({"size": "Standard_B2s", "subnet": "n/s", "os_disk_type": "Fast"}, "os_disk_type"),
        ({"size": "Standard_B2s", "subnet": "n/s", "os_disk_gib": 0}, "os_disk_gib"),
        ({"size": "Standard_B2s", "subnet": "n/s", "sze": "x"}, "sze"),
    ],
)
def test_a_mistake_in_a_description_is_told_by_its_key(machine: dict[str, Any], key: str) -> None:
    document = valid_document()
    document["profiles"]["described"] = {"cloud": "azure", "machine": machine}
    with pytest.raises(ConfigError, match=rf"profiles\.described\.machine\.{key}"):
        settings_of(document)


def test_a_profile_has_a_template_or_a_description() -> None:
    document = valid_document()
    document["profiles"]["neither"] = {"description": "nothing"}
    with pytest.raises(ConfigError, match=r"profiles\.neither\.template: missing"):
        settings_of(document)
    document["profiles"] = {"both": {"template": "t", "machine": {"size": "S", "subnet": "n/s"}}}
    with pytest.raises(ConfigError, match=r"profiles\.both\.template: the machine is described below"):
        settings_of(document)


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
