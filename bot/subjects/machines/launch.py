"""Planning a launch: which image, by which profile, how many, until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import MachineImage, Template
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_date, format_duration
from slipway.bot.subjects.machines.images import find_image
from slipway.bot.subjects.machines.requests import Launch, LaunchPin
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines
from slipway.bot.subjects.machines.tags import launch_tags

_LEAST_LEFT = 0.5
"""The share of its time that must be left when a launch begins: who waits too long for an approval should
ask again rather than be given a machine for its last minutes."""


class LaunchPlanner:
    """Plans :class:`slipway.bot.subjects.machines.requests.Launch`.

    Args:
        clouds: profiles say where in them to launch.
        profiles: ``[profiles]`` of the configuration, in its order.
    """

    def __init__(self, clouds: Clouds, profiles: Mapping[str, ProfileSettings]) -> None:
        self._clouds = clouds
        self._profiles = profiles

    async def plan(self, request: Launch, now: datetime) -> Draft[Launch]:
        """Plan a launch with image, template version and end resolved.

        Without a profile, the first one that can run the image's architecture is taken. The end counts from
        the first planning, and planning again keeps it.

        Raises:
            UserError: unknown or ambiguous image, unknown or unfit profile, too many, too long, or (planning
                again) less than half of the time is left.
            CloudError: the cloud cannot be read.
        """
        pin = request.pin
        if request.profile is not None:
            self._profile(request.profile)
        if pin:
            name = pin.profile
            self._check_cloud(pin)
            image = await find_image([self._machines(pin.cloud)], pin.image_id)
            template = await self._template(name, self._profile(name), pin.template_version)
            await self._check_architecture(image, name, template)
        else:
            image = await find_image(self._accounts(request.profile), request.image)
            name, template = await self._choose(request.profile, image)
        profile = self._profile(name)
        check_count(request.count, name, profile)
        lifetime = lifetime_of(request.seconds, name, profile)
        if pin is None:
            pin = LaunchPin(
                image_id=image.id,
                profile=name,
                template_version=template.version,
                seconds=int(lifetime.total_seconds()),
                until=now.replace(microsecond=0) + lifetime,
                cloud=image.cloud,
            )
        elif pin.until - now < _LEAST_LEFT * timedelta(seconds=pin.seconds):
            raise UserError(
                f"This launch was meant to last until {pin.until:%Y-%m-%d %H:%M} UTC, and less than half of "
                "that time is left; ask for it again."
            )
        return self._draft(request.model_copy(update={"pin": pin}), pin, image, template, now)

    def _profile(self, name: str) -> ProfileSettings:
        profile = self._profiles.get(name)
        if profile is None:
            raise UserError(
                f"There is no profile {name}; {_profile_names(self._profiles)}.",
                nearest=nearest(name, self._profiles),
            )
        return profile

    def _machines(self, cloud: str) -> Machines:
        return self._clouds.get(MACHINES, cloud)

    def _accounts(self, profile: str | None) -> list[Machines]:
        """Where to look for an image: where this profile launches, or each one in turn."""
        if profile is not None:
            return [self._machines(self._profile(profile).cloud)]
        names = dict.fromkeys(profile.cloud for profile in self._profiles.values())
        if not names or not self._clouds.all(MACHINES):
            return [self._clouds.only(MACHINES)]
        return [self._machines(name) for name in names]

    def _check_cloud(self, pin: LaunchPin) -> None:
        """Raise UserError where the profile launches somewhere else by now."""
        cloud = self._profile(pin.profile).cloud
        if cloud != pin.cloud:
            raise UserError(
                f"Profile {pin.profile} launches in {cloud} now, and this launch was planned for {pin.cloud}; "
                "ask for it again."
            )

    async def _choose(self, wanted: str | None, image: MachineImage) -> tuple[str, Template]:
        if wanted is not None:
            template = await self._template(wanted, self._profile(wanted))
            await self._check_architecture(image, wanted, template)
            return wanted, template
        if not self._profiles:
            raise UserError("No profile is configured, so nothing can be launched; add one under [profiles].")
        for name, profile in self._profiles.items():
            if profile.cloud != image.cloud:
                continue
            template = await self._template(name, profile)
            if _can_run(template, image):
                return name, template
        raise UserError(
            f"{image.name} is for {image.architecture}, and no profile has machines for that; "
            f"{_profile_names(self._profiles)}."
        )

    async def _template(self, name: str, profile: ProfileSettings, version: int | None = None) -> Template:
        """The profile's launch template at this version, or else the one that the profile names."""
        machines = self._machines(profile.cloud)
        try:
            return await machines.template(profile.template, version or profile.template_version)
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            raise UserError(
                f"Profile {name} names the launch template {profile.template}, which {machines.region} "
                f"does not have; whoever runs Slipway can correct [profiles.{name}]."
            ) from error

    async def _check_architecture(self, image: MachineImage, name: str, template: Template) -> None:
        if _can_run(template, image):
            return
        fitting = [
            other
            for other, profile in self._profiles.items()
            if other != name and await self._fits(profile, image)
        ]
        runs = " and ".join(template.architectures)
        raise UserError(
            f"{image.name} is for {image.architecture}, but profile {name} launches "
            f"{template.instance_type}, which runs {runs}"
            + (f"; use profile {fitting[0]}." if fitting else "; no profile fits."),
            nearest=tuple(fitting[:3]),
        )

    async def _fits(self, profile: ProfileSettings, image: MachineImage) -> bool:
        """Whether a profile could run the image; one whose template is missing could not."""
        if profile.cloud != image.cloud:
            return False
        try:
            template = await self._machines(profile.cloud).template(
                profile.template, profile.template_version
            )
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return False
            raise
        return _can_run(template, image)

    def _draft(
        self, request: Launch, pin: LaunchPin, image: MachineImage, template: Template, now: datetime
    ) -> Draft[Launch]:
        step = LaunchMachines(
            image_id=image.id,
            image_name=image.name,
            template_id=template.id,
            template_name=template.name,
            template_version=template.version,
            count=request.count,
            until=pin.until,
            requester=request.requester,
            tags=launch_tags(
                owner=request.requester, profile=pin.profile, image_id=image.id, until=pin.until
            ),
            cloud=pin.cloud,
        )
        machines = "1 machine runs" if request.count == 1 else f"{request.count} machines run"
        return Draft(
            request=request,
            summary=f"{machines} {image.name} for {request.requester}, until {pin.until:%Y-%m-%d %H:%M} UTC.",
            steps=(step,),
            observed=_observed(image, template),
            evidence=(
                ("Image", f"{image.name} ({image.id})"),
                ("Architecture", image.architecture),
                ("Created", format_date(image.created_at)),
                ("Profile", pin.profile),
                ("Template", f"{template.name} v{template.version}"),
                ("Machine", template.instance_type or "as the template says"),
                ("Region", self._machines(pin.cloud).region),
                ("For", format_duration(timedelta(seconds=pin.seconds))),
            ),
            warnings=_warnings(image, now),
        )


def _profile_names(profiles: Mapping[str, ProfileSettings]) -> str:
    *most, last = profiles or ("none at all",)
    return f"there are {', '.join(most)} and {last}" if most else f"there is {last}"


def check_count(count: int, name: str, profile: ProfileSettings) -> None:
    """Raise UserError where a profile does not launch so many machines at a time."""
    if not 1 <= count <= profile.max_count:
        most = "1 machine" if profile.max_count == 1 else f"1 to {profile.max_count} machines"
        raise UserError(f"Profile {name} launches {most} at a time, not {count}.")


def lifetime_of(seconds: int | None, name: str, profile: ProfileSettings) -> timedelta:
    """How long machines of a profile live if so many seconds are asked for; None is the profile's default.

    Raises:
        UserError: the profile does not allow as much.
    """
    if seconds is None:
        return min(profile.default_for, profile.max_for)
    lifetime = timedelta(seconds=seconds)
    if not timedelta() < lifetime <= profile.max_for:
        raise UserError(
            f"Profile {name} launches for at most {format_duration(profile.max_for)}, "
            f"not {format_duration(lifetime)}."
        )
    return lifetime


def _can_run(template: Template, image: MachineImage) -> bool:
    """Whether the template's machines run the image; where the cloud does not say, they may."""
    return not template.architectures or image.architecture in template.architectures


def _observed(image: MachineImage, template: Template) -> dict[str, Json]:
    return {
        f"image {image.id}": {
            "name": image.name,
            "state": image.state,
            "architecture": image.architecture,
            "owner": image.owner,
            "deprecated": image.deprecated_at.isoformat() if image.deprecated_at else None,
        },
        f"template {template.name} v{template.version}": {
            "id": template.id,
            "machine": template.instance_type,
        },
    }


def _warnings(image: MachineImage, now: datetime) -> tuple[str, ...]:
    if image.deprecated_at is None or image.deprecated_at > now:
        return ()
    return (f"{image.name} is deprecated since {format_date(image.deprecated_at)}.",)
