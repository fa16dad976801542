"""Errors as Resource Manager and its compute provider give them: status, code, words.

Codes and words are those of recorded answers and of Microsoft's troubleshooting page; where that page shows no
code, the docstring says so.
"""

from __future__ import annotations

from typing import Any


class ArmError(Exception):
    """An answer that is an error: status, code and message as ARM gives them, and what compute says it is about."""

    def __init__(self, status: int, code: str, message: str, target: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target


def not_found(resource: str, group: str) -> ArmError:
    """The resource itself is not there. ``resource`` is its type and names, such as ``galleries/G/images/I``."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource 'Microsoft.Compute/{resource}' under resource group '{group}' was not found. For more "
        "details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(parent: str) -> ArmError:
    """What the resource would be in is not there, which says nothing about the resource."""
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Can not perform requested operation on nested resource. Parent resource '{parent}' not found.",
    )


def subscription_not_found(subscription: str) -> ArmError:
    """The subscription is unknown, or the caller has no right in it."""
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def resource_group_not_found(group: str) -> ArmError:
    """The resource group is not there."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def invalid(message: str) -> ArmError:
    """A parameter that cannot be as it is. (Microsoft gives the words of each; the code is that of compute.)"""
    return ArmError(400, "InvalidParameter", message)


def unknown_api_version(version: str, kind: str, known: str, regions: str, location: str) -> ArmError:
    """An API version that the resource type does not have."""
    return ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{version}' for type "
        f"'{kind}'. The supported api-versions are '{known}'. The supported locations are '{regions}'.",
    )


def location_not_available(location: str, kind: str, regions: str) -> ArmError:
    """A location that the resource type is not offered in. (The words are documented, and not the code.)"""
    return ArmError(
        400,
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type 'Microsoft.Compute/{kind}'. List of "
        f"available regions for the resource type is '{regions}'.",
    )


def source_not_found(source: str) -> ArmError:
    """What a version is to be made of is not there, or elsewhere. (The words are documented, and not the code.)"""
    return ArmError(
        404,
        "NotFound",
        f"Source {source} is not found. Please check source exists, and is in the same region as gallery image "
        "version being created.",
    )


def source_busy(source: str) -> ArmError:
    """It is copied from too often. (The words are documented, and not the code.)"""
    return ArmError(
        429,
        "TooManyRequests",
        f"Too many requests on source '{source}'. Please reduce the number of requests on the source or wait some "
        "time before retrying",
    )


def other_generation(source: str, generation: str | None, wanted: str) -> ArmError:
    """It boots another way than the definition says. (The words are documented, and not the code.)"""
    return invalid(
        f"The resource with id '{source}' has a different Hypervisor generation ['{generation}'] than the parent "
        f"gallery image Hypervisor generation ['{wanted}']"
    )


def unchangeable(what: str) -> ArmError:
    """Something that stays as it was made."""
    return ArmError(409, "PropertyChangeNotAllowed", f"Changing property '{what}' is not allowed.")


def condition_not_met() -> ArmError:
    """If-Match names another state than the present one."""
    return ArmError(412, "PreconditionFailed", "The condition of If-Match is not met.")


def busy(state: str) -> ArmError:
    """A write meets another that is under way. (Which code the service gives is not documented.)"""
    return ArmError(409, "Conflict", f"The version is {state.lower()}; wait until that has ended.")


def being_deleted(version: str) -> ArmError:
    """A write meets a deletion. The grammar is Microsoft's."""
    return ArmError(
        409,
        "OperationNotAllowed",
        f"Operation 'Update Gallery Image Version' is not on allowed on {version} since it is marked for "
        "deletion. You can only retry the Delete operation (or wait for an ongoing one to complete)",
    )


def blocked_before_end_of_life() -> ArmError:
    """The version's safety profile forbids its deletion until its end of life."""
    return ArmError(
        409,
        "DeleteGalleryImageVersionBlockedBeforeEndOfLife",
        "DeleteGalleryImageVersionBlockedBeforeEndOfLife. Deletion of Gallery image version is not allowed because "
        "the image is enabled for blockDeletionBeforeEndOfLife and its endOfLifeDate has not reached yet",
    )


def locked(resource: str, scope: str, operation: str) -> ArmError:
    """A management lock forbids it. ``operation`` is ``write`` or ``delete``."""
    return ArmError(
        409,
        "ScopeLocked",
        f"The scope '{resource}' cannot perform {operation} operation because following scope(s) are locked: "
        f"'{scope}'. Please remove the lock and try again.",
    )


def not_authorised(action: str, scope: str) -> ArmError:
    """The caller's roles hold no such right there."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client 'slipway' with object id '00000000-0000-4000-8000-000000000001' does not have authorization to "
        f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
    )


def nested_resources(nested: str) -> ArmError:
    """A definition that still has versions, failed ones included."""
    return ArmError(
        409,
        "CannotDeleteResource",
        f"Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
        f"'Microsoft.Compute/{nested}'. Please delete all nested resources before deleting this resource.",
    )


def linked_right_missing(resource: str, linked: str) -> ArmError:
    """The caller may write the version, but not use something that its body links to."""
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        "The client has permission to perform action 'Microsoft.Compute/galleries/images/versions/write' on scope "
        f"'{resource}', however, it does not have permission to perform action 'read' on the linked scope(s) "
        f"'{linked}' or the linked scope(s) are invalid.",
    )


def error_body(
    code: str,
    message: str,
    *,
    envelope: bool = True,
    details: list[dict[str, str]] | None = None,
    target: str = "",
) -> dict[str, Any]:
    """An error's JSON: with ARM's ``error`` around it, or bare, as compute's throttle is documented."""
    error: dict[str, Any] = {"code": code, "message": message}
    if target:
        error["target"] = target
    if details:
        error["details"] = details
    return {"error": error} if envelope else error
