"""What the codes of Azure's errors say where the status says less. Knows no SDK.

Sources: “Troubleshoot common Azure deployment errors”, “Understand the error messages when you deploy a VM”, and
recorded answers; what is only reported stands here all the same, since another reading would be worse.
"""

from __future__ import annotations

from slipway.bot.core.errors import CloudErrorKind

_BY_CODE = {
    "QuotaExceeded": CloudErrorKind.QUOTA,
    "PublicIPCountLimitReached": CloudErrorKind.QUOTA,
    "TooManyRequests": CloudErrorKind.THROTTLED,
    "OperationNotAllowed": CloudErrorKind.CONFLICT,
    "AuthorizationFailed": CloudErrorKind.REFUSED,
    "Canceled": CloudErrorKind.CONFLICT,
    "OperationPreempted": CloudErrorKind.CONFLICT,
    "DisabledSubscription": CloudErrorKind.CONFIGURATION,
    "GalleryNotFound": CloudErrorKind.CONFIGURATION,
    "InvalidSubscriptionId": CloudErrorKind.CONFIGURATION,
    "MissingSubscriptionRegistration": CloudErrorKind.CONFIGURATION,
    "NoRegisteredProviderFound": CloudErrorKind.CONFIGURATION,
    "ReadOnlyDisabledSubscription": CloudErrorKind.CONFIGURATION,
    "ResourceGroupNotFound": CloudErrorKind.CONFIGURATION,
    "SubscriptionNotFound": CloudErrorKind.CONFIGURATION,
    # Of machines:
    "AllocationFailed": CloudErrorKind.CAPACITY,
    "OverconstrainedAllocationRequest": CloudErrorKind.CAPACITY,
    "OverconstrainedZonalAllocationRequest": CloudErrorKind.CAPACITY,
    "SkuNotAvailable": CloudErrorKind.CAPACITY,
    "ZonalAllocationFailed": CloudErrorKind.CAPACITY,
    "GalleryImageNotFound": CloudErrorKind.NOT_FOUND,
    "ImageNotFound": CloudErrorKind.NOT_FOUND,
    "InvalidResourceReference": CloudErrorKind.CONFIGURATION,
    "LinkedAuthorizationFailed": CloudErrorKind.REFUSED,
    "NetworkSecurityGroupNotFound": CloudErrorKind.CONFIGURATION,
    "RequestDisallowedByPolicy": CloudErrorKind.CONFIGURATION,
    "SubnetIsFull": CloudErrorKind.CONFIGURATION,
    "VMSizeDoesntSupportHyperVGeneration": CloudErrorKind.CONFIGURATION,
}

PROFILE_CODES = frozenset(
    {
        "InvalidResourceReference",
        "NetworkSecurityGroupNotFound",
        "RequestDisallowedByPolicy",
        "SubnetIsFull",
        "VMSizeDoesntSupportHyperVGeneration",
    }
)
"""Of those that are the configuration's, which are about what a profile names, and not the account's settings."""


def kind_of(code: str, message: str) -> CloudErrorKind | None:
    """What a code means, read together with Azure's words; None where it says nothing by itself.

    ``OperationNotAllowed`` with 409 is a quota that is used up, or a state that forbids it: the words tell.
    """
    if code == "OperationNotAllowed" and "quota" in message.lower():
        return CloudErrorKind.QUOTA
    return _BY_CODE.get(code)
