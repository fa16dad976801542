"""One write to AWS about images: a look that is shown to the guard, the write, and a look that it took effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import Ec2Request
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.images.reading import Ami, AmiVersion
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.waiting import Polling

T = TypeVar("T")


class Writes:
    """Changes of one version, one write after the other.

    EC2's listings may lag behind its changes ("eventual consistency", EC2 API Reference), so a change is looked for
    until it shows. An answer that leaves open whether a write took effect is no failure where its effect shows.

    Args:
        account: the account.
        listing: looks.
        polling: how long a change may take to show.
        definition: the family's name.
        number: the version.
        guard: is shown the version right before each write.
    """

    def __init__(
        self,
        account: AwsAccount,
        listing: AmiListing,
        polling: Polling,
        definition: str,
        number: VersionNumber,
        guard: Guard | None,
    ) -> None:
        self._account = account
        self._listing = listing
        self._polling = polling
        self._guard = guard
        self.definition = definition
        self.number = number

    async def look(self) -> AmiVersion:
        """The version as it is now, whoever asks for a change having been shown it.

        Raises:
            CloudError: it is not there, or must not be changed now.
        """
        found = await self._listing.version(self.definition, self.number)
        if self._guard is not None:
            self._guard(found.version)
        return found

    def request(self, action: str) -> Ec2Request:
        """A write as errors speak of it; ``action`` completes “AWS did not …”."""
        return self._listing.request(action, self.definition, changes=True)

    async def write(
        self,
        request: Ec2Request,
        region: str,
        operation: str,
        see: Callable[[], Awaitable[T]],
        is_so: Callable[[T], bool],
        parameters: Mapping[str, object],
        *,
        service: str = "ec2",
    ) -> None:
        """Look at the version, write, and look until ``is_so`` holds of what is seen.

        Raises:
            CloudError: it was not done; UNVERIFIED where AWS took it and it does not show.
        """
        await self.look()
        lost: CloudError | None = None
        try:
            await self._account.calls(region, service).call(request, operation, _nothing, **parameters)
        except CloudError as error:
            if not error.doubtful:
                raise
            lost = error
        try:
            seen = await self._polling.until(see, is_so)
        except CloudError as blind:
            raise blind.after(f"{self._account.title} was asked to {request.action}", request.look) from blind
        if is_so(seen):
            return
        if lost is not None:
            raise lost
        raise CloudError(
            CloudErrorKind.UNVERIFIED,
            cloud=self._account.name,
            sentence=f"AWS took the order to {request.action}, and it does not show.",
            remedy=request.look,
        )

    async def change(
        self, action: str, ami: Ami, operation: str, is_so: Callable[[Ami], bool], **parameters: object
    ) -> None:
        """Write something of an AMI itself, and look at it. What names no AMI otherwise is given its id."""

        async def see() -> Ami | None:
            return await self._listing.ami(self.definition, ami)

        named: dict[str, object] = {} if "Resources" in parameters else {"ImageId": ami.id}
        await self.write(
            self.request(action),
            ami.region,
            operation,
            see,
            lambda seen: seen is not None and is_so(seen),
            {**named, **parameters},
        )

    async def tag(self, ami: Ami, key: str, value: str) -> None:
        """Note something on an AMI."""
        await self.change(
            f"note on {ami.id} what was before",
            ami,
            "create_tags",
            lambda seen: seen.tags.get(key) == value,
            Resources=[ami.id],
            Tags=[{"Key": key, "Value": value}],
        )

    async def untag(self, ami: Ami, key: str) -> None:
        """Take a note off an AMI."""
        await self.change(
            f"take the note {key} off {ami.id}",
            ami,
            "delete_tags",
            lambda seen: key not in seen.tags,
            Resources=[ami.id],
            Tags=[{"Key": key}],
        )


def _nothing(_answer: Any) -> None:
    """What of an answer is of interest: that it came."""
