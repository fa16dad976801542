"""Tries the connection to EC2, for `slipway doctor`: what is there, by which credentials, and what to do if not."""

from __future__ import annotations

import os
from datetime import timedelta

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.aws.rights.trying import RightsTrial
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.capabilities import Adapter
from slipway.bot.clouds.clock_check import clock_check
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.rights import Usage
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.probes import Check, Finding, reach

_NOT_ACCEPTED = frozenset(
    {"AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "RequestExpired"}
)
"""EC2's codes for credentials that it does not accept. Source: Amazon EC2 API reference, “Error codes”."""

_TOLERATED = timedelta(minutes=5)
"""Between a request's time and AWS's. Source: AWS Identity and Access Management user guide, “Elements of an AWS API
request signature”, of the time stamp."""

_WAYS = {
    "env": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    "shared-credentials-file": "the profile {profile} in {credentials}",
    "config-file": "the profile {profile} in {config}",
    "custom-process": "the command that the profile {profile} names in {config}",
    "assume-role": "the role that the profile {profile} takes on",
    "assume-role-with-web-identity": "the web identity in AWS_WEB_IDENTITY_TOKEN_FILE",
    "sso": "the single sign-on of the profile {profile}",
    "login": "the login of the profile {profile}",
    "container-role": "the role of this container",
    "iam-role": "the role of this machine",
}
"""The ways in which botocore finds credentials, by ``METHOD`` of the providers in ``botocore.credentials``."""


async def probe(settings: AwsSettings, adapter: Adapter) -> Finding:
    """How many launch templates there are, and by which credentials that was found out."""
    machines = adapter.port(MACHINES)
    way = ""
    try:
        if isinstance(machines, AwsMachines):
            way = _in_words(await machines.credentials_method())
        found = len(await machines.template_names())
    except CloudError as error:
        return Finding.of_error(adapter.name, error, _next(error, settings, adapter.name, way), by=way)
    detail = f"{found} launch template{'s' if found != 1 else ''} in {machines.region}"
    clock = clock_check("AWS", adapter.contact.platform_clock.ahead, _TOLERATED)
    return Finding(adapter.name, detail, by=way, parts=(clock,))


async def rights(_settings: AwsSettings, adapter: Adapter, usage: Usage) -> Check:
    """Whether Slipway may do what it is configured to."""
    machines = adapter.port(MACHINES)
    assert isinstance(machines, AwsMachines)  # noqa: S101 - the declaration opened it
    return await RightsTrial(machines.account, usage).rights()


def _in_words(method: str) -> str:
    """Where credentials were found; empty where they are slipway.toml's own, or none were."""
    environ = os.environ
    return _WAYS.get(method, "").format(
        profile=environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default",
        credentials=environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials",
        config=environ.get("AWS_CONFIG_FILE") or "~/.aws/config",
    )


def _next(error: CloudError, settings: AwsSettings, name: str, way: str) -> str:
    """What whoever runs Slipway does about it; empty where the sentence says it."""
    if error.kind in (CloudErrorKind.UNREACHABLE, CloudErrorKind.TIMED_OUT):
        return reach(settings.endpoint or f"ec2.{settings.region}.amazonaws.com")
    if error.kind is not CloudErrorKind.REFUSED:
        return ""
    if error.code in _WAYS:  # what was found there cannot be sent
        return f"write {_in_words(error.code)} anew"
    if error.code == "ProfileNotFound":
        return "make the profile that AWS_PROFILE names, in ~/.aws/config or ~/.aws/credentials, or unset AWS_PROFILE"
    if error.code == "PartialCredentialsError":
        return "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither"
    key = way or f"the key of {name}.access_key_id"
    if error.code == "UnauthorizedOperation":
        return f"allow {key} what deploy/aws-policy.json lists"
    if error.code in _NOT_ACCEPTED:
        return f"AWS does not accept {key}: put a valid one there"
    prefix = f"SLIPWAY_{name}".replace(".", "_").replace("-", "_").upper()
    return (
        f"set {prefix}_ACCESS_KEY_ID and {prefix}_SECRET_ACCESS_KEY, or name files with "
        f"{name}.access_key_id_file and {name}.secret_access_key_file, or give boto3 what it looks for by "
        "itself: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of this machine"
    )
