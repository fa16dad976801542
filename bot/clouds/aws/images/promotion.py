"""Letting a version be latest, or taking it back: launch permissions by region, then what follows what is latest.

Each write begins with a look and ends with one, and what is so already is left alone: begun again after a crash at
any point, it goes on where it was, and ends the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.besides import (
    Change,
    Deprecate,
    KeepDeprecation,
    MoveParameter,
    MoveTemplate,
    changes_in,
    deprecation_time,
    public_in,
)
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.images.pointers import Pointers
from slipway.bot.clouds.aws.images.reading import Ami, AmiVersion
from slipway.bot.clouds.aws.images.tags import DEPRECATED_BEFORE_TAG, before_value
from slipway.bot.clouds.aws.images.writing import Writes
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling

_TOKEN_LENGTH = 64
_MOST_NAMED = 3


class Promotion:
    """Changes what is latest.

    Args:
        account: the account.
        listing: looks at AMIs.
        pointers: looks at what follows what is latest.
        clock: the present, for times of deprecation.
        polling: how long a change may take to show.
    """

    def __init__(
        self, account: AwsAccount, listing: AmiListing, pointers: Pointers, clock: Clock, polling: Polling
    ) -> None:
        self._account = account
        self._listing = listing
        self._pointers = pointers
        self._clock = clock
        self._polling = polling

    async def set(
        self, definition: str, number: VersionNumber, promoted: bool, guard: Guard | None
    ) -> tuple[str, ...]:
        """Let a version be public in every region of it, or in none, and bring after it what follows what is latest.

        What else of its AMIs is other than it was at first is returned, a line each.

        Raises:
            CloudError: something was not done, or is not seen done; what was done before it stays. CONFLICT where it
                was taken back, and something still points to it, since nothing else is latest.
        """
        name, _ = self._listing.settings(definition)
        writes = Writes(self._account, self._listing, self._polling, name, number, guard)
        before = await self._listing.version(name, number)
        for ami in before.amis.values():
            if ami.public is not promoted:
                await self._share(writes, ami, promoted)
        for region in before.amis:
            await self._bring_after(writes, region, promoted)
        left = [] if promoted else await self._left_behind(name, before)
        if left:
            raise CloudError(
                CloudErrorKind.CONFLICT,
                cloud=self._account.name,
                sentence=f"{number} of {name} is taken back, but {' and '.join(left[:_MOST_NAMED])} still "
                f"{'names' if len(left) == 1 else 'name'} its image, since nothing older is promoted there.",
                remedy=Remedy(f"images {name}", "to see what could be promoted"),
            )
        return _differences(before, await self._listing.version(name, number))

    async def _share(self, writes: Writes, ami: Ami, public: bool) -> None:
        verb = "public" if public else "private again"
        await writes.change(
            f"make {ami.id} in {ami.region} {verb}",
            ami,
            "modify_image_attribute",
            lambda seen: seen.public is public,
            LaunchPermission={"Add" if public else "Remove": [{"Group": "all"}]},
        )

    async def _bring_after(self, writes: Writes, region: str, promoted: bool) -> None:
        """All that follows what is latest in a region; looked at anew, since others' versions count, too."""
        for change in await self._changes(writes.definition, region, promoted):
            await self._apply(writes, change)

    async def _changes(self, definition: str, region: str, promoted: bool) -> Sequence[Change]:
        """What has to follow what is latest in a region now."""
        _, family = self._listing.settings(definition)
        if family.parameter is None and family.template is None and family.deprecate_after is None:
            return ()
        public = public_in(await self._listing.family(definition), region, {})
        seen = await self._pointers.seen(definition, region)
        return changes_in(family, region, public, seen, self._clock(), promoted=promoted)

    async def _apply(self, writes: Writes, change: Change) -> None:
        match change:
            case MoveParameter():
                await self._move_parameter(writes, change)
            case MoveTemplate():
                await self._move_template(writes, change)
            case Deprecate():
                await self._deprecate(writes, change)
            case KeepDeprecation():
                await self._keep(writes, change)

    async def _move_parameter(self, writes: Writes, change: MoveParameter) -> None:
        name, region, image = change.seen.name, change.region, change.to.id
        request = writes.request(f"write {image} into the parameter {name} in {region}")
        if change.seen.problem:
            raise request.failed(CloudErrorKind.CONFIGURATION, f"it {change.seen.problem}")
        kind = {"Type": "String"} if change.seen.value is None else {}
        await writes.write(
            request,
            region,
            "put_parameter",
            lambda: self._pointers.parameter(writes.definition, region, name),
            lambda seen: seen.value == image,
            {
                "Name": name,
                "Value": image,
                "DataType": change.seen.data_type,
                "Overwrite": change.seen.value is not None,
                **kind,
            },
            service="ssm",
        )

    async def _move_template(self, writes: Writes, change: MoveTemplate) -> None:
        """Make a version from the default one with the image replaced, unless that was done, and make it the default.

        The note on a version says what it was made of, so that a second try finds it; the token is the same at every
        try, so that EC2 makes one where that answer got lost.
        """
        template, region, image = change.seen, change.region, change.to.id
        what = f"launch template {template.name} in {region}"
        if template.problem:
            request = writes.request(f"move the default version of the {what}")
            raise request.failed(CloudErrorKind.CONFIGURATION, f"it {template.problem}")
        note = f"{writes.definition} {change.number}: {image}, else as version {template.default}"
        token = sha256(f"{region} {template.id} {note}".encode()).hexdigest()[:_TOKEN_LENGTH]

        async def made() -> int | None:
            return await self._pointers.version_made(writes.definition, region, template, note)

        version = await made()
        if version is None:
            await writes.write(
                writes.request(f"make a version with {image} of the {what}"),
                region,
                "create_launch_template_version",
                made,
                lambda seen: seen is not None,
                {
                    "LaunchTemplateId": template.id,
                    "SourceVersion": str(template.default),
                    "VersionDescription": note,
                    "LaunchTemplateData": {"ImageId": image},
                    "ClientToken": token,
                },
            )
            version = await made()
        await writes.write(
            writes.request(f"make version {version} the default one of the {what}"),
            region,
            "modify_launch_template",
            lambda: self._pointers.template(writes.definition, region, template.name),
            lambda seen: seen.image == image,
            {"LaunchTemplateId": template.id, "DefaultVersion": str(version)},
        )

    async def _deprecate(self, writes: Writes, change: Deprecate) -> None:
        """Note what the time was before, unless that is noted, and set the new one."""
        ami = change.ami
        wanted = deprecation_time(ami, change.after, self._clock())
        if wanted is None:
            return
        if DEPRECATED_BEFORE_TAG not in ami.tags:
            await writes.tag(ami, DEPRECATED_BEFORE_TAG, before_value(ami.deprecated_at))
        await writes.change(
            f"deprecate {ami.id} in {ami.region} at {wanted:%Y-%m-%d %H:%M} UTC",
            ami,
            "enable_image_deprecation",
            lambda seen: seen.deprecated_at is not None and seen.deprecated_at <= wanted,
            DeprecateAt=wanted,
        )

    async def _keep(self, writes: Writes, change: KeepDeprecation) -> None:
        """Give a time of deprecation back, where it is not over, and take the note of it off."""
        ami, former = change.ami, change.former
        if former is None:
            await writes.change(
                f"let {ami.id} in {ami.region} not be deprecated",
                ami,
                "disable_image_deprecation",
                lambda seen: seen.deprecated_at != ami.deprecated_at or seen.deprecated_at is None,
            )
        elif former > self._clock() and ami.deprecated_at != former:
            await writes.change(
                f"deprecate {ami.id} in {ami.region} at {former:%Y-%m-%d %H:%M} UTC again",
                ami,
                "enable_image_deprecation",
                lambda seen: seen.deprecated_at == _minute(former),
                DeprecateAt=former,
            )
        await writes.untag(ami, DEPRECATED_BEFORE_TAG)

    async def _left_behind(self, definition: str, taken: AmiVersion) -> list[str]:
        """What still points to a version that was taken back, in words."""
        found = []
        for region, ami in taken.amis.items():
            parameter, template = await self._pointers.seen(definition, region)
            if parameter is not None and parameter.value == ami.id:
                found.append(f"the parameter {parameter.name} in {region}")
            if template is not None and template.image == ami.id:
                found.append(f"the launch template {template.name} in {region}")
        return found


def _minute(moment: datetime) -> datetime:
    """As EC2 has it: the nearest minute."""
    return (moment + timedelta(seconds=30)).replace(second=0, microsecond=0)


def _differences(before: AmiVersion, after: AmiVersion) -> tuple[str, ...]:
    """What nobody asked for here: what else of a version's AMIs is other than it was."""
    lines = []
    for region, old in before.amis.items():
        new = after.amis.get(region)
        if new is None or new.id != old.id:
            lines.append(f"{old.id} in {region} was there, and is now not there")
            continue
        lines += [
            f"{what} of {old.id} in {region} was {was or 'none'}, and is now {now or 'none'}"
            for what, was, now in (
                ("state", old.state, new.state),
                ("protection", old.protected, new.protected),
                *((f"tag {key}", old.tags.get(key), new.tags.get(key)) for key in {**old.tags, **new.tags}),
            )
            if was != now and what != f"tag {DEPRECATED_BEFORE_TAG}"
        ]
    return tuple(lines)
