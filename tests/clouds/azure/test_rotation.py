"""Secrets of applications made, tried and removed; and one that is replaced in its file while the bot runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ClientSecretCredential
from pydantic import SecretStr

from slipway.bot.clouds.azure.graph.rotation import AzureSecretRotation
from slipway.bot.clouds.azure.identity import RenewedSecret
from slipway.bot.clouds.ports.credential_rotation import FreshKey
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.secret_files import SecretFile
from tests.support.azure import azure_settings, one_version_seed
from tests.support.certificates import certificate
from tests.support.clock import DAY, NOW
from tests.support.directory import DirectoryHarness, application, directory_id, secret, simulated_directory


def rotation(here: DirectoryHarness) -> AzureSecretRotation:
    return AzureSecretRotation(azure_settings(here.azure), here.directory)


async def test_a_secret_is_made_accepted_after_a_while_and_removed_by_its_id() -> None:
    app = application("uploader", secret("by hand"), certificates=[secret("cert")])
    async with simulated_directory(app) as here:
        port = rotation(here)
        here.azure.graph.login.unknown_for = 1
        fresh = await port.create(app.client_id, "slipway-1", NOW + 180 * DAY)
        kept = {each.id: each for each in await port.keys(app.client_id)}
        assert set(kept) == {app.secrets[0].id, fresh.id}, "a certificate is no secret"
        assert (kept[fresh.id].label, kept[fresh.id].ends_at) == ("slipway-1", NOW + 180 * DAY)
        assert [await port.accepts(app.client_id, fresh) for _ in range(2)] == [False, True]
        assert fresh.secret.get_secret_value() not in repr((fresh, kept))
        for _ in range(2):
            await port.remove(app.client_id, fresh.id)
        assert not await port.accepts(app.client_id, fresh)
        nobody = FreshKey("x", "x", SecretStr("x"), None)
        with pytest.raises(CloudError, match="AADSTS700016"):
            await port.accepts(directory_id(), nobody)


async def test_refusals_name_what_is_missing_and_no_answer_is_told() -> None:
    app = application("uploader", secret())
    async with simulated_directory(app) as here:
        port = rotation(here)
        here.azure.graph.refuses_changes = True
        with pytest.raises(CloudError, match=r"Application\.ReadWrite\.OwnedBy") as refused:
            await port.create(app.client_id, "x", None)
        here.azure.graph.refuses_changes, here.azure.graph.longest_life = False, 30 * DAY
        with pytest.raises(CloudError, match="policy for applications forbids") as too_long:
            await port.create(app.client_id, "x", NOW + 60 * DAY)
        for body in ('{"secretText": "Sim8Q~told"}', '{"keyId": "1", "secretText": null}'):
            here.azure.faults.add(
                Fault(kind=FaultKind.GARBAGE, match="POST *addPassword", body=body, times=1)
            )
            with pytest.raises(CloudError) as odd:
                await port.create(app.client_id, "x", None)
            assert odd.value.kind is CloudErrorKind.UNEXPECTED_ANSWER
            assert "Sim8Q" not in odd.value.words
            assert odd.value.__context__ is None, (
                "whatever is written of the error holds nothing of the answer"
            )
    assert refused.value.kind is CloudErrorKind.REFUSED
    assert too_long.value.kind is CloudErrorKind.CONFIGURATION


async def test_azure_identity_finds_the_simulated_entra_as_it_knows_it_and_takes_up_what_is_replaced(
    tmp_path: Path,
) -> None:
    made = certificate(left=36500 * DAY, life=40000 * DAY)
    authority = tmp_path / "authority.pem"
    authority.write_bytes(made.pem)
    app = application("uploader", secret(), secret(left=-DAY))
    app.secrets[0].text, app.secrets[1].text = "first", "ended"
    azure = SimulatedAzure(one_version_seed(), clock=lambda: NOW)
    url = await azure.start(tls=made.context(tmp_path))
    azure.graph.applications = [app]
    file = tmp_path / "secret"
    file.write_text("wrong")
    file.chmod(0o600)

    def credential(text: str) -> ClientSecretCredential:
        more: dict[str, Any] = {"connection_verify": str(authority), "retry_total": 0}
        return ClientSecretCredential(
            directory_id(), app.client_id, text, authority=url, disable_instance_discovery=True, **more
        )

    renewed = RenewedSecret(credential, SecretStr("wrong"), SecretFile(file))
    try:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await renewed.get_token("scope")
        file.write_text("ended")
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000222"):
            await renewed.get_token("scope")
        file.write_text("first\n")
        assert (await renewed.get_token("scope")).token == "simulated"
        file.unlink()
        assert (await renewed.get_token_info("scope")).token == "simulated", (
            "what is not there changes nothing"
        )
    finally:
        await renewed.close()
        await azure.stop()
