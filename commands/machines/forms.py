"""The form for launching machines, for platforms that have forms, and the command line it makes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from slipway.bot.chat.forms import CommandForm, FieldKind, Form, FormField, FormOption, FormShortcut, Values
from slipway.bot.core.errors import UserError
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import DeclaredForm
from slipway.bot.operations.services import Services
from slipway.bot.subjects.machines.launching.terms import MOST_AT_ONCE, check_count, lifetime_of
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.commands.grammar.values import DURATION
from slipway.commands.machines.launch import COUNT

MOST_IMAGES = 100
"""How many images are offered, the newest first; others can be named."""

LAUNCH_SHORTCUT = FormShortcut(
    name="launch",
    title="Launch machines",
    description="Fill in a form to launch machines",
    message_title="Launch…",
    message_description="Launch machines from the image named here",
)

# The form's fields; `named` is an image that is not offered.
_IMAGE, _NAMED, _PROFILE, _DURATION, _COUNT = "image", "named", "profile", "duration", "count"

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.:-]*[A-Za-z0-9]", re.ASCII)  # no punctuation at either end


def launch_command_form(services: Services) -> CommandForm:
    """The form for `launch`."""

    machines = services.get(MachineServices)

    async def load(values: Values) -> Form:
        return launch_form(await _image_names(machines), machines.profiles, values)

    return CommandForm(
        name=LAUNCH_SHORTCUT.name,
        title=LAUNCH_SHORTCUT.title,
        submit="Launch",
        loading="Looking up the images…",
        unavailable="Nothing can be launched now",
        usage="launch IMAGE",
        load=load,
        line=launch_line,
        problems=partial(launch_problems, machines.profiles),
        values_in=partial(launch_values_in, machines.could_be_image_id),
    )


def launch_form(
    images: Sequence[str], profiles: Mapping[str, ProfileSettings], values: Values | None = None
) -> Form:
    """The form that offers these images and profiles.

    Args:
        images: names of images, the newest first.
        profiles: the configured profiles, by name.
        values: what to begin with.
    """
    begin = values or {}
    fields = []
    if images:
        offered = tuple(FormOption(name, name) for name in images[:MOST_IMAGES])
        fields.append(FormField(_IMAGE, "Image", FieldKind.CHOICE, offered, placeholder="The newest first"))
    fields.append(FormField(_NAMED, _named_label(images), initial=begin.get(_NAMED, "")))
    if profiles:
        offered = tuple(_profile_choice(name, profile) for name, profile in profiles.items())
        fields.append(FormField(_PROFILE, "Profile", FieldKind.CHOICE, offered))
    fields.append(FormField(_DURATION, "For how long", placeholder="90m, 2h30m or 3d", longest=20))
    fields.append(FormField(_COUNT, "How many", FieldKind.NUMBER, most=MOST_AT_ONCE))
    return Form(tuple(fields))


def launch_line(values: Values) -> str:
    """The command line for a filled form, without a prefix."""
    words = ["launch", _image_of(values)]
    for option, field in (("--profile", _PROFILE), ("--for", _DURATION), ("--count", _COUNT)):
        if value := values.get(field):
            words += [option, value]
    return shlex.join(words)


def launch_problems(profiles: Mapping[str, ProfileSettings], values: Values) -> Mapping[str, str]:
    """What is wrong with a filled form, by field, as far as it shows without asking a cloud.

    So that it can be mended where it was typed. The command itself asks all of it again.
    """
    name, duration, count = (values.get(field, "") for field in (_PROFILE, _DURATION, _COUNT))
    profile = profiles.get(name)
    problems: dict[str, str] = {}
    if not _image_of(values):
        problems[_NAMED] = "Choose an image, or name one."
    try:
        lifetime = DURATION.read(duration) if duration else None
        if profile is not None:
            lifetime_of(_seconds(lifetime), name, profile)
    except (ValueError, UserError) as error:
        problems[_DURATION] = str(error)
    try:
        number = COUNT.read(count) if count else 1
        check_count(number)
    except (ValueError, UserError) as error:
        problems[_COUNT] = str(error)
    return problems


def launch_values_in(could_be_image_id: Callable[[str], object], text: str) -> Values:
    """The first image that a text names by its id, to begin the form with."""
    found = next((word for word in _WORD.findall(text) if could_be_image_id(word)), None)
    return {} if found is None else {_NAMED: found}


async def _image_names(machines: MachineServices) -> tuple[str, ...]:
    """Names of the images that can be launched, the newest first.

    Raises:
        UserError: no machines can be launched here.
        CloudError: the images cannot be listed.
    """
    images = sorted(
        await machines.images(),
        key=lambda each: (str(each.created_at), each.name),
        reverse=True,
    )
    return tuple(dict.fromkeys(each.name for each in images if each.launchable and each.name))


def _image_of(values: Values) -> str:
    return values.get(_NAMED) or values.get(_IMAGE) or ""


def _named_label(images: Sequence[str]) -> str:
    return "Or another image, by name or id" if images else "Image, by name or id"


def _profile_choice(name: str, profile: ProfileSettings) -> FormOption:
    limits = (
        f"up to {profile.max_count}, for {format_duration(profile.default_for)}, "
        f"at most {format_duration(profile.max_for)}"
    )
    return FormOption(name, name, f"{profile.description or 'machines'}: {limits}")


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


PARTS = (DeclaredForm(LAUNCH_SHORTCUT, launch_command_form),)
