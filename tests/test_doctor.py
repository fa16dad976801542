"""`slipway doctor` as whoever runs Slipway meets it: what works, as whom, and what to set where it does not."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.identity.aio import DefaultAzureCredential

from slipway.bot.cli.doctor import Progress, examine
from slipway.bot.clouds.azure.declaration import CLOUD as AZURE
from slipway.bot.clouds.azure.probe import LINKS
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.capabilities import Adapter, Capability, Port
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.probes import Finding
from tests.support.aws import simulated_aws
from tests.support.azure import azure_settings, simulated_gallery
from tests.support.clouds import cloud_context
from tests.support.configuration import DECLARED, put, settings_of, valid_document
from tests.support.processes.program import (
    CONSOLE_CONFIGURATION,
    run_slipway,
)

pytestmark = pytest.mark.xdist_group("program")

AWS_TABLE = """
[aws]
region = "us-east-1"
endpoint = "{url}"
max_attempts = 1
timeout = "60s"
"""


def configuration(folder: Path, azure: str = "http://127.0.0.1:9", aws: str = "") -> None:
    text = CONSOLE_CONFIGURATION.replace("http://127.0.0.1:9", azure)
    text = text.replace("[azure]", '[azure]\nmax_attempts = 1\ntimeout = "60s"')
    (folder / "slipway.toml").write_text(text + (AWS_TABLE.format(url=aws) if aws else ""))


async def doctor(folder: Path, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """How it ended, and what it printed; never on standard error."""
    quiet = {"AWS_EC2_METADATA_DISABLED": "true", **(env or {})}
    ended = await asyncio.to_thread(run_slipway, "doctor", cwd=folder, env=quiet)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


PROFILE = "the profile images in ~/.aws/credentials"
VARIABLES = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
OWN = (
    "aws.access_key_id from the file {}; "
    "aws.secret_access_key from the environment variable SLIPWAY_AWS_SECRET_ACCESS_KEY"
)


@pytest.mark.parametrize(
    ("where", "env"),
    [
        (OWN, {"SLIPWAY_AWS_ACCESS_KEY_ID_FILE": "key", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "secret"}),
        pytest.param(PROFILE, {"AWS_PROFILE": "images"}, marks=pytest.mark.slow),
        pytest.param(
            VARIABLES,
            {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"},
            marks=pytest.mark.slow,
        ),
    ],
    ids=["own", "profile", "variables"],
)
async def test_each_connection_is_told_with_the_credentials_that_were_found_and_where(
    where: str, env: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    keys = "aws_access_key_id = AKIA\naws_secret_access_key = secret\n"
    (home / ".aws" / "credentials").write_text(f"[images]\n{keys}")
    (tmp_path / "key").write_text("AKIA\n")
    (tmp_path / "key").chmod(0o600)
    async with simulated_aws() as aws, simulated_gallery() as azure:
        configuration(tmp_path, azure.url, aws.url)
        status, said = await doctor(tmp_path, {"HOME": str(home), **env})
        assert status == 0, said
        by = where.format(tmp_path / "key")
        assert f"✔ aws works: 2 launch templates in us-east-1\n    by {by}\n" in said
        assert "✔ azure works: 7 image definitions in the gallery\n" in said
        assert said.endswith("All connections work.\n")
        assert "secret\n" not in said


async def test_the_connection_that_does_not_work_is_told_beside_the_one_that_does(tmp_path: Path) -> None:
    async with simulated_aws() as aws, simulated_gallery() as azure:
        configuration(tmp_path, azure.url, aws.url)
        azure.faults.add(Fault(kind=FaultKind.REFUSE, times=None))
        keys = {"SLIPWAY_AWS_ACCESS_KEY_ID": "AKIA", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "secret"}
        status, said = await doctor(tmp_path, keys)
        assert status == 1
        assert "✘ azure does not work\n" in said
        assert "✔ aws works" in said
        assert said.endswith("1 of 2 connections does not work.\n")


@pytest.mark.parametrize(
    ("env", "told"),
    [
        (
            {},
            "Next: set SLIPWAY_AWS_ACCESS_KEY_ID and SLIPWAY_AWS_SECRET_ACCESS_KEY, or name files with aws.access",
        ),
        ({"AWS_PROFILE": "none"}, "Next: make the profile that AWS_PROFILE names"),
        (
            {"AWS_ACCESS_KEY_ID": "AKIA"},
            "Next: set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither",
        ),
        (
            {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret\n"},
            "a line break or another sign that no key has in AWS's credentials (env).\n    Next: write AWS_ACCESS",
        ),
        (
            {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"},
            "Next: look whether this machine reaches 127.0.0.1:9: name, firewall, proxy",
        ),
    ],
)
async def test_what_is_to_be_set_or_reached_is_named_and_no_essay_of_an_sdk(
    env: dict[str, str], told: str, tmp_path: Path
) -> None:
    configuration(tmp_path, aws="http://127.0.0.1:9")
    status, said = await doctor(tmp_path, env)
    assert status == 1
    assert told in said
    assert "Next: look whether this machine reaches 127.0.0.1:9: name" in said  # azure
    assert max(map(len, said.splitlines())) < 400
    assert "http" not in said
    assert "secret\n" not in said


async def test_an_azure_without_any_credentials_is_told_in_our_words(tmp_path: Path) -> None:
    configuration(tmp_path, "https://127.0.0.1:9")
    status, said = await doctor(tmp_path, {"AZURE_TENANT_ID": "t", "PATH": "/nonexistent"})
    assert status == 1
    assert "it does not accept Slipway's credentials (none were found that work)." in said
    assert "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET" in said
    assert not {"DefaultAzureCredential", "troubleshoot"} & set(said.replace(":", " ").split())


@asynccontextmanager
async def managed_identity() -> AsyncIterator[dict[str, str]]:
    """The token service of a machine that has an identity; gives the variables by which it is found."""

    async def token(_request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t0ken", "expires_in": 3600, "resource": "r"})

    app = web.Application()
    app.router.add_get("/", token)
    async with TestServer(app) as server:
        yield {"IDENTITY_ENDPOINT": str(server.make_url("/")), "IDENTITY_HEADER": "x"}


async def test_it_is_told_where_azure_identity_found_what_azure_was_asked_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its chain the first link that has something answers; Azure itself is not there."""
    az = tmp_path / "az"
    az.write_text("""#!/bin/sh\necho '{"accessToken": "t0ken", "expires_on": 4102444800}'\n""")
    az.chmod(0o700)
    document = put(valid_document(), "azure.endpoint", "https://127.0.0.1:9")
    put(document, "azure.max_attempts", 1)
    account = settings_of(document).named(AZURE.table)["azure"]

    async def tried() -> Finding:
        adapter = Adapter("azure", AZURE.open(account, cloud_context("azure")))
        try:
            return await AZURE.probe(account, adapter)
        finally:
            await adapter.port(IMAGE_VERSIONS).close()

    async with managed_identity() as variables:
        for name, value in {**variables, "PATH": f"{tmp_path}:{os.environ['PATH']}"}.items():
            monkeypatch.setenv(name, value)
        found = await tried()
        assert found.by == "the managed identity of this machine"
        assert found.next.startswith("look whether this machine reaches 127.0.0.1:9")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")  # what is left of the chain
    assert (await tried()).by == "the login of azure-cli (`az login`)"
    az.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await tried()).by.startswith("what azure-identity finds by itself")


def test_every_link_of_azure_identitys_chain_has_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(name, "x")
    links = {type(link).__name__ for link in DefaultAzureCredential().credentials}
    assert {"WorkloadIdentityCredential", "AzureCliCredential"} <= links <= set(LINKS)


async def test_an_account_that_cannot_be_opened_keeps_nobody_else_from_being_tried() -> None:
    async with simulated_gallery() as azure:
        document = put(valid_document(), "azure.endpoint", azure.url)
        put(document, "azure.subscription_id", azure_settings(azure).subscription_id)
        del document["matrix"], document["aws"], document["profiles"], document["schedule"]
        document |= {"console": {"enabled": True}}
        for person in document["person"]:
            person["identities"] = [f"console:{person['id']}"]
        put(document, "azure.staging", {"subscription_id": "0", "resource_group": "r", "gallery": "g"})

        def open_(settings: AzureSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
            if context.name == "azure.staging":
                raise ConfigError(("azure.staging.tenant_id: missing",))
            return AZURE.open(settings, context)

        cloud = replace(AZURE, open=open_)
        declarations = replace(DECLARED, clouds=(cloud,))
        told: list[str] = []
        found = await examine(settings_of(document), declarations, tell=lambda each: told.append(each.what))
    assert [(each.what, each.well) for each in found] == [("azure", True), ("azure.staging", False)]
    assert found[1].problems == ("azure.staging.tenant_id: missing",)
    assert told == ["azure.staging", "azure"]


class Terminal(io.StringIO):
    """A terminal of 40 columns."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return -1


def test_who_watches_sees_what_is_still_being_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda _fd: os.terminal_size((40, 20)))
    stream = Terminal()
    progress = Progress(stream, {"matrix.password": "the file /etc/slipway/matrix-password"})
    progress.begin(["matrix", "aws"])
    assert stream.getvalue() == "Trying matrix, aws…"
    progress.tell(
        Finding("aws", "does not work", ("AWS did not answer, however long it was asked.",), "wait")
    )
    seen = stream.getvalue().split("\r\x1b[K")
    assert seen[1].endswith("    Next: wait\nTrying matrix…")
    progress.tell(Finding("matrix", "@slipway:fedora.im on https://chat.fedora.im"))
    last = stream.getvalue().split("\r\x1b[K")[-1]
    assert "by matrix.password from the file\n    /etc/slipway/matrix-password\n" in last
    assert max(len(line) for line in stream.getvalue().replace("\r\x1b[K", "\n").splitlines()) <= 40
