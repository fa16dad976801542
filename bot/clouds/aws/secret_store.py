"""AWS Secrets Manager: a version is staged beside the one that readers get, and shown to them by moving a label.

Source: Secrets Manager API reference, “PutSecretValue”, “DescribeSecret”, “UpdateSecretVersionStage”. The label
AWSPENDING is left to AWS's own rotation, and ours is another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.calls import AwsCalls
from slipway.bot.clouds.aws.error_codes import Meaning, meaning_of
from slipway.bot.clouds.aws.errors import Ec2Request, UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response
from slipway.bot.clouds.ports.secret_stores import SecretValue
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy

_SERVICE = "secretsmanager"
_CURRENT, _PREVIOUS, _PENDING = "AWSCURRENT", "AWSPREVIOUS", "SLIPWAY-PENDING"

_ARN = re.compile(r"arn:[\w-]+:secretsmanager:([a-z0-9-]+):\d{12}:secret:.+", re.ASCII)

_MENDED = Remedy(when="once that is put right")
_LOOK = Remedy("credentials", "to see what is there")

_CODES = {
    "ResourceNotFoundException": Meaning(
        CloudErrorKind.CONFIGURATION, "there is no such secret; somebody makes it once, by hand", _MENDED
    ),
    "InvalidRequestException": Meaning(
        CloudErrorKind.CONFIGURATION, "the secret's state forbids it, as where it is to be deleted", _MENDED
    ),
    "LimitExceededException": Meaning(
        CloudErrorKind.QUOTA, "the secret has as many versions as there can be", _MENDED
    ),
    "EncryptionFailure": Meaning(
        CloudErrorKind.REFUSED, "the KMS key of the secret cannot be used to encrypt", _MENDED
    ),
    "DecryptionFailure": Meaning(
        CloudErrorKind.REFUSED, "the KMS key of the secret cannot be used to decrypt", _MENDED
    ),
    "InternalServiceError": Meaning(CloudErrorKind.BROKEN, "it had an error of its own"),
}


@dataclass(frozen=True)
class _Versions:
    """Which version carries which label; empty for none."""

    current: str
    previous: str


class AwsSecretStore:
    """Fulfils :class:`slipway.bot.clouds.ports.secret_stores.SecretStore`.

    Args:
        account: the account's clients. A secret is named by its name in the account's region, or by its ARN.
    """

    def __init__(self, account: AwsAccount) -> None:
        self._account = account

    async def look(self, name: str) -> None:
        """See that the secret is there, and is not AWS's own to rotate."""
        await self._versions(name)

    async def stage(self, name: str, value: SecretValue) -> StagedVersion:
        """Put a version beside the one that readers get.

        A secret without any version gets its first one at the commit: the first one is what readers get at once.
        """
        before = await self._versions(name)
        staged = StagedVersion(self, name, value, before, _token(name, value))
        if before.current:
            await self.put(name, value, staged.version, (_PENDING,))
        return staged

    async def close(self) -> None:
        """Let go of connections and threads."""
        self._account.close()

    async def put(self, name: str, value: SecretValue, token: str, labels: tuple[str, ...]) -> None:
        """Make a version; with the same token and value once more, it is the same one."""
        await self._calls(name).call(
            self._request("keep the new version", changes=True),
            "put_secret_value",
            _nothing,
            SecretId=name,
            ClientRequestToken=token,
            SecretString=value.text.get_secret_value(),
            VersionStages=[*labels],
        )

    async def move(self, name: str, label: str, *, to: str, of: str) -> None:
        """Take a label from one version, and give it to another; empty for none."""
        given = {"MoveToVersionId": to, "RemoveFromVersionId": of}
        await self._calls(name).call(
            self._request(f"move the label {label}", changes=True),
            "update_secret_version_stage",
            _nothing,
            SecretId=name,
            VersionStage=label,
            **{key: version for key, version in given.items() if version},
        )

    async def labels(self, name: str) -> _Versions:
        """Which version carries which label now."""
        return await self._calls(name).call(
            self._request("show the secret's versions"), "describe_secret", _versions, SecretId=name
        )

    async def _versions(self, name: str) -> _Versions:
        request = self._request("show the secret")
        found, deleted, rotated = await self._calls(name).call(
            request, "describe_secret", lambda answer: (_versions(answer), *_odd(answer)), SecretId=name
        )
        if deleted is not None:
            why = "it is to be deleted; somebody restores it first"
            raise request.failed(CloudErrorKind.CONFIGURATION, why, remedy=_MENDED)
        if rotated:
            why = (
                "AWS rotates it by itself, and would replace what is put there; somebody turns that off first"
            )
            raise request.failed(CloudErrorKind.CONFIGURATION, why, remedy=_MENDED)
        return found

    def _calls(self, name: str) -> AwsCalls:
        named = _ARN.fullmatch(name)
        return self._account.calls(named[1] if named else self._account.settings.region, _SERVICE)

    def _request(self, action: str, *, changes: bool = False) -> Ec2Request:
        return Ec2Request(
            f"{action} in Secrets Manager", changes, self._account.name, _secrets_meaning, _LOOK
        )


@dataclass
class StagedVersion:
    """A version with a label of its own, which no reader asks for.

    Attributes:
        store: where it is.
        name: of which secret.
        value: for a secret that has no version yet.
        before: what carried the labels.
        version: its id, which is the token of the request.
        shown: whether its readers surely got it.
    """

    store: AwsSecretStore
    name: str
    value: SecretValue
    before: _Versions
    version: str
    shown: bool = field(default=False, init=False)

    async def commit(self) -> None:
        """Move AWSCURRENT to it; AWS moves AWSPREVIOUS to the one before."""
        if not self.before.current:
            await self.store.put(self.name, self.value, self.version, (_CURRENT,))
            self.shown = True
            return
        await self.store.move(self.name, _CURRENT, to=self.version, of=self.before.current)
        self.shown = True
        with suppress(CloudError):  # a label that nobody reads; the next delivery moves it
            await self.store.move(self.name, _PENDING, to="", of=self.version)

    async def undo(self) -> bool:
        """Move AWSCURRENT back, where it is at ours; the first version of a secret cannot be taken away.

        Where nobody knows whether it was moved, and it is not at ours, it may be moved yet: that cannot be put back.
        """
        now = await self.store.labels(self.name)
        if now.current != self.version and not self.shown:
            return False
        if now.current == self.version:
            if not self.before.current:
                return False
            await self.store.move(self.name, _CURRENT, to=self.before.current, of=self.version)
        if self.before.current:
            with suppress(CloudError):  # what AWSPREVIOUS names was never more than a convenience
                await self.store.move(self.name, _PREVIOUS, to=self.before.previous, of=self.version)
            with suppress(CloudError):
                await self.discard()
        return True

    async def discard(self) -> None:
        """Take its label away, by which AWS takes the version away in time."""
        if self.before.current:
            await self.store.move(self.name, _PENDING, to="", of=self.version)


def _token(name: str, value: SecretValue) -> str:
    """From 32 to 64 characters, the same for the same delivery."""
    return hashlib.sha256(f"{name}\n{value.key}".encode()).hexdigest()


def _secrets_meaning(code: str, status: int) -> Meaning:
    """What an error code means where it is about a secret."""
    known = _CODES.get(code)
    if known is not None:
        return known
    found = meaning_of(code, status)
    return replace(found, remedy=_MENDED) if found.kind is CloudErrorKind.CONFIGURATION else found


def _versions(answer: Response) -> _Versions:
    listed = answer.get("VersionIdsToStages") or {}
    if not isinstance(listed, Mapping):
        raise UnexpectedResponseError("VersionIdsToStages")
    by_label = {str(label): str(version) for version, labels in listed.items() for label in labels}
    return _Versions(by_label.get(_CURRENT, ""), by_label.get(_PREVIOUS, ""))


def _odd(answer: Response) -> tuple[datetime | None, bool]:
    """When it is to be deleted, and whether AWS rotates it."""
    return answer.get("DeletedDate"), bool(answer.get("RotationEnabled"))


def _nothing(_answer: Response) -> None:
    """There is nothing in the answer."""
