"""What the AWS adapter declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from slipway.bot.clouds.aws.access_keys import AwsAccessKeys
from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import CLOUD_NAME
from slipway.bot.clouds.aws.images.gallery import AwsImages
from slipway.bot.clouds.aws.key_rotation import AwsKeyRotation
from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.aws.probe import probe, rights
from slipway.bot.clouds.aws.rights.policy import policy
from slipway.bot.clouds.aws.secret_store import AwsSecretStore
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.capabilities import Capability, Port
from slipway.bot.clouds.declaration import CloudContext, CloudDeclaration
from slipway.bot.clouds.ports.access_keys import ACCESS_KEYS
from slipway.bot.clouds.ports.credential_rotation import CREDENTIAL_ROTATION
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.ports.secret_stores import SECRET_STORE
from slipway.bot.core.addresses import check_address
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.problems import Problem, shown

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}", re.ASCII)
"""eu-west-1, us-gov-east-1, eusc-de-east-1."""

_OWNER = re.compile(r"\d{12}|self|amazon|aws-marketplace|aws-backup-vault", re.ASCII)
"""What DescribeImages takes as ``Owners``."""

_ACCOUNTS_IN_EXAMPLES = ("111122223333", "123456789012", "000000000000")
"""Account numbers that AWS keeps for its documentation, and the one of zeros."""


def _open(settings: AwsSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    for name in context.descriptions:
        why = "EC2 launches from templates; write the name of one as template, or another cloud"
        raise ConfigError((f"profiles.{name}.machine: {why}",))
    account = AwsAccount(settings, context)
    ports: dict[Capability[Any], Port] = {
        MACHINES: AwsMachines(settings, context, account=account),
        ACCESS_KEYS: AwsAccessKeys(account),
        CREDENTIAL_ROTATION: AwsKeyRotation(account),
        SECRET_STORE: AwsSecretStore(account),
    }
    if context.families:
        ports[IMAGE_VERSIONS] = AwsImages(settings, context, account=account)
    return ports


def _check(settings: AwsSettings, secrets: bool) -> Iterator[Problem]:
    if settings.endpoint is not None:
        yield from check_address("endpoint", settings.endpoint)
    if not settings.owners:
        yield Problem("owners", 'is empty; write whose images to use, like ["125523088429"]')
    one_key = (settings.access_key_id is None) != (settings.secret_access_key is None)
    if one_key and secrets:
        yield Problem(
            "",
            "of access_key_id and secret_access_key only one is given; give both, or neither to use "
            "the credentials that boto3 finds by itself",
        )


def _warnings(settings: AwsSettings) -> Iterator[Problem]:
    for key, regions in (("region", (settings.region,)), ("regions", settings.regions)):
        for region in regions:
            if not _REGION.fullmatch(region) and settings.endpoint is None:
                yield Problem(key, f"{shown(region)} cannot be a region; write it like eu-west-1")
    for owner in settings.owners:
        if owner in _ACCOUNTS_IN_EXAMPLES:
            yield Problem(
                "owners", f"{shown(owner)} stands for an example; write whose images may be launched"
            )
        elif not _OWNER.fullmatch(owner):
            said = "cannot be an owner: that is an account of 12 digits, self, amazon or aws-marketplace"
            yield Problem("owners", f"{shown(owner)} {said}")


def _describe(settings: AwsSettings) -> str:
    return settings.region + (f" at {settings.endpoint}" if settings.endpoint else "")


CLOUD = CloudDeclaration(
    name=CLOUD_NAME,
    settings=AwsSettings,
    provides=(MACHINES, IMAGE_VERSIONS, ACCESS_KEYS, CREDENTIAL_ROTATION, SECRET_STORE),
    described={IMAGE_VERSIONS: "family"},
    open=_open,
    check=_check,
    warnings=_warnings,
    describe=_describe,
    label=lambda settings: settings.region,
    probe=probe,
    policy=policy,
    rights=rights,
)
