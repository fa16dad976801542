"""Planning boot tests: which images, by which profile each, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.ports.image_candidates import ImageCandidates, VersionName
from slipway.bot.clouds.ports.machines import Machines
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft, Step
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.machines.doubts import machines_at
from slipway.bot.subjects.machines.launching.images import NoSuchImageError, find_image
from slipway.bot.subjects.machines.launching.planner import LaunchPlanner
from slipway.bot.subjects.machines.launching.terms import region_of
from slipway.bot.subjects.machines.requests import Launch, LaunchPin
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines
from slipway.bot.subjects.machines.testing.requests import BootTest, TestPin
from slipway.bot.subjects.machines.testing.settings import TestingSettings
from slipway.bot.subjects.machines.testing.steps import EndTest, LaunchForTest, WatchBoot

_MOST_OFFERED = 3

_LEFT_OUT = frozenset({"Lease", "Whole life", "Left", "State", "Created", "Cost"})
"""What a launch shows that a test has otherwise, or that says nothing about it."""


@dataclass(frozen=True)
class TestTerms:
    """By what tests run.

    Attributes:
        settings: ``[testing]``.
        profiles: ``[profiles]`` of the configuration.
        launches: makes what plans launches by some of these.
        candidates: gives what finds versions.
    """

    __test__ = False  # pytest: it is no test

    settings: TestingSettings
    profiles: Mapping[str, ProfileSettings]
    launches: Callable[[Mapping[str, ProfileSettings]], LaunchPlanner]
    candidates: Callable[[], ImageCandidates]

    @property
    def log_in(self) -> bool:
        """Whether somebody has to be able to log in."""
        return self.settings.ssh_key is not None


@dataclass(frozen=True)
class _Planned:
    """One test: what was asked for, and its launch."""

    pin: TestPin
    launch: Draft[Launch]

    @property
    def step(self) -> LaunchMachines:
        """What is launched."""
        return cast("LaunchMachines", self.launch.steps[0])

    @property
    def version(self) -> VersionName | None:
        """What a result is recorded about."""
        return (
            VersionName(self.pin.launch.cloud, self.pin.definition, self.pin.version)
            if self.pin.definition
            else None
        )

    def steps(self, first: int, seconds: int) -> tuple[Step, ...]:
        """The three steps of it, the first of which has this number."""
        step = self.step
        common = {"cloud": step.cloud, "region": step.region, "image_name": step.image_name}
        launch = LaunchForTest(
            **common,
            image_id=step.image_id,
            template_id=step.template_id,
            template_name=step.template_name,
            template_version=step.template_version,
            profile=step.profile,
            requester=step.requester,
            seconds=seconds,
            login=step.login,
            keys=step.keys,
        )
        watch = WatchBoot(
            **common,
            launch=first,
            seconds=seconds,
            login=step.login,
            log_in=bool(step.keys),
            definition=self.pin.definition,
            version=self.pin.version,
        )
        return launch, watch, EndTest(**common, launch=first)


class BootTestPlanner:
    """Plans :class:`.requests.BootTest`.

    Args:
        clouds: profiles say where in them to launch.
        terms: by what tests run.
    """

    def __init__(self, clouds: Clouds, terms: TestTerms) -> None:
        self._clouds = clouds
        self._terms = terms

    async def plan(self, request: BootTest, now: datetime) -> Draft[BootTest]:
        """Plan three steps for each test. They are independent: what fails leaves the end of a machine to be seen to.

        Raises:
            UserError: no profile is named for this, the image is none, none of the profiles can run it, or a limit is
                reached.
            CloudError: a cloud cannot be read, or would refuse the launch.
        """
        self._profiles()
        if request.pins is not None:
            return self._draft(request, [await self._again(request, pin, now) for pin in request.pins], ())
        if request.due:
            return await self._due(request, now)
        names = await self._terms.candidates().named(request.image)
        if not names:
            return self._draft(request, [await self._other_image(request, now)], ())
        planned, lacking = await self._versions(request, names, now)
        if not planned:
            raise lacking[0]
        return self._draft(request, planned, [error.sentence for error in lacking])

    async def _other_image(self, request: BootTest, now: datetime) -> _Planned:
        """A test of an image that no definition is called like.

        Raises:
            UserError: nothing is called so, with the nearest definitions first.
        """
        try:
            return await self._image(request, request.image, now)
        except NoSuchImageError as error:
            near = await self._terms.candidates().nearest(request.image)
            if not near:
                raise
            both = tuple(dict.fromkeys((*near, *error.nearest)))[:_MOST_OFFERED]
            raise UserError(error.sentence, nearest=both, given=request.image, hint="images") from error

    async def _due(self, request: BootTest, now: datetime) -> Draft[BootTest]:
        """So many as are tested at once, of those that can be."""
        most = self._terms.settings.at_once
        clouds = {profile.cloud for profile in self._profiles().values()}
        names = [each for each in await self._terms.candidates().untested() if each.cloud in clouds]
        planned: list[_Planned] = []
        lacking: list[UserError] = []
        looked = 0
        for name in names:
            if len(planned) == most:
                break
            more, why = await self._versions(request, [name], now)
            planned += more
            lacking += why
            looked += 1
        later = len(names) - looked
        notes = [f"Left out: {error.sentence}" for error in lacking]
        if later:
            one = later == 1
            notes.append(f"{later} more candidate{' waits' if one else 's wait'} for the next time.")
        if not planned:
            words = " ".join(("No candidate lacks a boot test that can be made.", *notes))
            return Draft(request.model_copy(update={"pins": ()}), words, (), {})
        return self._draft(request, planned, notes)

    async def _versions(
        self, request: BootTest, names: Sequence[VersionName], now: datetime
    ) -> tuple[list[_Planned], list[UserError]]:
        """A test of each version, and why there is none of others."""
        planned: list[_Planned] = []
        lacking: list[UserError] = []
        for name in names:
            try:
                image = await self._image_of(name)
                planned.append(await self._image(request, image.id, now, cloud=name.cloud))
            except UserError as error:
                lacking.append(error)
        return planned, lacking

    async def _image_of(self, name: VersionName) -> MachineImage:
        """The image of a version, where the first profile of its cloud launches."""
        profiles = self._profiles(name.cloud)
        first, profile = next(iter(profiles.items()))
        machines = machines_at(self._clouds, name.cloud, region_of(None, first, profile))
        if machines.could_be_image_id(str(name)):
            return await find_image([(name.cloud, machines)], str(name))
        known = await self._terms.candidates().image_id(name, machines.region)
        if known is not None:
            try:
                return await find_image([(name.cloud, machines)], known)
            except NoSuchImageError as error:
                raise UserError(
                    f"{known}, which is {name} in {machines.region}, belongs to none of the `owners` of the table "
                    f"[{name.cloud}] in slipway.toml, so no machine is launched from it.",
                    hint=f"images {name}",
                ) from error
        raise UserError(f"There is no image of {name} in {machines.region}, where profile {first} launches.")

    async def _image(
        self, request: BootTest, image: str, now: datetime, cloud: str | None = None
    ) -> _Planned:
        """A test of an image, as launches name it."""
        wanted = Launch(
            image=image,
            seconds=int(self._terms.settings.limit.total_seconds()),
            requester=request.requester,
            ssh=self._terms.log_in,
        )
        launch = await self._terms.launches(self._profiles(cloud)).plan(wanted, now)
        pin = launch.request.pin
        assert pin is not None, "a planner pins what it plans"  # noqa: S101
        machines = self._machines(pin)
        version = await self._terms.candidates().version_of(await machines.image(pin.image_id))
        test = (
            TestPin(launch=pin)
            if version is None
            else TestPin(launch=pin, definition=version.definition, version=version.version)
        )
        return _Planned(test, launch)

    async def _again(self, request: BootTest, pin: TestPin, now: datetime) -> _Planned:
        """The same test once more, with its time from now on."""
        launch = pin.launch.model_copy(update={"until": now + timedelta(seconds=pin.launch.seconds)})
        wanted = Launch(
            image=launch.image_id,
            profile=launch.profile,
            seconds=launch.seconds,
            requester=request.requester,
            ssh=self._terms.log_in,
            pin=launch,
        )
        return _Planned(pin, await self._terms.launches(self._profiles(launch.cloud)).plan(wanted, now))

    def _machines(self, pin: LaunchPin) -> Machines:
        return machines_at(self._clouds, pin.cloud, pin.region)

    def _profiles(self, cloud: str | None = None) -> dict[str, ProfileSettings]:
        """The profiles that test, all or of one cloud, in their order.

        Raises:
            UserError: there is none, or one that is named is not there.
        """
        named = self._terms.settings.profiles
        if not named:
            raise UserError(
                "No profile is named to test images by; whoever runs Slipway can name some in [testing] of "
                "slipway.toml."
            )
        if missing := [each for each in named if each not in self._terms.profiles]:
            raise UserError(
                f"testing.profiles names {missing[0]}, and there is no such profile; whoever runs Slipway can "
                "correct it.",
                hint="profiles",
            )
        found = {name: self._terms.profiles[name] for name in named}
        here = {name: profile for name, profile in found.items() if cloud in (None, profile.cloud)}
        if not here:
            raise UserError(
                f"No profile in testing.profiles launches in {cloud}, so nothing there can be tested; whoever runs "
                "Slipway can name one."
            )
        return here

    def _draft(self, request: BootTest, planned: Sequence[_Planned], notes: Sequence[str]) -> Draft[BootTest]:
        steps: list[Step] = []
        observed: dict[str, Json] = {}
        warnings: list[str] = []
        for each in planned:
            steps += each.steps(len(steps) + 1, each.pin.launch.seconds)
            observed |= each.launch.observed
            warnings += each.launch.warnings
            if each.version is None:
                warnings.append(f"{each.step.image_name} is in no gallery, so nothing is recorded about it.")
        reasons = dict.fromkeys(filter(None, (each.launch.needs_approval for each in planned)))
        return Draft(
            request=request.model_copy(update={"pins": tuple(each.pin for each in planned)}),
            summary=_summary(planned),
            steps=tuple(steps),
            observed=observed,
            evidence=self._evidence(planned),
            warnings=(*dict.fromkeys(warnings), *notes),
            independent=True,
            needs_approval=" ".join(reasons),
        )

    def _evidence(self, planned: Sequence[_Planned]) -> tuple[tuple[str, str], ...]:
        limit = format_duration(self._terms.settings.limit)
        if len(planned) == 1:
            shown = tuple(row for row in planned[0].launch.evidence if row[0] not in _LEFT_OUT)
            return (*shown, ("Time", f"{limit} to come up"))
        rows = tuple((each.step.image_name, _by(each)) for each in planned)
        return (*rows, ("Time", f"{limit} each to come up, one after the other"))


def _by(planned: _Planned) -> str:
    where = dict(planned.launch.evidence).get("Where", planned.step.cloud)
    return f"profile {planned.step.profile}, {where}"


def _summary(planned: Sequence[_Planned]) -> str:
    names = [each.step.image_name for each in planned]
    if len(names) == 1:
        return f"{names[0]} came up in a boot test, whose machine is ended."
    return f"{len(names)} images came up in boot tests, whose machines are ended."
