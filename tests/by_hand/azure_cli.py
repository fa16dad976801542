"""An unmodified azure-cli against the simulated Azure.

`az sig …` lists, shows, creates, updates and deletes; `az vm …` makes a machine of a version, stops it, starts it and
deletes it.

azure-cli is large (some 700 MiB), so it is installed beside the project, and this is run by hand::

    python3 -m venv /tmp/azure-cli && /tmp/azure-cli/bin/pip install azure-cli
    python -m tests.by_hand.azure_cli --az /tmp/azure-cli/bin/az

It needs nothing outside the loopback: a certificate for 127.0.0.1 is made for the run, since azure-cli sends its
token by https only, and a token is handed out as a managed identity's is. Every command is printed with how it
ended; the first surprise ends the run.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import os
import ssl
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import click
import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEFINITION = "Fedora-Cloud-43-x64"
MACHINES_GROUP = "slipway-machines"
TIMEOUT_SECONDS = 300


@click.command()
@click.option(
    "--az", required=True, type=click.Path(exists=True, dir_okay=False), help="azure-cli's program."
)
def main(az: str) -> None:
    """Drive the simulated Azure by azure-cli."""
    with TemporaryDirectory(prefix="slipway-azure-cli-") as folder:
        asyncio.run(_trial(az, Path(folder)))
    click.echo("All of it works.")


async def _trial(az: str, folder: Path) -> None:
    certificate = _certificate(folder)
    token_service, identity = await _serve_tokens()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "slipway.bot.clouds.simulated.azure", "--certificate", str(certificate)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        azure = json.loads(await asyncio.wait_for(process.stdout.readline(), TIMEOUT_SECONDS))
        environment = {
            **os.environ,
            "AZURE_CONFIG_DIR": str(folder / "config"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "IDENTITY_ENDPOINT": identity,
            "IDENTITY_HEADER": "loopback",
            "REQUESTS_CA_BUNDLE": str(certificate),
        }
        cli = AzureCli(az, environment)
        await _log_in(cli, azure)
        await _use(cli, azure)
        await _use_machines(cli, azure, folder)
        tls = ssl.create_default_context(cafile=str(certificate))
        async with aiohttp.ClientSession(azure["url"], connector=aiohttp.TCPConnector(ssl=tls)) as simulator:
            await _update_without_rights_on_the_source(cli, azure, simulator)
            await _show_requests(simulator)
    finally:
        process.terminate()
        await process.wait()
        await token_service.cleanup()


class AzureCli:
    """Runs azure-cli and reads what it prints."""

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        self._program = program
        self._environment = environment

    async def run(self, line: str, *more: str, fails_with: str = "") -> Any:
        """What a command answers, as JSON; None where it prints nothing.

        Raises:
            AssertionError: it ended otherwise than ``fails_with`` says.
        """
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            self._program,
            *line.split(),
            *more,
            *("--output", "json", "--only-show-errors"),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, told = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)
        words = told.decode().strip()
        click.echo(f"az {line}: {process.returncode} after {time.monotonic() - began:.1f} s")
        if fails_with:
            assert process.returncode, f"it should have failed with {fails_with}"
            assert fails_with in words, words
            return None
        assert process.returncode == 0, words
        return json.loads(printed) if printed.strip() else None


async def _log_in(cli: AzureCli, azure: Mapping[str, str]) -> None:
    url = azure["url"]
    endpoints = ("resource-manager", "active-directory", "active-directory-graph-resource-id", "management")
    named = [option for each in endpoints for option in (f"--endpoint-{each}", url)]
    resource = ("--endpoint-active-directory-resource-id", url)
    await cli.run("cloud register --name simulated --skip-endpoint-discovery", *named, *resource)
    await cli.run("cloud set --name simulated")
    accounts = await cli.run("login --identity")
    assert [each["id"] for each in accounts] == [azure["subscription_id"]]


async def _use(cli: AzureCli, azure: Mapping[str, str]) -> None:
    group, gallery = azure["resource_group"], azure["gallery"]
    at = f"--resource-group {group} --gallery-name {gallery}"
    assert [each["name"] for each in await cli.run(f"sig list --resource-group {group}")] == [gallery]
    assert [each["name"] for each in await cli.run("sig list")] == [gallery]
    shown = await cli.run(f"sig show --resource-group {group} --gallery-name {gallery}")
    assert shown["provisioningState"] == "Succeeded"
    await cli.run(f"sig show --resource-group {group} --gallery-name Nope", fails_with="ResourceNotFound")

    await _use_definitions(cli, at)
    await _use_versions(cli, at, azure)


async def _use_definitions(cli: AzureCli, at: str) -> None:
    names = [each["name"] for each in await cli.run(f"sig image-definition list {at}")]
    assert DEFINITION in names
    shown = await cli.run(f"sig image-definition show {at} --gallery-image-definition {DEFINITION}")
    assert shown["architecture"] == "x64"
    made = await cli.run(
        f"sig image-definition create {at} --gallery-image-definition Trial --publisher P --offer O --sku S "
        "--os-type Linux --os-state Generalized --location eastus"
    )
    assert made["provisioningState"] == "Succeeded"
    changed = await cli.run(
        f"sig image-definition update {at} --gallery-image-definition Trial --set description=tried"
    )
    assert changed["description"] == "tried"
    await cli.run(f"sig image-definition delete {at} --gallery-image-definition Trial")
    await cli.run(
        f"sig image-definition show {at} --gallery-image-definition Trial", fails_with="ResourceNotFound"
    )


async def _use_versions(cli: AzureCli, at: str, azure: Mapping[str, str]) -> None:
    at = f"{at} --gallery-image-definition {DEFINITION}"
    before = [each["name"] for each in await cli.run(f"sig image-version list {at}")]
    assert before
    one = f"{at} --gallery-image-version 43.20990101.0"
    image = (
        f"/subscriptions/{azure['subscription_id']}/resourceGroups/{azure['resource_group']}"
        "/providers/Microsoft.Compute/images/captured"
    )
    made = await cli.run(
        f"sig image-version create {one} --location eastus --managed-image {image} "
        "--target-regions eastus westeurope --exclude-from-latest true --end-of-life-date 2099-12-31T12:59:59Z"
    )
    assert made["provisioningState"] == "Succeeded"
    assert made["publishingProfile"]["excludeFromLatest"] is True
    status = await cli.run(f"sig image-version show {one} --expand ReplicationStatus")
    assert status["replicationStatus"]["aggregatedState"] == "Completed"
    promoted = await cli.run(
        f"sig image-version update {one} --set publishingProfile.excludeFromLatest=false"
    )
    assert promoted["publishingProfile"]["excludeFromLatest"] is False
    assert promoted["storageProfile"]["source"]["id"] == image, "kept, though azure-cli does not send it"
    regions = await cli.run(
        f"sig image-version update {one} --add publishingProfile.targetRegions name=westus"
    )
    assert [each["name"] for each in regions["publishingProfile"]["targetRegions"]] == [
        "East US",
        "West Europe",
        "West US",
    ]
    blocked = regions["safetyProfile"]["blockDeletionBeforeEndOfLife"]
    if blocked:  # the default of newer versions of azure-cli
        await cli.run(
            f"sig image-version delete {one}", fails_with="DeleteGalleryImageVersionBlockedBeforeEndOfLife"
        )
        await cli.run(
            f"sig image-version update {one} --set safetyProfile.blockDeletionBeforeEndOfLife=false"
        )
    await cli.run(f"sig image-version delete {one}")
    await cli.run(f"sig image-version show {one}", fails_with="ResourceNotFound")
    assert [each["name"] for each in await cli.run(f"sig image-version list {at}")] == before


async def _use_machines(cli: AzureCli, azure: Mapping[str, str], folder: Path) -> None:
    gallery = f"--resource-group {azure['resource_group']} --gallery-name {azure['gallery']}"
    versions = await cli.run(f"sig image-version list {gallery} --gallery-image-definition {DEFINITION}")
    image = next(each["id"] for each in reversed(versions) if each["provisioningState"] == "Succeeded")
    key = folder / "key.pub"
    key.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITrial trial\n")
    one = f"--resource-group {MACHINES_GROUP} --name trial"
    create = (
        f"vm create {one} --image {image} --size Standard_B2s --location eastus --vnet-name machines-eastus "
        f"--subnet default --nsg ssh-eastus --admin-username fedora --ssh-key-values {key} "
        "--os-disk-delete-option Delete --nic-delete-option Delete --tags tried=yes"
    )
    made = await cli.run(create)
    assert made["powerState"] == "VM running"
    assert made["publicIpAddress"].startswith("192.0.2.")
    assert [each["name"] for each in await cli.run(f"vm list --resource-group {MACHINES_GROUP}")] == ["trial"]
    shown = await cli.run(f"vm show {one} --show-details")
    assert (shown["tags"], shown["storageProfile"]["imageReference"]["id"]) == ({"tried": "yes"}, image)
    await cli.run(f"vm deallocate {one}")
    assert (await cli.run(f"vm show {one} --show-details"))["powerState"] == "VM deallocated"
    await cli.run(f"vm start {one}")
    assert (await cli.run(f"vm show {one} --show-details"))["powerState"] == "VM running"
    usage = await cli.run("vm list-usage --location eastus")
    assert next(each for each in usage if each["name"]["value"] == "cores")["currentValue"] == "2"
    await cli.run(f"vm delete {one} --yes")
    await cli.run(f"vm show {one}", fails_with="ResourceNotFound")
    assert await cli.run(f"disk list --resource-group {MACHINES_GROUP}") == []


async def _update_without_rights_on_the_source(
    cli: AzureCli, azure: Mapping[str, str], simulator: aiohttp.ClientSession
) -> None:
    """Microsoft's own client leaves the source out of what it writes, so that it needs no right on it."""
    at = f"--resource-group {azure['resource_group']} --gallery-name {azure['gallery']}"
    one = f"{at} --gallery-image-definition {DEFINITION} --gallery-image-version"
    versions = await cli.run(f"sig image-version list {at} --gallery-image-definition {DEFINITION}")
    version = versions[-1]["name"]
    async with simulator.put("/_sim/conditions", json={"linked_rights": False}) as answer:
        answer.raise_for_status()
    changed = await cli.run(f"sig image-version update {one} {version} --set tags.tried=yes")
    assert changed["tags"]["tried"] == "yes"
    assert changed["storageProfile"] == versions[-1]["storageProfile"]


async def _show_requests(simulator: aiohttp.ClientSession) -> None:
    """Print what azure-cli asked for, and how it was answered."""
    async with simulator.get("/_sim/requests") as answer:
        asked = await answer.json()
    click.echo(f"{len(asked)} requests:")
    for line in sorted({f"{each['status']} {each['method']} {each['path']}" for each in asked}):
        click.echo(f"  {line}")


async def _serve_tokens() -> tuple[web.AppRunner, str]:
    """A managed identity's endpoint, as App Service has one: any token will do for the simulator."""

    async def token(request: web.Request) -> web.Response:
        until = int(time.time()) + 3600
        claims = {"tid": "00000000-0000-4000-8000-00000000fed1", "oid": "trial", "exp": until}
        signed = jwt.encode(claims, "a secret of this run, that nobody checks", algorithm="HS256")
        shown = {"access_token": signed, "expires_on": str(until), "token_type": "Bearer"}
        return web.json_response({**shown, "resource": request.query.get("resource", "")})

    app = web.Application()
    app.router.add_get("/token", token)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/token"


def _certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "loopback.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


if __name__ == "__main__":
    main()
