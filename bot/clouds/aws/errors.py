"""What EC2's and botocore's errors mean for a person: a kind, and one plain sentence with the error code.

EC2's own messages are never passed on: an UnauthorizedOperation carries an encoded blob of many lines.
Sources: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API"; botocore.exceptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from slipway.bot.core.errors import CloudError, CloudErrorKind

CLOUD_NAME = "aws"
"""The name of the unnamed account, and of the table."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,79}", re.ASCII)

_DENIED = frozenset(
    {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"}
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurityToken",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_ACCOUNT = frozenset({"Blocked", "OptInRequired", "PendingVerification", "AccountDisabled"})
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_CONFLICTS = {
    "IdempotentParameterMismatch": "the same request was made before with other particulars",
    "IncorrectInstanceState": "the machine's state does not allow it now",
    "IncorrectState": "the resource's state does not allow it now",
    "InvalidAMIID.Unavailable": "the image is not available any more, or not yet",
    "OperationNotPermitted": "the machine is protected against it",
}
_RESOURCES = (
    ("InvalidAMIID", "the image"),
    ("InvalidInstanceID", "the machine"),
    ("InvalidLaunchTemplateId.VersionNotFound", "this version of the launch template"),
    ("InvalidLaunchTemplate", "the launch template"),
    ("InvalidKeyPair", "the key pair that the launch template names"),
    ("InvalidGroup", "a security group that the launch template names"),
    ("InvalidSecurityGroupID", "a security group that the launch template names"),
    ("InvalidSubnetID", "the subnet that the launch template names"),
    ("InvalidVpcID", "the VPC that the launch template names"),
    ("InvalidSnapshot", "a snapshot that the launch needs"),
)


@dataclass(frozen=True, slots=True)
class Ec2Request:
    """A request to EC2 as errors speak of it.

    Attributes:
        action: what was asked, such as ``list images``; completes “AWS did not …”.
        changes: whether it changes anything, so that it is not known what became of it if no answer comes.
        cloud: the name of the adapter that asks.
    """

    action: str
    changes: bool = False
    cloud: str = CLOUD_NAME

    @property
    def _title(self) -> str:
        return "AWS" if self.cloud == CLOUD_NAME else f"AWS ({self.cloud})"

    def failed(self, kind: CloudErrorKind, why: str, code: str = "") -> CloudError:
        """The error that says it was not done, and why."""
        named = f" ({code})" if code else ""
        sentence = f"{self._title} did not {self.action}: {why}{named}."
        return CloudError(kind, cloud=self.cloud, code=code, sentence=sentence)

    def timed_out(self) -> CloudError:
        """The error for an answer that did not come in time."""
        return self._unanswered(CloudErrorKind.TIMED_OUT, "no answer came in time")

    def disconnected(self) -> CloudError:
        """The error for a connection that broke before the answer was there."""
        return self._unanswered(CloudErrorKind.UNREACHABLE, "the connection broke before the answer came")

    def _unanswered(self, kind: CloudErrorKind, why: str) -> CloudError:
        if not self.changes:
            return self.failed(kind, why)
        sentence = f"It is not known whether {self._title} did {self.action}: {why}."
        return CloudError(kind, cloud=self.cloud, sentence=sentence)


class UnexpectedResponseError(Exception):
    """EC2's answer was well-formed and lacks what it must hold, or holds something else."""


def _classify(code: str, status: int) -> tuple[CloudErrorKind, str]:
    """The kind of an EC2 error code, and why in plain words. The order of the questions matters."""
    if code in _CONFLICTS:
        return CloudErrorKind.CONFLICT, _CONFLICTS[code]
    for asked in (_refusal_of, _shortage_of, _absence_of):
        if meaning := asked(code):
            return meaning
    if status >= 500:
        return CloudErrorKind.BROKEN, "it had an error of its own"
    return CloudErrorKind.INVALID, "it does not take the request as it is"


def _refusal_of(code: str) -> tuple[CloudErrorKind, str] | None:
    if code in _DENIED:
        return CloudErrorKind.REFUSED, "Slipway's AWS identity lacks the permission"
    if code in _EXPIRED:
        return CloudErrorKind.REFUSED, "Slipway's AWS credentials have expired, or its clock is wrong"
    if code in _CREDENTIALS:
        return CloudErrorKind.REFUSED, "it does not accept Slipway's AWS credentials"
    if code in _ACCOUNT:
        return CloudErrorKind.REFUSED, "the AWS account is not allowed to do this"
    return None


def _shortage_of(code: str) -> tuple[CloudErrorKind, str] | None:
    if code in _THROTTLED:
        return CloudErrorKind.THROTTLED, "too many requests came at once, and trying again did not help"
    if code.startswith("Insufficient") and code.endswith("Capacity"):
        return (
            CloudErrorKind.CAPACITY,
            "it has no room for such machines just now; another zone or type may have, and it is not a quota",
        )
    if code.endswith("LimitExceeded") or code == "InsufficientFreeAddressesInSubnet":
        return CloudErrorKind.QUOTA, "a quota of the AWS account is used up"
    return None


def _absence_of(code: str) -> tuple[CloudErrorKind, str] | None:
    if "NotFound" not in code and not code.endswith(".Malformed"):
        return None
    resource = next(
        (resource for prefix, resource in _RESOURCES if code.startswith(prefix)),
        "something the request names",
    )
    return CloudErrorKind.NOT_FOUND, f"{resource} does not exist, or not in this region"


def translate_client_error(error: Any, request: Ec2Request) -> CloudError:
    """A ``botocore.exceptions.ClientError`` as a CloudError."""
    answer = error.response
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    given = str(answer.get("Error", {}).get("Code", ""))
    code = given if _CODE.fullmatch(given) and given != "Unknown" else ""
    kind, why = _classify(code, status)
    return request.failed(kind, why, code)


def translate_botocore_error(error: Exception, request: Ec2Request) -> CloudError:
    """Any ``botocore.exceptions.BotoCoreError`` or parser error as a CloudError.

    Imports botocore, so call it where that has been done already: in the thread of the call.
    """
    from botocore import exceptions, parsers

    name = type(error).__name__
    match error:
        case exceptions.ReadTimeoutError() | exceptions.ConnectTimeoutError():
            return request.timed_out()
        case exceptions.EndpointConnectionError() | exceptions.SSLError() | exceptions.ProxyConnectionError():
            return request.failed(CloudErrorKind.UNREACHABLE, "it cannot be reached", name)
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return request.disconnected()
        case exceptions.ParamValidationError() | exceptions.ValidationError():
            return request.failed(CloudErrorKind.INVALID, "the request is not well-formed", name)
        case parsers.ResponseParserError() | exceptions.PaginationError():
            return request.failed(CloudErrorKind.UNEXPECTED_ANSWER, "its answer could not be read", name)
    if isinstance(error, _credential_errors()):
        return request.failed(CloudErrorKind.REFUSED, "Slipway has no usable AWS credentials", name)
    return request.failed(CloudErrorKind.UNEXPECTED_ANSWER, "the request could not be made", name)


def _credential_errors() -> tuple[type[Exception], ...]:
    from botocore import exceptions

    return (
        exceptions.ConfigNotFound,
        exceptions.ConfigParseError,
        exceptions.CredentialRetrievalError,
        exceptions.NoAuthTokenError,
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    )
