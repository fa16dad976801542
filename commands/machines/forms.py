"""The form for launching machines, for platforms that have forms, and the command line it makes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from functools import partial

from slipway.bot.chat.forms import CommandForm, Form, FormShortcut, Values
from slipway.bot.clouds.machine_model import MachineImage, Template
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.errors import CloudError, SlipwayError, UserError
from slipway.bot.operations.declarations import DeclaredForm
from slipway.bot.operations.services import Services
from slipway.bot.people import Person
from slipway.bot.subjects.machines.launching.terms import (
    check_count,
    check_override,
    lifetime_of,
    may_use,
    region_of,
)
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.commands.grammar.values import DURATION
from slipway.commands.machines.launch import COUNT
from slipway.commands.machines.launch_form import (
    COUNT_FIELD,
    DURATION_FIELD,
    IMAGE_FIELD,
    KEYS_FIELD,
    NAMED_FIELD,
    NO_KEYS,
    PROFILE_FIELD,
    REGION_FIELD,
    TYPE_FIELD,
    Offer,
    launch_form,
)

LAUNCH_SHORTCUT = FormShortcut(
    name="launch",
    title="Launch machines",
    description="Fill in a form to launch machines",
    message_title="Launch…",
    message_description="Launch machines from the image named here",
)

_OPTIONS = (
    ("--profile", PROFILE_FIELD),
    ("--region", REGION_FIELD),
    ("--type", TYPE_FIELD),
    ("--for", DURATION_FIELD),
    ("--count", COUNT_FIELD),
)

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.:-]*[A-Za-z0-9]", re.ASCII)  # no punctuation at either end


def launch_command_form(services: Services, person: Person) -> CommandForm:
    """The form for `launch`, with the profiles that this person may use."""
    machines = services.get(MachineServices)
    own = {name: each for name, each in machines.profiles.items() if may_use(person, each)}

    async def load(values: Values) -> Form:
        return launch_form(await _offer(machines, own, person, values), values)

    return CommandForm(
        name=LAUNCH_SHORTCUT.name,
        title=LAUNCH_SHORTCUT.title,
        submit="Launch",
        loading="Looking up the images…",
        unavailable="Nothing can be launched now",
        usage="launch IMAGE",
        load=load,
        line=launch_line,
        problems=partial(launch_problems, own),
        values_in=partial(launch_values_in, machines.could_be_image_id),
    )


def launch_line(values: Values) -> str:
    """The command line for a filled form, without a prefix."""
    words = ["launch", _image_of(values)]
    for option, field in _OPTIONS:
        if value := values.get(field):
            words += [option, value]
    if values.get(KEYS_FIELD) == NO_KEYS:
        words.append("--no-ssh")
    return shlex.join(words)


def launch_problems(profiles: Mapping[str, ProfileSettings], values: Values) -> Mapping[str, str]:
    """What is wrong with a filled form, by field, as far as it shows without asking a cloud.

    So that it can be mended where it was typed. The command itself asks all of it again.

    Args:
        profiles: those that the person may use.
        values: what was filled in.
    """
    problems = {} if _image_of(values) else {NAMED_FIELD: "Choose an image, or name one."}
    problems |= _number_problems(values)
    name = values.get(PROFILE_FIELD, "")
    profile = profiles.get(name)
    if profile is None:
        return problems | {PROFILE_FIELD: "Choose a profile that you may use."}
    for field, check in _CHECKS.items():
        try:
            check(values.get(field), name, profile)
        except (ValueError, UserError) as error:
            problems[field] = str(error)
    return problems


def launch_values_in(could_be_image_id: Callable[[str], object], text: str) -> Values:
    """The first image that a text names by its id, to begin the form with."""
    found = next((word for word in _WORD.findall(text) if could_be_image_id(word)), None)
    return {} if found is None else {NAMED_FIELD: found}


def _check_duration(duration: str | None, name: str, profile: ProfileSettings) -> None:
    seconds = int(DURATION.read(duration).total_seconds()) if duration else None
    lifetime_of(seconds, name, profile)


_CHECKS: Mapping[str, Callable[[str | None, str, ProfileSettings], object]] = {
    REGION_FIELD: region_of,
    TYPE_FIELD: check_override,
    DURATION_FIELD: _check_duration,
}


def _number_problems(values: Values) -> dict[str, str]:
    try:
        check_count(COUNT.read(values[COUNT_FIELD]) if COUNT_FIELD in values else 1)
    except (ValueError, UserError) as error:
        return {COUNT_FIELD: str(error)}
    return {}


async def _offer(
    machines: MachineServices, own: Mapping[str, ProfileSettings], person: Person, values: Values
) -> Offer:
    """What can be launched by the profile that was chosen, or else by the first.

    Raises:
        UserError: nothing can be launched here, or not by this person.
    """
    if not machines.profiles:
        raise UserError("No profile is configured, so nothing can be launched; add one under [profiles].")
    if not own:
        raise UserError("There is no profile that you may use; whoever runs Slipway can change that.")
    name = _profile_of(machines, own, values)
    profile = own[name]
    wanted = values.get(REGION_FIELD, "")
    region = wanted if wanted in profile.regions else region_of(None, name, profile)
    account = machines.clouds.get(MACHINES, profile.cloud)
    held = await machines.keys.stored.of(person.id)
    titles = {each.cloud: machines.clouds.get(MACHINES, each.cloud).title for each in own.values()}
    images: tuple[MachineImage, ...] = ()
    notes: tuple[str, ...] = ()
    try:
        images = await _images(account.at(region) if region else account, name, profile)
    except SlipwayError as error:  # the other profiles are there all the same
        words = error.words if isinstance(error, CloudError) else str(error)
        notes = (f"⚠ The images for profile {name} could not be looked up; name one. {words}",)
    return Offer(own, name, region, titles, images, tuple(each.source for each in held), notes)


def _profile_of(machines: MachineServices, own: Mapping[str, ProfileSettings], values: Values) -> str:
    """The chosen profile; before there is one, the first in whose cloud the image can be that was named."""
    chosen, named = values.get(PROFILE_FIELD, ""), values.get(NAMED_FIELD, "")
    if chosen in own:
        return chosen

    def may_have_it(profile: ProfileSettings) -> bool:
        return machines.clouds.get(MACHINES, profile.cloud).could_be_image_id(named)

    return next((name for name, profile in own.items() if may_have_it(profile)), next(iter(own)))


async def _images(machines: Machines, name: str, profile: ProfileSettings) -> tuple[MachineImage, ...]:
    """The images that machines of this profile can run, the newest first.

    Raises:
        UserError: the configuration does not fit the account.
        CloudError: template or images cannot be read.
    """
    template = await machines.template(profile.template_name(name), profile.template_version)
    found = (each for each in await machines.images() if _offered(each, template))
    return tuple(sorted(found, key=lambda each: (str(each.created_at), each.name), reverse=True))


def _offered(image: MachineImage, template: Template) -> bool:
    fits = not template.architectures or image.architecture in template.architectures
    return image.launchable and bool(image.name) and fits


def _image_of(values: Values) -> str:
    return values.get(NAMED_FIELD) or values.get(IMAGE_FIELD) or ""


PARTS = (DeclaredForm(LAUNCH_SHORTCUT, launch_command_form),)
