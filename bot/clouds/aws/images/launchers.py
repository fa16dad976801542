"""What launches machines by itself, read from answers: Auto Scaling groups, launch configurations, fleets and spot
requests.

Sources: Amazon EC2 Auto Scaling API Reference, AutoScalingGroup, LaunchTemplateOverrides, InstanceRefresh and
LaunchConfiguration; Amazon EC2 API Reference, FleetData, FleetLaunchTemplateOverrides, SpotFleetRequestConfigData and
SpotInstanceRequest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.responses import Response, read_list, read_optional_text, read_text

DEFAULT, LATEST = "$Default", "$Latest"
"""The versions of a launch template that are found anew at each launch."""

_REFRESHING = frozenset({"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"})
"""The states of an instance refresh that has not ended: what it is to bring about is in the group afterwards, or
nowhere."""

_LAUNCHING = frozenset({"submitted", "active", "modifying"})
"""The states of a fleet that launches machines. All others have ended: machines that are left of them stand among
machines."""

_WAITING = frozenset({"open"})
"""The state of a spot request that launches a machine as soon as there is one to be had."""

_AGAIN = frozenset({"open", "active", "disabled"})
"""The states in which a persistent one launches another machine once its own has ended, or is started again. Source:
Amazon EC2 User Guide, "Spot Instance request status"."""


@dataclass(frozen=True, slots=True, order=True)
class TemplateVersion:
    """A version of a launch template, as something names it.

    Attributes:
        template: the template's id, or its name.
        version: a number, ``$Default`` or ``$Latest``.
        by_id: whether ``template`` is its id.
    """

    template: str
    version: str
    by_id: bool


@dataclass(frozen=True, slots=True)
class Launcher:
    """Something that launches machines by itself.

    Attributes:
        by: what it is, as the end of "in use by", such as ``Auto Scaling group web``.
        images: what it names itself: ids of images, or ``resolve:ssm:`` and a parameter.
        templates: the versions of launch templates that it launches.
    """

    by: str
    images: tuple[str, ...] = ()
    templates: tuple[TemplateVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group.

    Attributes:
        name: its name.
        launches: what it launches.
        populated: whether it has machines; only then an instance refresh can be under way.
    """

    name: str
    launches: Launcher
    populated: bool


def read_groups(page: Response) -> list[Group]:
    """A page of DescribeAutoScalingGroups."""
    return [
        Group(name, _launched(f"Auto Scaling group {name}", each), bool(_optional(each, "Instances")))
        for each in read_list(page, "AutoScalingGroups")
        if (name := read_text(each, "AutoScalingGroupName"))
    ]


def read_refreshes(page: Response) -> list[Launcher]:
    """What instance refreshes that have not ended make of a group, by a page of DescribeInstanceRefreshes."""
    return [
        _launched(
            f"an instance refresh of Auto Scaling group {read_text(each, 'AutoScalingGroupName')}", wanted
        )
        for each in read_list(page, "InstanceRefreshes")
        if read_text(each, "Status") in _REFRESHING
        and (wanted := _structure(each, "DesiredConfiguration")) is not None
    ]


def read_configurations(page: Response) -> list[Launcher]:
    """A page of DescribeLaunchConfigurations. Each counts, whether or not a group has it at present."""
    return [
        Launcher(
            f"launch configuration {read_text(each, 'LaunchConfigurationName')}",
            (read_text(each, "ImageId"),),
        )
        for each in read_list(page, "LaunchConfigurations")
    ]


def read_fleets(page: Response) -> list[Launcher]:
    """Those of a page of DescribeFleets that launch machines."""
    return [
        _configured(f"EC2 fleet {read_text(each, 'FleetId')}", each)
        for each in read_list(page, "Fleets")
        if read_text(each, "FleetState") in _LAUNCHING
    ]


def read_spot_fleets(page: Response) -> list[Launcher]:
    """Those of a page of DescribeSpotFleetRequests that launch machines."""
    found: list[Launcher] = []
    for each in read_list(page, "SpotFleetRequestConfigs"):
        if read_text(each, "SpotFleetRequestState") not in _LAUNCHING:
            continue
        wanted = _structure(each, "SpotFleetRequestConfig")
        if wanted is None:
            raise UnexpectedResponseError("SpotFleetRequestConfig")
        found.append(_configured(f"spot fleet {read_text(each, 'SpotFleetRequestId')}", wanted))
    return found


def read_spot_requests(page: Response) -> list[Launcher]:
    """Those of a page of DescribeSpotInstanceRequests that launch a machine yet. It shows a launch template's
    parameters as they were when it was made, in place of the template."""
    found: list[Launcher] = []
    for each in read_list(page, "SpotInstanceRequests"):
        lasts = read_optional_text(each, "Type") == "persistent"
        if read_text(each, "State") not in (_AGAIN if lasts else _WAITING):
            continue
        wanted = _structure(each, "LaunchSpecification")
        if wanted is None:
            raise UnexpectedResponseError("LaunchSpecification")
        by = f"spot request {read_text(each, 'SpotInstanceRequestId')}"
        found.append(_launcher(by, _images([wanted]), ()))
    return found


def _launched(by: str, wanted: Response) -> Launcher:
    """By a group, or by what a refresh makes of one: a template, or a policy of mixed instances whose overrides may
    name templates and images of their own."""
    templates = [*_named(_structure(wanted, "LaunchTemplate"))]
    images: list[str] = []
    mixed = _structure(_structure(wanted, "MixedInstancesPolicy") or {}, "LaunchTemplate")
    if mixed is not None:
        overrides = _optional(mixed, "Overrides")
        for each in (mixed, *overrides):
            templates += _named(_structure(each, "LaunchTemplateSpecification"))
        images += _images(overrides)
    return _launcher(by, images, templates)


def _configured(by: str, wanted: Response) -> Launcher:
    """By a fleet: templates whose overrides may name images, or, for a spot fleet, specifications without one."""
    images = [*_images(_optional(wanted, "LaunchSpecifications"))]
    templates: list[TemplateVersion] = []
    for each in _optional(wanted, "LaunchTemplateConfigs"):
        templates += _named(_structure(each, "LaunchTemplateSpecification"))
        images += _images(_optional(each, "Overrides"))
    return _launcher(by, images, templates)


def _launcher(by: str, images: Iterable[str], templates: Iterable[TemplateVersion]) -> Launcher:
    return Launcher(by, tuple(dict.fromkeys(images)), tuple(dict.fromkeys(templates)))


def _images(several: Iterable[Response]) -> Iterator[str]:
    for each in several:
        if (image := read_optional_text(each, "ImageId")) is not None:
            yield image


def _named(specification: Response | None) -> Iterator[TemplateVersion]:
    """The version that a specification names; the default one where it names none."""
    if specification is None:
        return
    template = read_optional_text(specification, "LaunchTemplateId")
    version = read_optional_text(specification, "Version") or DEFAULT
    if template is not None:
        yield TemplateVersion(template, version, by_id=True)
    else:
        yield TemplateVersion(read_text(specification, "LaunchTemplateName"), version, by_id=False)


def _optional(response: Response, name: str) -> list[Response]:
    return read_list(response, name) if response.get(name) else []


def _structure(response: Response, name: str) -> Response | None:
    """A part that may be missing.

    Raises:
        UnexpectedResponseError: it is something else.
    """
    found = response.get(name)
    if not found:
        return None
    if not isinstance(found, Mapping):
        raise UnexpectedResponseError(name)
    return found
