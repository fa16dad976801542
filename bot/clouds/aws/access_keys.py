"""The access keys of IAM users, by boto3. Looks, and changes nothing.

Source of operations, codes and limits: IAM API reference. A user has two keys at most, so there is one page of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.calls import AwsCalls
from slipway.bot.clouds.aws.error_codes import Meaning, meaning_of
from slipway.bot.clouds.aws.errors import Ec2Request, UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_list, read_text, read_timestamp
from slipway.bot.clouds.ports.access_keys import AccessKey
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudErrorKind, Remedy

_SERVICE = "iam"
_PAGE = 1000  # the most that ListUsers gives in one answer
_NO_SERVICE = "N/A"  # what GetAccessKeyLastUsed names as the service of a key that was never used
_STATES = {"Active": True, "Inactive": False, "Expired": False}

_NOT_THERE = Meaning(
    CloudErrorKind.NOT_FOUND,
    "there is no such user, or no such key",
    Remedy("credentials", "to see what is there"),
)

_FULL = Meaning(
    CloudErrorKind.QUOTA,
    "the user has two access keys already, as many as there can be",
    Remedy("credentials", "to see which can go"),
)


class AwsAccessKeys:
    """Fulfils :class:`slipway.bot.clouds.ports.access_keys.AccessKeys`.

    Args:
        account: the account's clients. IAM is one for all regions.
    """

    def __init__(self, account: AwsAccount) -> None:
        self._account = account

    async def users(self) -> Sequence[str]:
        """The names of all users, in order."""
        request = self._request("list the users")
        found = await self._calls.pages(request, "list_users", _user_names, page_size=_PAGE)
        return sorted(found)

    async def keys(self, user: str) -> Sequence[AccessKey]:
        """A user's keys, the oldest first, each with when it was used last: a call a key."""
        request = self._request(f"list the access keys of {user}")
        listed = await self._calls.pages(request, "list_access_keys", _keys, page_size=_PAGE, UserName=user)
        used = await side_by_side({key: self._last_use(key) for key, _, _ in listed})
        return [
            AccessKey(
                key, user, active=active, created_at=created, used_at=used[key][0], used_for=used[key][1]
            )
            for key, active, created in sorted(listed, key=lambda each: each[2])
        ]

    async def close(self) -> None:
        """Let go of connections and threads."""
        self._account.close()

    async def _last_use(self, key: str) -> tuple[datetime | None, str]:
        request = self._request(f"show when the access key {key} was used")
        return await self._calls.call(request, "get_access_key_last_used", _use, AccessKeyId=key)

    @property
    def _calls(self) -> AwsCalls:
        return self._account.calls(self._account.settings.region, _SERVICE)

    def _request(self, action: str) -> Ec2Request:
        return Ec2Request(action, cloud=self._account.name, meaning=iam_meaning)


def iam_meaning(code: str, status: int) -> Meaning:
    """What an error code means where it is about users and their keys."""
    known = {"NoSuchEntity": _NOT_THERE, "LimitExceeded": _FULL}
    return known.get(code) or meaning_of(code, status)


def _user_names(answer: Response) -> list[str]:
    return [read_text(each, "UserName") for each in read_list(answer, "Users")]


def _keys(answer: Response) -> list[tuple[str, bool, datetime]]:
    return [_key(each) for each in read_list(answer, "AccessKeyMetadata")]


def _key(found: Response) -> tuple[str, bool, datetime]:
    state = _STATES.get(read_text(found, "Status"))
    if state is None:
        raise UnexpectedResponseError("Status")
    return read_text(found, "AccessKeyId"), state, read_timestamp(found.get("CreateDate"), "CreateDate")


def _use(answer: Response) -> tuple[datetime | None, str]:
    found = answer.get("AccessKeyLastUsed")
    if not isinstance(found, Mapping):
        raise UnexpectedResponseError("AccessKeyLastUsed")
    at = found.get("LastUsedDate")  # absent for a key that was never used
    service = str(found.get("ServiceName") or _NO_SERVICE)
    return (
        None if at is None else read_timestamp(at, "LastUsedDate"),
        "" if service == _NO_SERVICE else service,
    )
