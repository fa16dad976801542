"""Access keys of IAM users, made, tried, made inactive and deleted, by boto3.

Source: IAM API reference, “CreateAccessKey”, “UpdateAccessKey”, “DeleteAccessKey”; STS API reference,
“GetCallerIdentity”, which takes no permission. IAM keeps no word with a key; CloudTrail keeps with its event what
the request called its sender (CloudTrail User Guide, “CloudTrail record contents”, ``userAgent``), minutes later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from slipway.bot.clouds.aws.access_keys import AwsAccessKeys, iam_meaning
from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.calls import AwsCalls
from slipway.bot.clouds.aws.errors import Ec2Request, UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_list, read_text
from slipway.bot.clouds.ports.credential_rotation import FreshKey, HeldKey
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy

_MOST = 2  # IAM's own quota, which nobody can have raised

_EVENTS = 50  # the most that LookupEvents gives in one answer

_MARK = "slipway-rotation/"
_MARKED = re.compile(rf"{_MARK}([\w.:-]+)", re.ASCII)
"""How a request says for which step it makes a key. Nobody else's request says so."""

_NOT_ACCEPTED = frozenset(
    {"InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthFailure"}
)
"""Codes of STS for a key that is unknown (everywhere or here yet), inactive, or not the secret's."""

_LOOK = Remedy("credentials", "to see what is there")


def _log() -> Any:
    """The log, whose library takes longer to load than a declaration may."""
    import structlog

    return structlog.get_logger(__name__)


class AwsKeyRotation:
    """Fulfils :class:`slipway.bot.clouds.ports.credential_rotation.CredentialRotation` for IAM users.

    Args:
        account: the account's clients.
    """

    most: int | None = _MOST
    labels = False
    pauses = True

    def __init__(self, account: AwsAccount) -> None:
        self._account = account
        self._listing = AwsAccessKeys(account)

    async def keys(self, holder: str) -> Sequence[HeldKey]:
        """The user's keys, the oldest first."""
        return [
            HeldKey(each.id, "", each.active, each.created_at, None, each.used_at)
            for each in await self._listing.keys(holder)
        ]

    async def create(self, holder: str, label: str, ends_at: datetime | None) -> FreshKey:
        """Make a key; IAM keeps no end with it, and CloudTrail the label."""
        request = self._request(f"make an access key of {holder}", changes=True)
        calls = self._account.calls_marked(f"{_MARK}{label}", self._account.settings.region, "iam")
        try:
            key, secret = await calls.call(request, "create_access_key", _fresh, UserName=holder)
        except CloudError as error:
            # Botocore quotes an answer that it cannot read, which here may hold the secret.
            error.__cause__ = error.__context__ = None
            raise error from None
        finally:
            calls.close()
        return FreshKey(key, key, secret, None)

    async def makers(self, holder: str, since: datetime) -> Mapping[str, str]:
        """By CloudTrail, where Slipway may look there (``cloudtrail:LookupEvents``)."""
        calls = self._account.calls(_home_of_iam(self._account.settings.region), "cloudtrail")
        request = Ec2Request(
            f"look up in CloudTrail who made access keys of {holder}", cloud=self._account.name
        )
        try:
            found = await calls.pages(
                request,
                "lookup_events",
                lambda answer: [_maker(each, holder) for each in read_list(answer, "Events")],
                page_size=_EVENTS,
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateAccessKey"}],
                StartTime=since,
            )
        except CloudError as error:
            _log().info("nothing tells who made an access key", why=error.sentence)
            return {}
        return {key: label for key, label in found if key}

    async def accepts(self, holder: str, fresh: FreshKey) -> bool:
        """Ask STS who one is, by the new key alone."""
        calls = self._account.calls_as(fresh.login, fresh.secret, "sts")
        request = self._request("log in with the new access key")
        try:
            arn = await calls.call(request, "get_caller_identity", lambda answer: read_text(answer, "Arn"))
        except CloudError as error:
            if error.code in _NOT_ACCEPTED:
                return False
            raise
        finally:
            calls.close()
        if arn.rpartition("/")[2] != holder:
            raise request.failed(CloudErrorKind.CONFLICT, f"it is of another user than {holder}")
        return True

    async def deactivate(self, holder: str, key: str) -> None:
        """Make a key inactive."""
        request = self._request(f"make the access key {key} inactive", changes=True)
        given = {"UserName": holder, "AccessKeyId": key, "Status": "Inactive"}
        await self._calls.call(request, "update_access_key", _nothing, **given)

    async def remove(self, holder: str, key: str) -> None:
        """Delete a key."""
        request = self._request(f"delete the access key {key}", changes=True)
        try:
            await self._calls.call(request, "delete_access_key", _nothing, UserName=holder, AccessKeyId=key)
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            await self._listing.keys(holder)  # the key is gone; a user who is gone is told

    async def close(self) -> None:
        """Let go of connections and threads."""
        self._account.close()

    @property
    def _calls(self) -> AwsCalls:
        return self._account.calls(self._account.settings.region, "iam")

    def _request(self, action: str, *, changes: bool = False) -> Ec2Request:
        return Ec2Request(action, changes, self._account.name, iam_meaning, _LOOK)


def _home_of_iam(region: str) -> str:
    """Where events of IAM are logged, which is one for all regions of a partition."""
    for prefix, home in (("us-gov-", "us-gov-west-1"), ("cn-", "cn-north-1")):
        if region.startswith(prefix):
            return home
    return "us-east-1"


def _maker(event: Response, holder: str) -> tuple[str, str]:
    """The id of the key that an event tells of, and the label; an empty id where it is of another user's."""
    try:
        record = json.loads(read_text(event, "CloudTrailEvent"))
        made = (record.get("responseElements") or {}).get("accessKey") or {}
        key, user, agent = made.get("accessKeyId"), made.get("userName"), str(record.get("userAgent"))
    except (ValueError, RecursionError, AttributeError):
        raise UnexpectedResponseError("CloudTrailEvent") from None
    if not isinstance(key, str) or user != holder:
        return "", ""
    marked = _MARKED.search(agent)
    return key, marked[1] if marked else ""


def _fresh(answer: Response) -> tuple[str, SecretStr]:
    made = answer.get("AccessKey")
    if not isinstance(made, Mapping):
        raise UnexpectedResponseError("AccessKey")
    return read_text(made, "AccessKeyId"), SecretStr(read_text(made, "SecretAccessKey"))


def _nothing(_answer: Response) -> None:
    """There is nothing in the answer."""
