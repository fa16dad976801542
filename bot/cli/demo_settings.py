"""The configuration of ``slipway demo``: four people, two simulated clouds, everything on this machine."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from slipway.bot.clouds.simulated.aws.seed import ACCOUNT
from slipway.bot.config.load import settings_from
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.config.spec import ConfigSpec

# The simulated clouds look at no credentials, and the SDKs want some before they speak.
_NO_SECRETS = {"SLIPWAY_AWS_ACCESS_KEY_ID": "demo", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "demo"}

DELIVERED = "uploader-secret"
"""The file in the state folder to which the demo delivers a new secret of its uploader."""

# Where the people of the demo publish their SSH keys; only with the simulated services, for others have these names.
_ACCOUNTS = {"alice": ["github:alice"], "bob": ["gitlab:bob"]}


def demo_settings(
    *,
    state_dir: Path,
    aws_endpoint: str | None,
    azure_endpoint: str,
    spec: ConfigSpec,
    speaker: str = "alice",
    key_addresses: Mapping[str, str] | None = None,
    families: bool = False,
    machines_on_azure: bool = False,
    signing_ends: date | None = None,
) -> SlipwaySettings:
    """The demo's settings, checked as any others are.

    Args:
        state_dir: an absolute path; the demo's memory.
        aws_endpoint: where the simulated EC2 listens; None leaves AWS out, where moto is not installed.
        azure_endpoint: where the simulated ARM listens.
        spec: what slipway.toml may speak of.
        speaker: as whom one speaks: ``alice``, ``bob``, ``carol`` or ``admin``.
        key_addresses: where the simulated GitHub and GitLab listen, by their keys in ``[keys]``; None gives nobody an
            account there.
        machines_on_azure: whether machines are launched on the simulated Azure, too, and not only on EC2.
        signing_ends: until when a key counts that stands in no cloud, where credentials are looked after: those of
            the simulated Azure's directory, too. None: none are.
        families: whether the simulated EC2 has the account's own images, which are versions of definitions then.

    Raises:
        ConfigError: nobody in the demo is called so.
    """
    document = _document("demo.toml")
    document["state_dir"] = str(state_dir)
    document["console"]["speaker"] = speaker
    document["azure"]["endpoint"] = azure_endpoint
    if key_addresses is not None:
        document["keys"] = dict(key_addresses)
        for person in document["person"]:
            person["keys"] = _ACCOUNTS.get(person["id"], [])
    if aws_endpoint is None:
        del document["aws"], document["profiles"]
    else:
        document["aws"]["endpoint"] = aws_endpoint
        if families:
            document |= tomllib.loads(
                files("slipway.bot.cli").joinpath("demo-families.toml").read_text("utf-8")
            )
            document["aws"]["owners"].append(ACCOUNT)  # else nobody could boot-test these
    if machines_on_azure:
        more = _document("demo_azure.toml")
        document["azure"] |= more["azure"]
        document["profiles"] = document.get("profiles", {}) | more["profiles"]
        document["prices"]["per_hour"] |= more["prices"]["per_hour"]
    if signing_ends is not None:
        document |= _document("demo-credentials.toml")
        document["azure"]["login_endpoint"] = azure_endpoint  # where a new secret is tried
        document["credentials"]["uploader"]["deliver"] = [f"file:{state_dir / DELIVERED}"]
        document["credentials"]["signing"]["expires"] = signing_ends
    return settings_from(document, Path.cwd(), _NO_SECRETS, spec=spec)


def _document(name: str) -> dict[str, Any]:
    return tomllib.loads(files("slipway.bot.cli").joinpath(name).read_text("utf-8"))
