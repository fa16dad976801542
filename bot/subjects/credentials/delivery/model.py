"""What is delivered, and what a place for secrets does: prepared first, changed at once, put back if it has to be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.subjects.credentials.delivery.addresses import Form


@dataclass(frozen=True)
class Delivery:
    """A new credential on its way. It is written nowhere but into sinks.

    Attributes:
        login: what is given beside the secret, such as the id of an access key.
        secret: itself.
        key: the source's id of it.
        ends_at: until when it works; None for no end.
    """

    login: str
    secret: SecretStr
    key: str
    ends_at: datetime | None

    def written(self, form: Form) -> bytes:
        """As a sink takes it."""
        text = self.secret.get_secret_value()
        match form:
            case Form.SECRET:
                return text.encode()
            case Form.JSON:
                ends = self.ends_at.isoformat() if self.ends_at is not None else None
                found = {"id": self.login, "secret": text, "key_id": self.key, "ends_at": ends}
                return f"{json.dumps(found)}\n".encode()
            case Form.AWS:
                lines = ("[default]", f"aws_access_key_id = {self.login}", f"aws_secret_access_key = {text}")
                return "".join(f"{line}\n" for line in lines).encode()


class Prepared(Protocol):
    """A delivery that is ready. Until :meth:`commit` nobody who reads there sees anything of it."""

    @property
    def title(self) -> str:
        """What people call the place."""
        ...

    async def commit(self) -> None:
        """Have readers see it.

        Raises:
            CloudError: it was not delivered; where it is ``doubtful``, it may have been.
        """
        ...

    async def undo(self) -> bool:
        """Put back what was there before :meth:`commit`; False where that cannot be done, and it stays delivered."""
        ...

    async def discard(self) -> None:
        """Instead of :meth:`commit`: leave nothing behind."""
        ...


class Sink(Protocol):
    """A place for a secret."""

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def can_undo(self) -> bool:
        """Whether what was there before can be put back."""
        ...

    async def look(self) -> None:
        """See that it could take one, as far as that shows without giving it any: for `slipway doctor`.

        Raises:
            CloudError: it could not.
        """
        ...

    async def prepare(self, delivery: Delivery) -> Prepared:
        """Do all that may fail and shows nothing yet.

        Raises:
            CloudError: it cannot be delivered there.
        """
        ...


class NotDeliveredError(CloudError):
    """A sink did not take a secret. ``kept`` are those that have it all the same, and cannot be put back."""

    def __init__(self, error: CloudError, kept: tuple[str, ...]) -> None:
        super().__init__(
            error.kind,
            cloud=error.cloud,
            sentence=error.sentence,
            code=error.code,
            reason=error.reason,
            remedy=error.remedy,
            doubtful=error.doubtful,
        )
        self.kept = kept


def sink_error(
    title: str,
    why: str,
    *,
    doubtful: bool = False,
    kind: CloudErrorKind = CloudErrorKind.CONFIGURATION,
) -> CloudError:
    """The error for a sink that does not take a secret; ``why`` completes “The secret was not put into …: ”."""
    put = "may or may not have been put" if doubtful else "was not put"
    return CloudError(
        kind,
        cloud="credentials",
        sentence=f"The new secret {put} into {title}: {why}.",
        remedy=Remedy(when="once that is put right"),
        doubtful=doubtful,
    )
