"""Planning a launch: which image, by which profile, how many, for whom, until when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import MachineImage, Template
from slipway.bot.clouds.ports.image_evidence import IMAGE_EVIDENCE
from slipway.bot.clouds.ports.machines import MACHINES, KnowsMachineTypes, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.people import Person
from slipway.bot.subjects.machines.launching.drafting import LaunchChoice, draft_of, spec_of, step_of
from slipway.bot.subjects.machines.launching.images import find_image
from slipway.bot.subjects.machines.launching.keys import ChosenKeys, Keys, taken_by
from slipway.bot.subjects.machines.launching.preflight import forecast
from slipway.bot.subjects.machines.launching.prices import PriceSettings
from slipway.bot.subjects.machines.launching.terms import (
    check_count,
    check_may_use,
    check_override,
    lifetime_of,
    may_use,
    reasons_to_ask,
    region_of,
)
from slipway.bot.subjects.machines.requests import Launch, LaunchPin
from slipway.bot.subjects.machines.settings import ProfileSettings

_LEAST_LEFT = 0.5
"""The share of its time that must be left when a launch begins: who waits too long for an approval should
ask again rather than be given a machine for its last minutes."""


async def _no_keys(_person: str) -> Keys:
    return ChosenKeys()


async def _no_limit(_person: str, _machines: int, _hours: float, _now: datetime) -> str:
    return ""


@dataclass(frozen=True)
class Requesters:
    """What is known of those who ask for machines.

    Attributes:
        find: somebody by their id.
        keys: their keys, by their id.
        allowance: raises UserError where the limits leave too little for so many machines and lease hours; says what
            they leave otherwise.
    """

    find: Callable[[str], Person | None] = lambda _person: None
    keys: Callable[[str], Awaitable[Keys]] = _no_keys
    allowance: Callable[[str, int, float, datetime], Awaitable[str]] = _no_limit


class LaunchPlanner:
    """Plans :class:`slipway.bot.subjects.machines.requests.Launch`.

    Args:
        clouds: profiles say where in them to launch.
        profiles: ``[profiles]`` of the configuration, in its order.
        requesters: those who ask.
        prices: ``[prices]``.
        evidence: what is recorded about an image.
        prefix: what commands start with.
    """

    def __init__(
        self,
        clouds: Clouds,
        profiles: Mapping[str, ProfileSettings],
        requesters: Requesters | None = None,
        prices: PriceSettings | None = None,
        evidence: Callable[[MachineImage], Awaitable[tuple[str, ...]]] = IMAGE_EVIDENCE.absent.of,
        prefix: str = "!",
    ) -> None:
        self._prefix = prefix
        self._clouds = clouds
        self._profiles = profiles
        self._requesters = requesters or Requesters()
        self._prices = prices or PriceSettings()
        self._evidence = evidence

    async def plan(self, request: Launch, now: datetime) -> Draft[Launch]:
        """Plan a launch with image, template version, keys and end resolved.

        Without a profile, the first one is taken that the requester may use and that can run the image's
        architecture. The end counts from the first planning, and planning again keeps it.

        Raises:
            UserError: unknown or ambiguous image, unknown or unfit profile, too many, too long, nobody could log in,
                a limit is reached, or (planning again) less than half of the time is left.
            CloudError: the cloud cannot be read, or would refuse the launch.
        """
        check_count(request.count)
        choice = await (
            self._chosen(request, now) if request.pin is None else self._pinned(request, request.pin)
        )
        pin, profile = choice.pin, choice.profile
        if request.pin is not None and pin.until - now < _LEAST_LEFT * timedelta(seconds=pin.seconds):
            raise UserError(
                f"This launch was meant to last until {pin.until:%Y-%m-%d %H:%M} UTC, and less than half of "
                "that time is left; ask for it again."
            )
        left = ""
        if request.pin is None:  # later, what is claimed for this launch itself would count against it
            hours = request.count * pin.seconds / 3600
            left = await self._requesters.allowance(request.requester, request.count, hours, now)
        step = step_of(request, choice)
        machines = self._machines(pin.cloud, pin.region)
        ssh = request.ssh and bool(step.keys)
        ahead = await forecast(
            machines, spec_of(step, choice.template, machines.backstop), cloud=pin.cloud, ssh=ssh
        )
        lifetime = timedelta(seconds=pin.seconds)
        reasons = reasons_to_ask(request.count, lifetime, pin.profile, profile)
        price = self._prices.of(
            pin.cloud, machines.region, pin.instance_type or choice.template.instance_type
        )
        cost = "" if price is None else self._prices.in_words(price, request.count, lifetime)
        return draft_of(
            request.model_copy(update={"pin": pin}),
            choice,
            step,
            machines=machines,
            recorded=await self._evidence(choice.image),
            ahead=ahead,
            more=(("Cost", cost), ("Left", left)),
            needs_approval=" ".join(reasons),
            now=now,
            prefix=self._prefix,
        )

    async def _chosen(self, request: Launch, now: datetime) -> LaunchChoice:
        """What is asked for first, resolved."""
        if request.profile is not None:
            self._profile(request.profile)
            self._check_may_use(request, request.profile)
        image = await find_image(self._places(request), request.image)
        name, template = await self._choose(request, image)
        profile = self._profiles[name]
        lifetime = lifetime_of(request.seconds, name, profile)
        start = now.replace(microsecond=0)
        region = region_of(request.region, name, profile)
        held = await self._keys(request, image.cloud, region)
        if held.notes and not held.fingerprints:
            raise UserError(
                f"No key of {request.requester} can be put in, so that nobody could log in: {held.notes[0]} Add "
                "`--no-ssh` if nobody has to.",
                hint="sshkeys",
            )
        pin = LaunchPin(
            image_id=image.id,
            profile=name,
            template_version=template.version,
            seconds=int(lifetime.total_seconds()),
            until=start + lifetime,
            cloud=image.cloud,
            region=region,
            instance_type=request.instance_type,
            ends_at=start + profile.cap,
            keys=held.fingerprints,
        )
        return LaunchChoice(pin, profile, image, template, held)

    async def _pinned(self, request: Launch, pin: LaunchPin) -> LaunchChoice:
        """The same once more, by what was found before."""
        profile = self._profile(pin.profile)
        self._check_may_use(request, pin.profile)
        check_override(pin.instance_type, pin.profile, profile)
        if profile.cloud != pin.cloud:
            raise UserError(
                f"Profile {pin.profile} launches in {profile.cloud} now, and this launch was planned for "
                f"{pin.cloud}; ask for it again."
            )
        image = await find_image([(pin.cloud, self._machines(pin.cloud, pin.region))], pin.image_id)
        template = await self._template(pin.profile, profile, pin.region, pin.template_version)
        template = await self._as_type(template, pin.instance_type, pin.cloud, pin.region)
        await self._check_architecture(image, pin.profile, template, request)
        return LaunchChoice(pin, profile, image, template, await self._same_keys(request, pin))

    async def _keys(self, request: Launch, cloud: str, region: str) -> Keys:
        """The keys of whoever asks that can be put in there; none where nobody is to log in."""
        if not request.ssh:
            return ChosenKeys()
        return taken_by(self._machines(cloud, region), await self._requesters.keys(request.requester))

    async def _same_keys(self, request: Launch, pin: LaunchPin) -> Keys:
        """The keys that the launch was planned with.

        Raises:
            UserError: one of them may not be used any more.
        """
        held = await self._keys(request, pin.cloud, pin.region)
        if request.ssh and held.fingerprints != pin.keys:
            why = f" {held.notes[0]}" if held.notes else ""
            raise UserError(
                f"The keys of {request.requester} are other ones than when this launch was planned; ask for it "
                f"again.{why}",
                hint="sshkeys",
            )
        return held

    def _profile(self, name: str) -> ProfileSettings:
        profile = self._profiles.get(name)
        if profile is None:
            raise UserError(
                f"There is no profile {name}; {_profile_names(self._profiles)}.",
                nearest=nearest(name, self._profiles),
                given=name,
                hint="profiles",
            )
        return profile

    def _machines(self, cloud: str, region: str) -> Machines:
        machines = self._clouds.get(MACHINES, cloud)
        return machines.at(region) if region else machines

    def _places(self, request: Launch) -> list[tuple[str, Machines]]:
        """Where to look for an image: where this profile launches, or each one in turn."""
        if request.profile is not None:
            profile = self._profile(request.profile)
            region = region_of(request.region, request.profile, profile)
            return [(profile.cloud, self._machines(profile.cloud, region))]
        own = {name: profile for name, profile in self._profiles.items() if self._may(request, profile)}
        places = dict.fromkeys(
            (profile.cloud, region_of(request.region, name, profile))
            for name, profile in own.items()
            if request.region is None or request.region in profile.regions
        )
        if not self._profiles or not self._clouds.all(MACHINES):
            only = self._clouds.only(MACHINES)
            return [(name, only) for name in self._clouds.all(MACHINES)]
        if not places:
            raise UserError(self._none_fits(request), hint="profiles")
        return [(cloud, self._machines(cloud, region)) for cloud, region in places]

    def _none_fits(self, request: Launch) -> str:
        if request.region is not None:
            return f"No profile that {request.requester} may use launches in {request.region}."
        return f"There is no profile that {request.requester} may use; whoever runs Slipway can change that."

    def _check_may_use(self, request: Launch, name: str) -> None:
        person = self._requesters.find(request.requester)
        check_may_use(person, request.requester, name, self._profiles)

    def _may(self, request: Launch, profile: ProfileSettings) -> bool:
        return may_use(self._requesters.find(request.requester), profile)

    async def _choose(self, request: Launch, image: MachineImage) -> tuple[str, Template]:
        if request.profile is not None:
            profile = self._profile(request.profile)
            check_override(request.instance_type, request.profile, profile)
            template = await self._resolved(request, request.profile, profile)
            await self._check_architecture(image, request.profile, template, request)
            return request.profile, template
        if not self._profiles:
            raise UserError("No profile is configured, so nothing can be launched; add one under [profiles].")
        for name, profile in self._profiles.items():
            if not self._could_take(request, profile, image):
                continue
            check_override(request.instance_type, name, profile)
            template = await self._resolved(request, name, profile)
            if _can_run(template, image):
                return name, template
        raise UserError(
            f"{image.name} is for {image.architecture}, and no profile has machines for that; "
            f"{_profile_names(self._profiles)}.",
            hint="profiles",
        )

    def _could_take(self, request: Launch, profile: ProfileSettings, image: MachineImage) -> bool:
        there = request.region is None or request.region in profile.regions
        return profile.cloud == image.cloud and there and self._may(request, profile)

    async def _resolved(self, request: Launch, name: str, profile: ProfileSettings) -> Template:
        region = region_of(request.region, name, profile)
        template = await self._template(name, profile, region)
        return await self._as_type(template, request.instance_type, profile.cloud, region)

    async def _template(
        self, name: str, profile: ProfileSettings, region: str, version: int | str | None = None
    ) -> Template:
        """The profile's launch template at this version, or else the one that the profile names."""
        machines = self._machines(profile.cloud, region)
        try:
            return await machines.template(profile.template_name(name), version or profile.template_version)
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            raise UserError(
                f"Profile {name} names the launch template {profile.template_name(name)}, which {machines.region} "
                f"does not have; whoever runs Slipway can correct [profiles.{name}]."
            ) from error

    async def _as_type(
        self, template: Template, instance_type: str | None, cloud: str, region: str
    ) -> Template:
        """The template with another machine type, where somebody chose one."""
        if instance_type is None:
            return template
        machines = self._machines(cloud, region)
        if not isinstance(machines, KnowsMachineTypes):
            raise UserError(f"{machines.title} does not tell of its machine types, so none can be chosen.")
        try:
            architectures = await machines.architectures(instance_type)
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            raise UserError(
                f"There is no machine type {instance_type} in {machines.region}.", hint="profiles"
            ) from error
        return template.as_type(instance_type, architectures)

    async def _check_architecture(
        self, image: MachineImage, name: str, template: Template, request: Launch
    ) -> None:
        if _can_run(template, image):
            return
        fitting = [
            other
            for other, profile in self._profiles.items()
            if other != name and await self._fits(other, profile, image, request)
        ]
        runs = " and ".join(template.architectures)
        raise UserError(
            f"{image.name} is for {image.architecture}, but profile {name} launches "
            f"{template.instance_type}, which runs {runs}"
            + (f"; use profile {fitting[0]}." if fitting else "; no profile fits."),
            nearest=tuple(fitting[:3]),
            given=name,
            hint="profiles",
        )

    async def _fits(self, name: str, profile: ProfileSettings, image: MachineImage, request: Launch) -> bool:
        """Whether a profile could run the image; one whose template is missing could not."""
        if not self._could_take(request, profile, image):
            return False
        machines = self._machines(profile.cloud, region_of(request.region, name, profile))
        try:
            template = await machines.template(profile.template_name(name), profile.template_version)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return False
            raise
        return _can_run(template, image)


def _profile_names(profiles: Mapping[str, ProfileSettings]) -> str:
    *most, last = profiles or ("none at all",)
    return f"there are {', '.join(most)} and {last}" if most else f"there is {last}"


def _can_run(template: Template, image: MachineImage) -> bool:
    """Whether the template's machines run the image; where the cloud does not say, they may."""
    return not template.architectures or image.architecture in template.architectures
