"""What EC2's and botocore's errors mean for a person: a kind, one plain sentence with the error code, EC2's own
message beside it, and whether a change may have been made all the same.

Sources: :mod:`.error_codes`; botocore.exceptions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.bot.clouds.aws.error_codes import SEE_MACHINES, Meaning, meaning_of
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy

CLOUD_NAME = "aws"
"""The name of the unnamed account, and of the table."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,79}", re.ASCII)

_BLOB = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)
"""What follows is for DecodeAuthorizationMessage, and for no reader."""


@dataclass(frozen=True, slots=True)
class Ec2Request:
    """A request to EC2 as errors speak of it.

    Attributes:
        action: what was asked, such as ``list images``; completes “AWS did not …”.
        changes: whether it changes anything, so that it is not known what became of it if no answer comes.
        cloud: the name of the adapter that asks.
        meaning: what an error code and an answer's status mean for such requests.
        look: the next command where it is not known what became of it.
    """

    action: str
    changes: bool = False
    cloud: str = CLOUD_NAME
    meaning: Callable[[str, int], Meaning] = field(default=meaning_of, compare=False)
    look: Remedy = SEE_MACHINES

    @property
    def _title(self) -> str:
        return "AWS" if self.cloud == CLOUD_NAME else f"AWS ({self.cloud})"

    def failed(
        self,
        kind: CloudErrorKind,
        why: str,
        code: str = "",
        *,
        reason: str = "",
        remedy: Remedy | None = None,
        doubtful: bool = False,
    ) -> CloudError:
        """The error that says it was not done, and why; or that this is not known.

        Args:
            kind: the class of failure.
            why: completes “AWS did not …: ”.
            code: EC2's error code, or the name of botocore's error.
            reason: EC2's own message.
            remedy: what to type next, where it is not the same again; in doubt it is to look.
            doubtful: whether what was asked may have taken effect; of no meaning where it changes nothing.
        """
        named = f" ({code})" if code else ""
        doubtful = doubtful and self.changes
        did = f"It is not known whether {self._title} did" if doubtful else f"{self._title} did not"
        return CloudError(
            kind,
            cloud=self.cloud,
            code=code,
            sentence=f"{did} {self.action}: {why}{named}.",
            reason=reason,
            remedy=self.look if doubtful else remedy,
            doubtful=doubtful,
        )

    def timed_out(self) -> CloudError:
        """The error for an answer that did not come in time."""
        return self.failed(CloudErrorKind.TIMED_OUT, "no answer came in time", doubtful=True)

    def disconnected(self) -> CloudError:
        """The error for a connection that broke before the answer was there."""
        why = "the connection broke before the answer came"
        return self.failed(CloudErrorKind.UNREACHABLE, why, doubtful=True)


class UnexpectedResponseError(Exception):
    """EC2's answer was well-formed and lacks what it must hold, or holds something else."""


def code_of(answer: Mapping[str, Any]) -> str:
    """The error code of an answer as botocore parses it; empty where it has none that could be one."""
    given = str(answer.get("Error", {}).get("Code", ""))
    return given if _CODE.fullmatch(given) and given != "Unknown" else ""


def is_unclear(answer: Mapping[str, Any] | None, error: Exception | None) -> bool:
    """Whether an answer, or its lack, leaves open whether the request took effect.

    A refusal by name is clear, also one that comes with a status of 5xx, such as InsufficientInstanceCapacity. An
    error of EC2's own is not, as it may come after the effect; nor is an answer that never came or cannot be read.
    A connection that was never made is clear.

    Args:
        answer: as botocore parses it; None where there was none.
        error: what botocore raised instead.
    """
    from botocore import exceptions

    if error is not None:
        never_sent = (
            exceptions.EndpointConnectionError,
            exceptions.ConnectTimeoutError,
            exceptions.ProxyConnectionError,
            exceptions.SSLError,
        )
        return not isinstance(error, never_sent)
    if answer is None or "Error" not in answer:
        return False
    return meaning_of(code_of(answer), _status_of(answer)).kind is CloudErrorKind.BROKEN


def _status_of(answer: Mapping[str, Any]) -> int:
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def translate_client_error(error: Any, request: Ec2Request, *, doubtful: bool = False) -> CloudError:
    """A ``botocore.exceptions.ClientError`` as a CloudError.

    Args:
        error: with EC2's answer.
        request: what was asked.
        doubtful: whether an earlier try of the same request was answered unclearly.
    """
    answer = error.response
    code = code_of(answer)
    meaning = request.meaning(code, _status_of(answer))
    return request.failed(
        meaning.kind,
        meaning.why,
        code,
        reason=_BLOB.sub("", str(answer.get("Error", {}).get("Message") or "")),
        remedy=meaning.remedy,
        doubtful=doubtful or meaning.kind is CloudErrorKind.BROKEN,
    )


def translate_botocore_error(error: Exception, request: Ec2Request, *, doubtful: bool = False) -> CloudError:
    """Any ``botocore.exceptions.BotoCoreError`` or parser error as a CloudError; ``doubtful`` as above.

    Imports botocore, so call it where that has been done already: in the thread of the call.
    """
    from botocore import exceptions, parsers

    def failed(kind: CloudErrorKind, why: str) -> CloudError:
        return request.failed(kind, why, type(error).__name__, doubtful=doubtful)

    match error:
        case exceptions.ConnectTimeoutError():
            return failed(CloudErrorKind.TIMED_OUT, "it cannot be reached in time")
        case exceptions.ReadTimeoutError():
            return request.timed_out()
        case exceptions.EndpointConnectionError() | exceptions.SSLError() | exceptions.ProxyConnectionError():
            return failed(CloudErrorKind.UNREACHABLE, "it cannot be reached")
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return request.disconnected()
        case exceptions.ParamValidationError() | exceptions.ValidationError():
            return failed(CloudErrorKind.INVALID, "the request is not well-formed")
        case parsers.ResponseParserError() | exceptions.PaginationError():
            return request.failed(
                CloudErrorKind.UNEXPECTED_ANSWER,
                "its answer could not be read",
                type(error).__name__,
                doubtful=True,
            )
    if isinstance(error, _credential_errors()):
        return failed(CloudErrorKind.REFUSED, "Slipway has no usable AWS credentials")
    return failed(CloudErrorKind.UNEXPECTED_ANSWER, "the request could not be made")


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
