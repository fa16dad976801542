"""Access keys of IAM users, made, tried, made inactive and deleted, by boto3.

Source: IAM API reference, “CreateAccessKey”, “UpdateAccessKey”, “DeleteAccessKey”; STS API reference,
“GetCallerIdentity”, which takes no permission.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import SecretStr

from slipway.bot.clouds.aws.access_keys import AwsAccessKeys, iam_meaning
from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.calls import AwsCalls
from slipway.bot.clouds.aws.errors import Ec2Request, UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_text
from slipway.bot.clouds.ports.credential_rotation import FreshKey, HeldKey
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy

_MOST = 2  # IAM's own quota, which nobody can have raised

_NOT_ACCEPTED = frozenset(
    {"InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthFailure"}
)
"""Codes of STS for a key that is unknown (everywhere or here yet), inactive, or not the secret's."""

_LOOK = Remedy("credentials", "to see what is there")


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
        """Make a key; IAM keeps no word with it, and no end."""
        request = self._request(f"make an access key of {holder}", changes=True)
        try:
            key, secret = await self._calls.call(request, "create_access_key", _fresh, UserName=holder)
        except CloudError as error:
            # Botocore quotes an answer that it cannot read, which here may hold the secret.
            error.__cause__ = error.__context__ = None
            raise error from None
        return FreshKey(key, key, secret, None)

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


def _fresh(answer: Response) -> tuple[str, SecretStr]:
    made = answer.get("AccessKey")
    if not isinstance(made, Mapping):
        raise UnexpectedResponseError("AccessKey")
    return read_text(made, "AccessKeyId"), SecretStr(read_text(made, "SecretAccessKey"))


def _nothing(_answer: Response) -> None:
    """There is nothing in the answer."""
