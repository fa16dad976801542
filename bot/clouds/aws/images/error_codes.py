"""What error codes of EC2 and the Systems Manager mean where versions of images are looked at and changed.

Sources: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API", and its pages of the actions on images; AWS
Systems Manager API Reference, PutParameter and GetParameters.
"""

from __future__ import annotations

from slipway.bot.clouds.aws.error_codes import MEANINGS, Meaning, meaning_of
from slipway.bot.core.errors import CloudErrorKind, Remedy

_MENDED = Remedy(when="once that is put right")
_AS_EVERYWHERE = frozenset({CloudErrorKind.THROTTLED, CloudErrorKind.REFUSED, CloudErrorKind.BROKEN})
"""What means the same whatever was asked for: too much at once, credentials and permissions, errors of AWS's own."""

_SETTING = Remedy(when="once the setting is changed")
_FREED = Remedy(when="once there is room, or the quota is raised")
_TEMPLATE = Meaning(
    CloudErrorKind.CONFIGURATION,
    "the launch template that the family names does not exist, or not in this region",
    _SETTING,
)
_UNAVAILABLE = Meaning(
    CloudErrorKind.CONFLICT,
    "the image is not available: it is disabled or deregistered, or not made yet",
    _MENDED,
)
_NO_IMAGE = Meaning(CloudErrorKind.NOT_FOUND, "the image does not exist, or not in this region", _MENDED)
_INVALID = Meaning(CloudErrorKind.INVALID, "it does not take the request as it is", _MENDED)
_QUOTA = Meaning(CloudErrorKind.QUOTA, "a quota of the AWS account is used up", _FREED)
_PARAMETER = Meaning(
    CloudErrorKind.CONFIGURATION, "the parameter that the family names cannot hold an image's id so", _SETTING
)

_OWN: dict[str, Meaning] = {
    "AuthFailure": Meaning(
        CloudErrorKind.REFUSED,
        "it does not accept Slipway's AWS credentials, or the image is another account's and only its owner may",
        Remedy(when="once the credentials are right"),
    ),
    "OperationNotPermitted": Meaning(
        CloudErrorKind.CONFIGURATION,
        "a setting of the account in this region, or a protection of the image, forbids it",
        Remedy(when="once it is allowed in AWS"),
    ),
    "InvalidAMIID.NotFound": _NO_IMAGE,
    "InvalidAMIID.Malformed": _NO_IMAGE,
    "InvalidAMIID.Unavailable": _UNAVAILABLE,
    "IncorrectState": _UNAVAILABLE,
    "IncorrectImageState": _UNAVAILABLE,
    "InvalidSnapshot.InUse": Meaning(
        CloudErrorKind.CONFLICT, "a snapshot of the image is in use by another one", _MENDED
    ),
    "TagLimitExceeded": Meaning(
        CloudErrorKind.CONFLICT,
        "the image has as many tags as AWS allows",
        Remedy(when="once one is removed"),
    ),
    "ParameterLimitExceeded": _QUOTA,
    "ParameterMaxVersionLimitExceeded": Meaning(
        CloudErrorKind.CONFIGURATION,
        "the parameter's oldest version has a label, and so it takes no new one",
        Remedy(when="once the label is moved"),
    ),
    "ParameterPatternMismatchException": _PARAMETER,
    "ParameterAlreadyExists": Meaning(CloudErrorKind.CONFLICT, "the parameter exists already", _MENDED),
    "UnsupportedParameterType": _PARAMETER,
    "HierarchyLevelLimitExceededException": _PARAMETER,
    "HierarchyTypeMismatchException": _PARAMETER,
    "InvalidAllowedPatternException": _PARAMETER,
    "InvalidKeyId": _PARAMETER,
    "ValidationException": _PARAMETER,
    "TooManyUpdates": Meaning(CloudErrorKind.THROTTLED, "the same parameter is being changed just now"),
}


def image_meaning(code: str, status: int) -> Meaning:
    """The meaning of an error code of a request about images, their parameter or their launch template."""
    own = _OWN.get(code)
    if own is not None:
        return own
    if code.startswith(("InvalidLaunchTemplateId.", "InvalidLaunchTemplateName.")):
        return _TEMPLATE
    known = MEANINGS.get(code)
    if known is not None:
        return known if known.kind in _AS_EVERYWHERE else _INVALID
    if code.endswith("LimitExceeded"):
        return _QUOTA
    found = meaning_of(code, status)
    return found if found.kind is CloudErrorKind.BROKEN else _INVALID
