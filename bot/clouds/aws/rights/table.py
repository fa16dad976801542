"""The one table of what the adapter's calls take at AWS. ``deploy/aws-*.json`` and `slipway permissions aws` are made
of it, `slipway doctor` tries it, and tests hold it to the calls.

Source of actions, resources and conditions: Service Authorization Reference, “Actions, resources, and condition keys
for Amazon EC2”, and those of the other services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.bot.clouds.aws.images.tags import DEPRECATED_BEFORE_TAG, DISABLED_TAG, PROTECTED_TAG
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG
from slipway.bot.clouds.rights import Purpose

Condition = Mapping[str, Mapping[str, str | tuple[str, ...]]]

REGION, ACCOUNT, DEPLOYMENT, OWNER, IMAGES_OWNER = "{region}", "{account}", "{deployment}", "{owner}", "{own}"
"""What stands for the account's own: regions, number, name of the deployment, whose images are launched, and whose
are published."""

NAME = "{name}"
"""What stands for each of the names that a purpose is limited to."""

_EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
_IMAGE, _SNAPSHOT = f"arn:aws:ec2:{REGION}::image/*", f"arn:aws:ec2:{REGION}::snapshot/*"
_HERE: Condition = {"StringEquals": {"aws:RequestedRegion": REGION}}
_OWN_TAG: Condition = {"StringEquals": {f"aws:ResourceTag/{DEPLOYMENT_TAG}": DEPLOYMENT}}
_TEMPLATES: Condition = {"ArnLike": {"ec2:LaunchTemplate": f"{_EC2}:launch-template/*"}}
_OWN_IMAGES: Condition = {"StringEquals": {"ec2:Owner": IMAGES_OWNER}}


@dataclass(frozen=True)
class Statement:
    """One statement of the policy.

    Attributes:
        sid: its name.
        actions: each with what it is for; it is asked for where any of that is done.
        resources: on what; ``*`` where the action cannot be narrowed.
        condition: under which condition.
        file: the example in ``deploy/`` that has it.
    """

    sid: str
    actions: Mapping[str, tuple[Purpose, ...]]
    resources: tuple[str, ...] = ("*",)
    condition: Condition | None = None
    file: str = "aws-policy.json"


def _all(purpose: Purpose, *actions: str) -> dict[str, tuple[Purpose, ...]]:
    return dict.fromkeys(actions, (purpose,))


STATEMENTS = (
    Statement(
        "Look",
        {
            **_all(Purpose.LAUNCH, "cloudwatch:GetMetricData"),
            "ec2:DescribeImages": (Purpose.LAUNCH, Purpose.IMAGES),
            **_all(Purpose.BASE, "ec2:DescribeInstances"),
            **_all(Purpose.LAUNCH, "ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypes"),
            **_all(Purpose.BASE, "ec2:DescribeLaunchTemplates"),
            "ec2:DescribeLaunchTemplateVersions": (Purpose.LAUNCH, Purpose.IMAGES, Purpose.TEMPLATE),
            **_all(
                Purpose.BASE,
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeVolumes",
            ),
            **_all(
                Purpose.LAUNCH,
                "ec2:DescribeSecurityGroupRules",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "servicequotas:GetServiceQuota",
            ),
        },
        condition=_HERE,
    ),
    Statement(
        "LaunchTaggedMachinesFromTemplates",
        _all(Purpose.LAUNCH, "ec2:RunInstances"),
        (f"{_EC2}:instance/*",),
        {"StringEquals": {f"aws:RequestTag/{DEPLOYMENT_TAG}": DEPLOYMENT}, **_TEMPLATES},
    ),
    Statement(
        "LaunchWithWhatTemplatesName",
        _all(Purpose.LAUNCH, "ec2:RunInstances"),
        tuple(
            f"{_EC2}:{kind}/*"
            for kind in (
                "key-pair",
                "launch-template",
                "network-interface",
                "security-group",
                "subnet",
                "volume",
            )
        ),
        _TEMPLATES,
    ),
    Statement(
        "LaunchImagesOfTheirOwnersOnly",
        _all(Purpose.LAUNCH, "ec2:RunInstances"),
        (_IMAGE,),
        {"StringEquals": {"ec2:Owner": OWNER}},
    ),
    Statement(
        "TagWhatALaunchMakes",
        _all(Purpose.LAUNCH, "ec2:CreateTags"),
        tuple(f"{_EC2}:{kind}/*" for kind in ("instance", "network-interface", "volume")),
        {"StringEquals": {"ec2:CreateAction": "RunInstances"}},
    ),
    Statement(
        "LookAfterOwnMachines",
        _all(
            Purpose.LAUNCH,
            "ec2:CreateTags",
            "ec2:GetConsoleOutput",
            "ec2:StartInstances",
            "ec2:StopInstances",
            "ec2:TerminateInstances",
        ),
        (f"{_EC2}:instance/*",),
        _OWN_TAG,
    ),
    Statement(
        "CleanUpBehindOwnMachines",
        _all(Purpose.LAUNCH, "ec2:DeleteNetworkInterface", "ec2:DeleteVolume"),
        (f"{_EC2}:network-interface/*", f"{_EC2}:volume/*"),
        _OWN_TAG,
    ),
    Statement(
        "ImagesLook",
        _all(
            Purpose.IMAGES,
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeInstanceRefreshes",
            "autoscaling:DescribeLaunchConfigurations",
            "ec2:DescribeFleets",
            "ec2:DescribeSpotFleetRequests",
            "ec2:DescribeSpotInstanceRequests",
            "ec2:GetImageBlockPublicAccessState",
            "ec2:ListImagesInRecycleBin",
            "ec2:ListSnapshotsInRecycleBin",
        ),
        condition=_HERE,
    ),
    Statement("ImagesSeeWhoChangedThem", _all(Purpose.AUTHORS, "cloudtrail:LookupEvents"), condition=_HERE),
    Statement(
        "ImagesPublishAndRemoveOwn",
        {
            **_all(
                Purpose.IMAGES,
                "ec2:DeregisterImage",
                "ec2:DisableImage",
                "ec2:DisableImageDeprecation",
                "ec2:EnableImage",
                "ec2:EnableImageDeprecation",
            ),
            **_all(Purpose.PROTECT, "ec2:EnableImageDeregistrationProtection"),
            **_all(Purpose.IMAGES, "ec2:ModifyImageAttribute"),
        },
        (_IMAGE,),
        _OWN_IMAGES,
    ),
    Statement(
        "ImagesLiftItsOwnProtection",
        _all(Purpose.PROTECT, "ec2:DisableImageDeregistrationProtection"),
        (_IMAGE,),
        {"StringEquals": {"ec2:Owner": IMAGES_OWNER, f"aws:ResourceTag/{PROTECTED_TAG}": DEPLOYMENT}},
    ),
    Statement(
        "ImagesNoteOnOwn",
        _all(Purpose.IMAGES, "ec2:CreateTags", "ec2:DeleteTags"),
        (_IMAGE,),
        {
            **_OWN_IMAGES,
            "ForAllValues:StringEquals": {
                "aws:TagKeys": (DEPRECATED_BEFORE_TAG, DISABLED_TAG, PROTECTED_TAG)
            },
        },
    ),
    Statement(
        "ImagesComeBack",
        _all(Purpose.IMAGES, "ec2:RestoreImageFromRecycleBin", "ec2:RestoreSnapshotFromRecycleBin"),
        (_IMAGE, _SNAPSHOT),
        _OWN_IMAGES,
    ),
    Statement(
        "ImagesRemoveTheirSnapshots", _all(Purpose.IMAGES, "ec2:DeleteSnapshot"), (_SNAPSHOT,), _OWN_IMAGES
    ),
    Statement(
        "ImagesMoveTheParameter",
        _all(Purpose.POINT, "ssm:GetParameters", "ssm:PutParameter"),
        (f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{NAME}",),
    ),
    Statement(
        "ImagesMoveTheDefaultVersion",
        _all(Purpose.TEMPLATE, "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
        (f"{_EC2}:launch-template/*",),
    ),
    Statement(
        "CredentialsLook",
        _all(Purpose.LIST_CREDENTIALS, "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:ListUsers"),
        file="aws-credentials-policy.json",
    ),
    Statement(
        "CredentialsRotate",
        _all(
            Purpose.ROTATE,
            "iam:CreateAccessKey",
            "iam:DeleteAccessKey",
            "iam:GetAccessKeyLastUsed",
            "iam:ListAccessKeys",
            "iam:UpdateAccessKey",
        ),
        (f"arn:aws:iam::{ACCOUNT}:user/{NAME}",),
        file="aws-rotation-policy.json",
    ),
    Statement(
        "CredentialsWhoMadeAKey",
        _all(Purpose.ROTATE, "cloudtrail:LookupEvents"),
        file="aws-rotation-policy.json",
    ),
    Statement(
        "CredentialsDeliver",
        _all(
            Purpose.DELIVER,
            "secretsmanager:DescribeSecret",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ),
        (f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{NAME}-??????",),
        file="aws-secrets-policy.json",
    ),
)
"""All of them, in the order of the examples in ``deploy/``."""
