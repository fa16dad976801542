"""Secrets in a key vault: the double as the vendor's own client knows it, and what our adapter makes of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity.aio import ClientSecretCredential
from azure.keyvault.secrets.aio import SecretClient
from pydantic import SecretStr

from slipway.bot.clouds.azure.vault.adapter import AzureSecretStore, VaultAccount
from slipway.bot.clouds.azure.vault.client import VaultClient
from slipway.bot.clouds.ports.secret_stores import SecretValue
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.vault import TENANT, VaultVersion
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import azure_settings, one_version_seed
from tests.support.certificates import certificate
from tests.support.clock import DAY, NOW, no_wait
from tests.support.clouds import cloud_context
from tests.support.directory import application, secret

ROLE = Path(__file__).parents[3] / "deploy" / "azure-vault-role.json"

NAME = "uploader"
VALUE = SecretValue(SecretStr("Sim8Q~new"), "key-1", NOW + 180 * DAY)


@dataclass
class Vault:
    """A vault that speaks TLS, and whoever asks it."""

    azure: SimulatedAzure
    client_id: str
    options: dict[str, Any]

    @property
    def address(self) -> str:
        """Of the one secret."""
        return f"{self.azure.url}/secrets/{NAME}"

    @property
    def versions(self) -> list[VaultVersion]:
        """Of the one secret."""
        return self.azure.vault.secrets.get(NAME, [])

    def credential(self) -> ClientSecretCredential:
        """Logs in at the simulated Entra."""
        more = {"authority": self.azure.url, "disable_instance_discovery": True, "retry_total": 0}
        return ClientSecretCredential(TENANT, self.client_id, "right", **more, **self.options)

    def client(self, credential: ClientSecretCredential) -> SecretClient:
        """The vendor's own, unmodified."""
        more = {"verify_challenge_resource": False, "retry_total": 0, **self.options}
        return SecretClient(self.azure.url, credential, **more)

    def store(self) -> AzureSecretStore:
        """The adapter, whose authority is the test's."""

        def make(vault: str) -> VaultClient:
            more = {"verify_challenge_resource": False, **self.options}
            account = VaultAccount("azure")
            return VaultClient(
                vault, self.credential(), account, timeout=10, attempts=2, sleep=no_wait, **more
            )

        return AzureSecretStore(azure_settings(self.azure), cloud_context("azure"), make=make)


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    made = certificate(left=36500 * DAY, life=40000 * DAY)
    authority = tmp_path / "authority.pem"
    authority.write_bytes(made.pem)
    azure = SimulatedAzure(one_version_seed(), clock=lambda: NOW)
    await azure.start(tls=made.context(tmp_path))
    app = application("slipway", secret())
    app.secrets[0].text = "right"
    azure.graph.applications = [app]
    yield Vault(azure, app.client_id, {"connection_verify": str(authority)})
    await azure.stop()


async def test_the_vendors_client_finds_a_vault_as_it_knows_it(vault: Vault) -> None:
    async with vault.credential() as credential, vault.client(credential) as client:
        with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
            await client.get_secret(NAME)
        first = await client.set_secret(NAME, "one", tags={"a": "b"}, content_type="text/plain")
        second = await client.set_secret(NAME, "two", expires_on=NOW + DAY)
        assert vault.azure.vault.challenges == 1, "the challenge is answered once"
        read = await client.get_secret(NAME)
        assert (read.value, read.properties.expires_on) == ("two", NOW + DAY)
        former = await client.get_secret(NAME, first.properties.version)
        assert (former.value, former.properties.tags) == ("one", {"a": "b"})
        await client.update_secret_properties(NAME, second.properties.version, enabled=False)
        with pytest.raises(HttpResponseError, match="not allowed on a disabled secret"):
            await client.get_secret(NAME)
        listed = [each.enabled async for each in client.list_properties_of_secret_versions(NAME)]
        assert sorted(map(bool, listed)) == [False, True]
        vault.azure.vault.lacks = {"setSecret"}
        with pytest.raises(HttpResponseError, match="Caller is not authorized"):
            await client.set_secret(NAME, "three")
        vault.azure.vault.lacks = set()
        vault.azure.vault.deleted[NAME] = vault.azure.vault.secrets.pop(NAME)
        with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
            await client.set_secret(NAME, "three")


async def test_a_value_is_set_and_put_back_as_it_was_with_the_rights_that_are_shipped(
    vault: Vault,
) -> None:
    vault.azure.vault.put(NAME, "before", tags={"team": "releng"}, content_type="text/plain")
    store = vault.store()
    try:
        await store.look(vault.address)
        staged = await store.stage(vault.address, VALUE)
        assert [each.value for each in vault.versions] == ["before"], "nothing shows before the commit"
        await staged.commit()
        new = vault.versions[-1]
        assert (new.value, new.tags) == ("Sim8Q~new", {"slipway-key": "key-1"})
        assert new.attributes["exp"] == (NOW + 180 * DAY).timestamp()
        assert await staged.undo()
        last = vault.versions[-1]
        assert (last.value, last.tags, last.content_type) == ("before", {"team": "releng"}, "text/plain")
        assert not new.attributes["enabled"]
        assert VALUE.text.get_secret_value() not in repr(staged)
        assert set(json.loads(ROLE.read_text("utf-8"))["DataActions"]) == vault.azure.vault.asked
    finally:
        await store.close()


async def test_where_nobody_could_read_anything_nobody_can_after_it_is_put_back(vault: Vault) -> None:
    store = vault.store()
    try:
        for _ in range(2):  # no such secret, and one whose newest version is disabled
            staged = await store.stage(vault.address, VALUE)
            await staged.commit()
            assert await staged.undo()
            assert not vault.versions[-1].attributes["enabled"]
        # aiohttp asks once more by itself where a connection breaks that was used before.
        vault.azure.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=f"PUT /secrets/{NAME}", times=2))
        staged = await store.stage(vault.address, VALUE)
        with pytest.raises(CloudError) as lost:
            await staged.commit()
        assert lost.value.doubtful, "nobody knows whether it was set"
        assert vault.versions[-1].attributes["enabled"]
        assert await staged.undo()
        assert not vault.versions[-1].attributes["enabled"], "ours is found by its tag"
    finally:
        await store.close()


async def test_refusals_say_what_is_missing_and_nothing_of_the_secret(vault: Vault) -> None:
    store, held = vault.store(), vault.azure.vault
    try:
        staged = await store.stage(vault.address, VALUE)
        held.lacks = {"setSecret"}
        with pytest.raises(
            CloudError, match=r"lacks the right Microsoft\.KeyVault/vaults/secrets/setSecret/action"
        ) as denied:
            await staged.commit()
        held.lacks, held.firewall = set(), True
        with pytest.raises(CloudError, match="the vault's firewall does not let this machine in"):
            await store.look(vault.address)
        held.firewall = False
        held.deleted[NAME] = [held.put(NAME, "x")]
        held.secrets.clear()
        with pytest.raises(CloudError, match="somebody recovers it, or purges it") as kept:
            await staged.commit()
        throttle = Fault(kind=FaultKind.THROTTLE, match=f"GET /secrets/{NAME}*", times=9, seconds=1)
        vault.azure.faults.add(throttle)
        with pytest.raises(CloudError) as throttled:
            await store.look(vault.address)
        with pytest.raises(CloudError, match="is named like https://uploads"):
            await store.look("https://elsewhere.example/certificates/x")
    finally:
        await store.close()
    assert denied.value.kind is CloudErrorKind.REFUSED
    assert not denied.value.doubtful
    assert kept.value.kind is CloudErrorKind.CONFIGURATION
    assert throttled.value.kind is CloudErrorKind.THROTTLED
    for error in (denied.value, kept.value):
        assert error.__cause__ is None, "the request with the secret goes no further"
        assert "Sim8Q" not in error.words


async def test_a_simulated_azure_reaches_no_real_vault(vault: Vault) -> None:
    settings = azure_settings(vault.azure).model_copy(update={"endpoint": "http://127.0.0.1:9"})
    store = AzureSecretStore(settings, cloud_context("azure"))
    with pytest.raises(CloudError, match="is a simulator"):
        await store.look("https://uploads.vault.azure.net/secrets/uploader")
