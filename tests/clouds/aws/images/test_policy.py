"""``deploy/aws-policy.json`` against what is sent about images: each request is allowed, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from slipway.bot.clouds.aws.images.tags import DEPRECATED_BEFORE_TAG, DISABLED_TAG, PROTECTED_TAG
from tests.support.ami_families import FAMILY, add_group, everywhere, number, shared_stages
from tests.support.clock import NOW
from tests.support.quality import ROOT

OLD, NEW = "20261101.0", "20261108.0"

LOOKS = {"ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeLaunchTemplateVersions"}
"""What looking after machines needs, too."""

IMPLIED = {"ec2:DeleteSnapshot"}
"""What DeregisterImage does with DeleteAssociatedSnapshots, for which the caller needs the right."""

_SERVICES = {
    "GetParameters": "ssm",
    "PutParameter": "ssm",
    "LookupEvents": "cloudtrail",
    "DescribeAutoScalingGroups": "autoscaling",
    "DescribeInstanceRefreshes": "autoscaling",
    "DescribeLaunchConfigurations": "autoscaling",
}
"""Whose actions these are; all others are EC2's."""


def _statements() -> list[Mapping[str, Any]]:
    found = json.loads((ROOT / "deploy/aws-policy.json").read_text("utf-8"))["Statement"]
    return [each for each in found if each["Sid"].startswith("Images")]


def _actions(statement: Mapping[str, Any]) -> set[str]:
    action = statement["Action"]
    return {action} if isinstance(action, str) else set(action)


async def test_each_action_that_is_sent_is_allowed_and_no_other() -> None:
    async with shared_stages(bin_days=1) as stages:
        here = await stages.make([*everywhere(OLD, public=True), *everywhere(NEW)])
        await add_group(here.aws.url, "web", await here.id(NEW))
        here.aws.requests.clear()
        candidate = await here.images.version(FAMILY, number(NEW))
        await here.images.previews([candidate], promoted=True)
        await here.promote(NEW)
        await here.promote(NEW, promoted=False)
        plain = stages.without_cooldown(here)
        await plain.protect_version(FAMILY, number(NEW))
        await plain.lift_protection(FAMILY, number(NEW))
        await here.images.disable_version(FAMILY, number(NEW))
        await here.images.restore_version(FAMILY, number(NEW))
        await here.images.delete_version(FAMILY, number(NEW))
        await here.images.undelete_version(FAMILY, number(NEW))
        await here.images.locks()
        await here.images.usage(NOW)
        await here.images.try_log()
        labels = {each.label for each in here.aws.requests}
    sent = {f"{_SERVICES.get(each, 'ec2')}:{each}" for each in labels}
    allowed = {action for each in _statements() for action in _actions(each)}
    assert sent - LOOKS == allowed - IMPLIED


def test_only_the_accounts_own_images_are_changed_and_only_with_the_notes_tags() -> None:
    for each in _statements():
        if "image/" in str(each["Resource"]) or "snapshot/" in str(each["Resource"]):
            assert each["Condition"]["StringEquals"]["ec2:Owner"] == "111122223333"
    (tags,) = [each for each in _statements() if "ec2:CreateTags" in _actions(each)]
    assert set(tags["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"]) == {
        DISABLED_TAG,
        DEPRECATED_BEFORE_TAG,
        PROTECTED_TAG,
    }
    (lifts,) = [
        each for each in _statements() if "ec2:DisableImageDeregistrationProtection" in _actions(each)
    ]
    assert lifts["Condition"]["StringEquals"][f"aws:ResourceTag/{PROTECTED_TAG}"] == "slipway"
