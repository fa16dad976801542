"""What each error code of EC2 means for a person: a kind, why in plain words, and the next command that can help.

The codes are those that launching, ending and looking can bring. Source of codes and causes: Amazon EC2 API
Reference, "Error codes for the Amazon EC2 API" (docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html);
codes that every AWS service has: botocore.retries.standard, and AWS's "Common errors". The whole table, as people
are told it, is ``tests/clouds/aws/ec2_codes.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from slipway.bot.core.errors import CloudErrorKind, Remedy

_SAME = Remedy()
_MACHINES = Remedy("instances", "to see what could be ended")
SEE_MACHINES = Remedy("instances", "to see what is there")
"""After a change of which nobody knows whether it was made, or of which something else is there."""

_OTHER_IMAGE = Remedy(when="with another image")
_FEWER = Remedy(when="with a smaller --count")
_PERMITTED = Remedy(when="once it is permitted")
_CREDENTIALS = Remedy(when="once the credentials are right")
_ACCOUNT = Remedy(when="once the account may do it")
_TEMPLATE = Remedy(when="with another profile, or once the launch template is changed")
_SETTING = Remedy(when="once the setting is changed")
_UNPROTECTED = Remedy(when="once the protection is lifted in AWS")
_MENDED = Remedy(when="once that is put right")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error code means.

    Attributes:
        kind: decides whose move it is.
        why: completes “AWS did not …: ”.
        remedy: the next command; without a name, what was asked for.
    """

    kind: CloudErrorKind
    why: str
    remedy: Remedy = field(default=_SAME)


def is_throttle(code: str, status: int) -> bool:
    """Whether an answer says that AWS counts requests, and that this was one too many."""
    return meaning_of(code, status) is _THROTTLED


def meaning_of(code: str, status: int) -> Meaning:
    """The meaning of an error code, by name or by its form; of one that nobody knows, by the answer's status."""
    known = MEANINGS.get(code)
    if known is not None:
        return known
    if code.endswith("LimitExceeded"):
        return _QUOTA
    if code.startswith("Insufficient") and code.endswith("Capacity"):
        return _NO_ROOM
    if code.endswith((".NotFound", ".NotFoundException", ".Malformed", ".Unknown")):
        return _named(_resource_of(code))
    if code.startswith("Unsupported"):
        return _UNSUPPORTED
    return _BROKEN if status >= 500 else _REFUSED_AS_IT_IS


def _named(what: str) -> Meaning:
    return Meaning(
        CloudErrorKind.CONFIGURATION, f"{what} does not exist in this region, or cannot be used", _TEMPLATE
    )


_RESOURCES = (
    ("InvalidKeyPair", "the key pair that the launch template names"),
    ("InvalidGroup", "a security group that the launch template names"),
    ("InvalidSecurityGroup", "a security group that the launch template names"),
    ("InvalidSubnet", "the subnet that the launch template names"),
    ("InvalidVpc", "the VPC that the launch template names"),
    ("InvalidSnapshot", "a snapshot that the image or the launch template names"),
    ("InvalidIamInstanceProfile", "the IAM instance profile that the launch template names"),
    ("InvalidNetworkInterface", "a network interface that the launch template names"),
    ("InvalidPlacementGroup", "the placement group that the launch template names"),
    ("InvalidHost", "the dedicated host that the launch template names"),
    ("InvalidCapacityReservation", "the capacity reservation that the launch template names"),
    ("InvalidZone", "the zone that the launch template names"),
    ("InvalidAvailabilityZone", "the zone that the launch template names"),
)


def _resource_of(code: str) -> str:
    named = (resource for prefix, resource in _RESOURCES if code.startswith(prefix))
    return next(named, "something that the launch template names")


_NO_ROOM = Meaning(
    CloudErrorKind.CAPACITY,
    "it has no room for such machines just now; another zone or type may have, and it is not a quota",
)
_QUOTA = Meaning(CloudErrorKind.QUOTA, "a quota of the AWS account is used up", _MACHINES)
_THROTTLED = Meaning(
    CloudErrorKind.THROTTLED, "too many requests came at once, and trying again did not help"
)
_DENIED = Meaning(CloudErrorKind.REFUSED, "Slipway's AWS identity lacks the permission", _PERMITTED)
_EXPIRED = Meaning(
    CloudErrorKind.REFUSED, "Slipway's AWS credentials have expired, or its clock is wrong", _CREDENTIALS
)
_UNKNOWN_CREDENTIALS = Meaning(
    CloudErrorKind.REFUSED, "it does not accept Slipway's AWS credentials", _CREDENTIALS
)
_STATE = Meaning(CloudErrorKind.CONFLICT, "the machine's state does not allow it now", SEE_MACHINES)
_BROKEN = Meaning(CloudErrorKind.BROKEN, "it had an error of its own")
_REFUSED_AS_IT_IS = Meaning(CloudErrorKind.INVALID, "it does not take the request as it is", _MENDED)
_VALUE = Meaning(
    CloudErrorKind.CONFIGURATION,
    "it does not take a value that the launch template or Slipway's configuration gives",
    _TEMPLATE,
)
_TOO_MUCH = Meaning(
    CloudErrorKind.CONFIGURATION, "the launch template asks for more than one machine may have", _TEMPLATE
)
_UNSUPPORTED = Meaning(
    CloudErrorKind.CONFIGURATION,
    "the machine type, zone and options of the launch template do not go together with each other or the image",
    _TEMPLATE,
)
_DISKS = Meaning(
    CloudErrorKind.CONFIGURATION, "the disks of the launch template do not fit the image", _TEMPLATE
)
_HOST = Meaning(
    CloudErrorKind.CONFIGURATION, "no dedicated host fits what the launch template asks for", _TEMPLATE
)
_NETWORK = Meaning(
    CloudErrorKind.CONFIGURATION,
    "the launch template names no subnet, and the account has no default VPC",
    _TEMPLATE,
)
_ENDPOINT = Meaning(
    CloudErrorKind.CONFIGURATION, "what answers at this address does not understand EC2's requests", _SETTING
)
_NO_TEMPLATE = Meaning(
    CloudErrorKind.NOT_FOUND, "the launch template does not exist, or not in this region", _TEMPLATE
)
_NO_IMAGE = Meaning(CloudErrorKind.NOT_FOUND, "the image does not exist, or not in this region", _OTHER_IMAGE)
_NO_MACHINE = Meaning(
    CloudErrorKind.NOT_FOUND, "the machine does not exist, or not in this region", SEE_MACHINES
)


def _each(meaning: Meaning, *codes: str) -> dict[str, Meaning]:
    return dict.fromkeys(codes, meaning)


MEANINGS: dict[str, Meaning] = {
    "UnfulfillableCapacity": _NO_ROOM,
    "InsufficientAddressCapacity": Meaning(
        CloudErrorKind.CAPACITY, "it has no public addresses to give just now"
    ),
    "InsufficientCapacityOnHost": Meaning(
        CloudErrorKind.CAPACITY,
        "the dedicated host that the launch template names has no room left, and it is not a quota",
        _MACHINES,
    ),
    "ReservationCapacityExceeded": Meaning(
        CloudErrorKind.CAPACITY,
        "the capacity reservation that the launch template names is used up",
        _MACHINES,
    ),
    "SpotMaxPriceTooLow": Meaning(
        CloudErrorKind.CONFIGURATION, "the launch template's highest price is below the spot price", _TEMPLATE
    ),
    "InsufficientFreeAddressesInSubnet": Meaning(
        CloudErrorKind.CONFIGURATION,
        "the subnet of the launch template has no free addresses left, and it is not a quota",
        _MACHINES,
    ),
    "MaxSpotInstanceCountExceeded": Meaning(
        CloudErrorKind.QUOTA, "the AWS account's quota of spot machines is used up", _MACHINES
    ),
    "ResourceCountExceeded": Meaning(
        CloudErrorKind.QUOTA, "it is more than AWS allows this account in one request", _FEWER
    ),
    "RequestResourceCountExceeded": Meaning(
        CloudErrorKind.QUOTA, "it is more spot machines than AWS allows in one request", _FEWER
    ),
    **_each(
        _TOO_MUCH,
        "AttachmentLimitExceeded",
        "PrivateIpAddressLimitExceeded",
        "InvalidInterface.IpAddressLimitExceeded",
        "SecurityGroupsPerInstanceLimitExceeded",
        "SecurityGroupsPerInterfaceLimitExceeded",
        "VolumeIOPSLimit",
    ),
    "TagLimitExceeded": Meaning(
        CloudErrorKind.CONFIGURATION,
        "the launch template and Slipway set more tags than AWS allows",
        _TEMPLATE,
    ),
    **_each(
        _THROTTLED,
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    ),
    "ConcurrentTagAccess": Meaning(CloudErrorKind.THROTTLED, "the same tags are being changed just now"),
    **_each(
        _DENIED,
        "UnauthorizedOperation",
        "Client.UnauthorizedOperation",
        "AccessDenied",
        "AccessDeniedException",
    ),
    "AuthFailure": Meaning(
        CloudErrorKind.REFUSED,
        "it does not accept Slipway's AWS credentials, or they may not use what the request names",
        _CREDENTIALS,
    ),
    **_each(
        _EXPIRED,
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidSecurity.RequestHasExpired",
    ),
    **_each(
        _UNKNOWN_CREDENTIALS,
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurityToken",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ),
    "OptInRequired": Meaning(
        CloudErrorKind.REFUSED,
        "the AWS account has not subscribed to what the image or the region needs",
        _ACCOUNT,
    ),
    "PendingVerification": Meaning(CloudErrorKind.REFUSED, "AWS is still verifying the account", _ACCOUNT),
    **_each(
        Meaning(CloudErrorKind.REFUSED, "the AWS account is not allowed to do this", _ACCOUNT),
        "Blocked",
        "AccountDisabled",
    ),
    "TagPolicyViolation": Meaning(
        CloudErrorKind.REFUSED, "the account's tag policy does not allow the tags of this launch", _ACCOUNT
    ),
    "CustomerKeyHasBeenRevoked": Meaning(
        CloudErrorKind.REFUSED, "the key that its disk is encrypted with cannot be used", _PERMITTED
    ),
    "IdempotentParameterMismatch": Meaning(
        CloudErrorKind.CONFLICT, "the same request was made before with other particulars", SEE_MACHINES
    ),
    "IdempotentInstanceTerminated": Meaning(
        CloudErrorKind.CONFLICT, "the same request was made before, and its machines are gone again"
    ),
    **_each(_STATE, "IncorrectInstanceState", "InvalidInstanceState", "InvalidState"),
    "IncorrectState": Meaning(
        CloudErrorKind.CONFLICT, "the resource's state does not allow it now", SEE_MACHINES
    ),
    "OperationNotPermitted": Meaning(
        CloudErrorKind.CONFLICT, "the machine is protected against it", _UNPROTECTED
    ),
    "InvalidAMIID.Unavailable": Meaning(
        CloudErrorKind.CONFLICT, "the image is not available any more, or not yet", _OTHER_IMAGE
    ),
    **_each(_NO_IMAGE, "InvalidAMIID.NotFound", "InvalidAMIID.Malformed"),
    "InvalidManifest": Meaning(CloudErrorKind.INVALID, "the image cannot be read", _OTHER_IMAGE),
    **_each(_NO_MACHINE, "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"),
    **_each(
        _NO_TEMPLATE,
        "InvalidLaunchTemplateId.NotFound",
        "InvalidLaunchTemplateId.NotFoundException",
        "InvalidLaunchTemplateId.Malformed",
        "InvalidLaunchTemplateName.NotFoundException",
        "InvalidLaunchTemplateName.MalformedException",
    ),
    "InvalidLaunchTemplateId.VersionNotFound": Meaning(
        CloudErrorKind.NOT_FOUND, "this version of the launch template does not exist", _TEMPLATE
    ),
    **{
        code: _named(_resource_of(code))
        for code in (
            "InvalidSubnet",
            "InvalidIamInstanceProfile",
            "InvalidNetworkInterface.InUse",
            "InvalidAvailabilityZone",
        )
    },
    "InvalidIPAddress.InUse": Meaning(
        CloudErrorKind.CONFIGURATION, "the address that the launch template names is in use", _TEMPLATE
    ),
    "InvalidTagKey.Malformed": Meaning(
        CloudErrorKind.CONFIGURATION, "it does not take a tag that the launch sets", _TEMPLATE
    ),
    "InvalidUserID.Malformed": Meaning(
        CloudErrorKind.CONFIGURATION, "an owner that Slipway's configuration names is none", _SETTING
    ),
    "InvalidUserData.Malformed": Meaning(
        CloudErrorKind.CONFIGURATION, "it cannot read the launch template's user data", _TEMPLATE
    ),
    **_each(_DISKS, "InvalidBlockDeviceMapping", "EncryptedVolumesNotSupported"),
    **_each(
        Meaning(
            CloudErrorKind.CONFIGURATION, "the launch template's kind of disk cannot be had there", _TEMPLATE
        ),
        "BootForVolumeTypeUnsupported",
        "UnknownVolumeType",
        "VolumeTypeNotAvailableInZone",
    ),
    **_each(
        _UNSUPPORTED,
        "Unsupported",
        "UnsupportedOperation",
        "UnsupportedHibernationConfiguration",
        "UnsupportedTenancy",
        "InvalidTenancy",
        "InstanceCreditSpecification.NotSupported",
        "InvalidCpuCredits",
    ),
    **_each(
        Meaning(
            CloudErrorKind.CONFIGURATION,
            "the machine type that the launch template names does not exist there, or is not for this",
            _TEMPLATE,
        ),
        "InvalidInstanceType",
        "InvalidInstanceType.NotFound",
    ),
    **_each(
        _HOST,
        "IncompatibleHostRequirements",
        "UnavailableHostRequirements",
        "InvalidHostConfiguration",
        "InvalidHostState",
        "UnsupportedHostConfiguration",
        "UnsupportedInstanceTypeOnHost",
        "ZonesMismatched",
    ),
    **_each(_NETWORK, "VPCIdNotSpecified", "VPCResourceNotSpecified", "DefaultVpcDoesNotExist"),
    **_each(
        _VALUE,
        "InvalidParameterValue",
        "InvalidParameter",
        "InvalidParameterCombination",
        "InvalidParameterDependency",
        "ClientInvalidParameterValue",
        "InvalidInput",
        "InvalidRequest",
        "MissingParameter",
        "MissingInput",
        "UnknownParameter",
        "ValidationError",
    ),
    **_each(
        _ENDPOINT,
        "InvalidAction",
        "InvalidQueryParameter",
        "MalformedQueryString",
        "MissingAction",
        "NoSuchVersion",
        "UnsupportedProtocol",
    ),
    **_each(
        _BROKEN,
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ServerInternal",
        "ServiceUnavailable",
        "Unavailable",
        "RetryableError",
    ),
}
"""Each code whose form does not tell enough. Others are told by their form, or by the answer's status."""
