"""Makes the plan of a launch of what was found: its step, what is shown, what it rests on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.clouds.machine_model import Backstop, LaunchSpec, MachineImage, Template
from slipway.bot.clouds.ports.machines import Machines
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.times import format_date, format_duration
from slipway.bot.subjects.machines.launching.keys import Keys
from slipway.bot.subjects.machines.launching.preflight import Forecast
from slipway.bot.subjects.machines.launching.user_data import (
    Part,
    forgets_default_user,
    keys_part,
    merged,
    timer_part,
)
from slipway.bot.subjects.machines.requests import Launch, LaunchPin
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines
from slipway.bot.subjects.machines.tags import launch_tags

_SHOWN_KEYS = 5


@dataclass(frozen=True)
class LaunchChoice:
    """What a launch was resolved to, and what was looked at for that."""

    pin: LaunchPin
    profile: ProfileSettings
    image: MachineImage
    template: Template
    keys: Keys


def step_of(request: Launch, choice: LaunchChoice) -> LaunchMachines:
    """The one step of a launch."""
    pin, image, template = choice.pin, choice.image, choice.template
    return LaunchMachines(
        image_id=image.id,
        image_name=image.called,
        template_id=template.id,
        template_name=template.name,
        template_version=template.version,
        count=request.count,
        until=pin.until,
        requester=request.requester,
        tags=launch_tags(owner=request.requester, profile=pin.profile, image_id=image.id, until=pin.until),
        cloud=pin.cloud,
        region=pin.region,
        profile=pin.profile,
        instance_type=pin.instance_type,
        login=choice.profile.login,
        keys=choice.keys.lines,
        ends_at=pin.ends_at,
    )


def spec_of(step: LaunchMachines, template: Template, backstop: Backstop) -> LaunchSpec:
    """What is asked of the cloud: the same for the same step, as one token demands.

    Raises:
        UserError: the template's user data cannot be read, or is too long with what is added.
    """
    parts: list[Part] = []
    if step.keys:
        parts.append(keys_part(step.keys))
    if step.ends_at is not None and backstop is Backstop.GUEST_TIMER:
        parts.append(timer_part(step.ends_at))
    return LaunchSpec(
        template_id=step.template_id,
        template_version=step.template_version,
        image_id=step.image_id,
        count=step.count,
        tags=step.tags,
        instance_type=step.instance_type,
        user_data=merged(template.user_data, parts) if parts else None,
        login=step.login,
        keys=step.keys,
        ends_at=step.ends_at,
    )


def draft_of(
    request: Launch,
    choice: LaunchChoice,
    step: LaunchMachines,
    *,
    machines: Machines,
    recorded: tuple[str, ...],
    ahead: Forecast,
    more: tuple[tuple[str, str], ...],
    needs_approval: str,
    now: datetime,
    prefix: str,
) -> Draft[Launch]:
    """The plan. ``recorded`` is what speaks for or against the image; of ``more``, what is empty is left out."""
    pin, image, template = choice.pin, choice.image, choice.template
    running = "1 machine runs" if request.count == 1 else f"{request.count} machines run"
    shown = (
        ("Image", image.words),
        ("Architecture", image.architecture),
        ("Created", format_date(image.created_at)),
        ("State", _state(image)),
        ("Evidence", "; ".join(recorded) or "none recorded"),
        ("Profile", pin.profile),
        ("Template", template.words),
        ("Machine type", template.instance_type or "as the template says"),
        ("Template fixes", "; ".join(f"{name.lower()} {value}" for name, value in template.fixed)),
        ("Where", f"{machines.title}, {machines.region}"),
        ("Lease", format_duration(timedelta(seconds=pin.seconds))),
        ("Whole life", _whole_life(pin, _backstop(choice, machines))),
        ("Keys", _keys(request, choice.keys)),
        *ahead.evidence,
        *more,
    )
    return Draft(
        request=request,
        summary=f"{running} {image.called} until {pin.until:%Y-%m-%d %H:%M} UTC.",
        steps=(step,),
        observed={**_observed(image, template), **ahead.observed},
        evidence=tuple((name, value) for name, value in shown if value),
        warnings=(*_warnings(request, choice, machines, now, prefix), *ahead.warnings),
        needs_approval=needs_approval,
    )


def _state(image: MachineImage) -> str:
    """What the cloud says of it, and until when it is kept up."""
    ends = f", deprecated from {format_date(image.deprecated_at)}" if image.deprecated_at is not None else ""
    return f"{image.state}{ends}"


def _backstop(choice: LaunchChoice, machines: Machines) -> Backstop:
    """What ends the machines where Slipway is gone: the template's own, or what the account has for all."""
    return choice.template.backstop or machines.backstop


def _whole_life(pin: LaunchPin, backstop: Backstop) -> str:
    if pin.ends_at is None:
        return ""
    how = {
        Backstop.GUEST_TIMER: "then a timer in the machine ends it",
        Backstop.CLOUD_SCHEDULE: "a schedule of the cloud stops it every day at that hour",
        Backstop.NONE: "no backstop",
    }[backstop]
    return f"at most until {pin.ends_at:%Y-%m-%d %H:%M} UTC; {how}"


def _keys(request: Launch, keys: Keys) -> str:
    if not request.ssh:
        return "none, nobody is to log in"
    if not keys.fingerprints:
        return ""
    more = len(keys.fingerprints) - _SHOWN_KEYS
    return ", ".join(keys.fingerprints[:_SHOWN_KEYS]) + (f" and {more} more" if more > 0 else "")


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


def _warnings(
    request: Launch, choice: LaunchChoice, machines: Machines, now: datetime, prefix: str
) -> tuple[str, ...]:
    image, keys = choice.image, choice.keys
    found = [*keys.notes]
    if image.deprecated_at is not None and image.deprecated_at <= now:
        found.append(f"{image.name} is deprecated since {format_date(image.deprecated_at)}.")
    if request.ssh and not keys.fingerprints:
        found.append(
            f"No key of {request.requester} is put in: only whom the template lets in can log in. "
            f"`{prefix}sshkey add` adds one."
        )
    elif request.ssh and forgets_default_user(choice.template.user_data):
        found.append(
            f"The template makes users of its own, and not {choice.profile.login}, whom your keys are for."
        )
    if choice.pin.ends_at is not None and _backstop(choice, machines) is Backstop.NONE:
        found.append("While Slipway itself does not run, nothing ends these machines: there is no backstop.")
    return tuple(found)
