"""How each right at AWS is tried without doing anything.

EC2 tells for every action whether it would be done, with DryRun; other services have no such thing, so of theirs only
what reads is tried. Source: EC2 API reference, “DryRun”: DryRunOperation where the right is there, else
UnauthorizedOperation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slipway.bot.clouds.aws.images.tags import PROTECTED_TAG
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG
from slipway.bot.clouds.rights import Purpose, Usage

Parameters = Mapping[str, Any]

NO_DRY_RUN = "its service has no dry run, so that trying it would do it"


@dataclass(frozen=True)
class Samples:
    """What is there to ask about; empty where nothing is.

    Attributes:
        machine: a machine of this deployment.
        image: an image of the account's families.
        protected: one that this deployment protects.
        snapshot: a snapshot of that image.
        launchable: an image that may be launched.
        template: a launch template.
        volume: a volume of this deployment.
        interface: a network interface of it.
    """

    machine: str = ""
    image: str = ""
    protected: str = ""
    snapshot: str = ""
    launchable: str = ""
    template: str = ""
    volume: str = ""
    interface: str = ""


@dataclass(frozen=True)
class Trial:
    """One call that tells of a right.

    Attributes:
        service: boto3's name of the service.
        operation: boto3's name of the call.
        parameters: what to send; DryRun comes besides where it is EC2's.
    """

    service: str
    operation: str
    parameters: Parameters


_SERVICES = {
    "cloudtrail": "cloudtrail",
    "cloudwatch": "cloudwatch",
    "servicequotas": "service-quotas",
}
"""boto3's names where they are others than IAM's."""


def trial(action: str, samples: Samples, usage: Usage) -> Trial | str:
    """How to try an action; or why it is not tried, as the rest of a sentence."""
    service, _, name = action.partition(":")
    operation = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    if service == "ec2":
        known = _EC2.get(name)
        parameters = known(samples, usage) if known is not None else {}
        return parameters if isinstance(parameters, str) else Trial("ec2", operation, parameters)
    make = _READS.get(action)
    parameters = make(usage) if make is not None else NO_DRY_RUN
    if isinstance(parameters, str):
        return parameters
    return Trial(_SERVICES.get(service, service), operation, parameters)


def _of_sample(
    field: str, what: str, make: Callable[[str], Parameters]
) -> Callable[[Samples, Usage], Parameters | str]:
    def parameters(samples: Samples, _usage: Usage) -> Parameters | str:
        sample = getattr(samples, field)
        return make(sample) if sample else f"there is no {what} to ask about"

    return parameters


def _machine(make: Callable[[str], Parameters]) -> Callable[[Samples, Usage], Parameters | str]:
    return _of_sample("machine", "machine of this Slipway", make)


def _image(make: Callable[[str], Parameters]) -> Callable[[Samples, Usage], Parameters | str]:
    return _of_sample("image", "image of the families", make)


def _launch(samples: Samples, usage: Usage) -> Parameters | str:
    if not (samples.template and samples.launchable):
        return "there is no launch template, or no image, to ask about"
    tags = [{"Key": DEPLOYMENT_TAG, "Value": usage.deployment}]
    kinds = ("instance", "network-interface", "volume")
    return {
        "LaunchTemplate": {"LaunchTemplateId": samples.template},
        "ImageId": samples.launchable,
        "MinCount": 1,
        "MaxCount": 1,
        "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in kinds],
    }


def _tags(samples: Samples, usage: Usage) -> Parameters | str:
    sample = samples.machine or samples.image
    if not sample:
        return "there is no machine of this Slipway and no image of the families to ask about"
    tag = {"Key": DEPLOYMENT_TAG, "Value": usage.deployment}
    if not samples.machine:
        tag = {"Key": PROTECTED_TAG, "Value": usage.deployment}
    return {"Resources": [sample], "Tags": [tag]}


def _ids(sample: str) -> Parameters:
    return {"InstanceIds": [sample]}


def _image_id(sample: str) -> Parameters:
    return {"ImageId": sample}


_EC2: Mapping[str, Callable[[Samples, Usage], Parameters | str]] = {
    "DescribeLaunchTemplateVersions": _of_sample(
        "template", "launch template", lambda sample: {"LaunchTemplateId": sample}
    ),
    "RunInstances": _launch,
    "CreateTags": _tags,
    "DeleteTags": _image(lambda sample: {"Resources": [sample], "Tags": [{"Key": PROTECTED_TAG}]}),
    "GetConsoleOutput": _machine(lambda sample: {"InstanceId": sample}),
    "StartInstances": _machine(_ids),
    "StopInstances": _machine(_ids),
    "TerminateInstances": _machine(_ids),
    "DeleteVolume": _of_sample("volume", "volume of this Slipway", lambda sample: {"VolumeId": sample}),
    "DeleteNetworkInterface": _of_sample(
        "interface", "network interface of this Slipway", lambda sample: {"NetworkInterfaceId": sample}
    ),
    "DeregisterImage": _image(_image_id),
    "DisableImage": _image(_image_id),
    "EnableImage": _image(_image_id),
    "DisableImageDeprecation": _image(_image_id),
    "EnableImageDeprecation": _image(
        lambda sample: {"ImageId": sample, "DeprecateAt": datetime.now(UTC) + timedelta(days=365)}
    ),
    "EnableImageDeregistrationProtection": _image(_image_id),
    "DisableImageDeregistrationProtection": _of_sample(
        "protected", "image that this Slipway protects", _image_id
    ),
    "ModifyImageAttribute": _image(
        lambda sample: {"ImageId": sample, "LaunchPermission": {"Add": [{"Group": "all"}]}}
    ),
    "RestoreImageFromRecycleBin": _image(_image_id),
    "RestoreSnapshotFromRecycleBin": _of_sample(
        "snapshot", "snapshot of an image of the families", lambda sample: {"SnapshotId": sample}
    ),
    "DeleteSnapshot": _of_sample(
        "snapshot", "snapshot of an image of the families", lambda sample: {"SnapshotId": sample}
    ),
    "CreateLaunchTemplateVersion": _of_sample(
        "template",
        "launch template",
        lambda sample: {"LaunchTemplateId": sample, "SourceVersion": "$Default", "LaunchTemplateData": {}},
    ),
    "ModifyLaunchTemplate": _of_sample(
        "template", "launch template", lambda sample: {"LaunchTemplateId": sample}
    ),
}
"""Parameters of EC2's actions that need some."""


def _metric(_usage: Usage) -> Parameters:
    now = datetime.now(UTC)
    stat = {
        "Metric": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"},
        "Period": 300,
        "Stat": "Average",
    }
    return {
        "MetricDataQueries": [{"Id": "m", "MetricStat": stat}],
        "StartTime": now - timedelta(minutes=10),
        "EndTime": now,
    }


def _named(purpose: Purpose, make: Callable[[str], Parameters]) -> Callable[[Usage], Parameters | str]:
    def parameters(usage: Usage) -> Parameters | str:
        names = usage.names.get(purpose, ())
        return make(names[0]) if names else "nothing is configured to ask about"

    return parameters


_READS: Mapping[str, Callable[[Usage], Parameters | str]] = {
    "autoscaling:DescribeAutoScalingGroups": lambda _usage: {"MaxRecords": 1},
    "autoscaling:DescribeLaunchConfigurations": lambda _usage: {"MaxRecords": 1},
    "autoscaling:DescribeInstanceRefreshes": lambda _usage: {"AutoScalingGroupName": "slipway-doctor"},
    "cloudtrail:LookupEvents": lambda _usage: {"MaxResults": 1},
    "cloudwatch:GetMetricData": _metric,
    "iam:ListAccessKeys": lambda usage: (
        {"UserName": usage.names[Purpose.ROTATE][0]} if usage.names.get(Purpose.ROTATE) else {}
    ),
    "iam:ListUsers": lambda _usage: {"MaxItems": 1},
    "secretsmanager:DescribeSecret": _named(Purpose.DELIVER, lambda name: {"SecretId": name}),
    "servicequotas:GetServiceQuota": lambda _usage: {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"},
    "ssm:GetParameters": _named(Purpose.POINT, lambda name: {"Names": [name]}),
}
"""What reads at other services, with parameters of which the answer does not matter."""
