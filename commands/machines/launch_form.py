"""The fields of the form for launching machines, of what there is to offer. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slipway.bot.chat.forms import FieldKind, Form, FormField, FormOption, Values
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.core.times import format_date, format_duration
from slipway.bot.subjects.machines.launching.terms import MOST_AT_ONCE, lifetime_of
from slipway.bot.subjects.machines.settings import Override, ProfileSettings

MOST_IMAGES = 100
"""How many images are offered, the newest first; others can be named."""

IMAGE_FIELD = "image"
NAMED_FIELD = "named"
"""An image that is not offered."""

PROFILE_FIELD = "profile"
REGION_FIELD = "region"
TYPE_FIELD = "type"
DURATION_FIELD = "duration"
COUNT_FIELD = "count"
KEYS_FIELD = "keys"

OWN_KEYS = "own"
NO_KEYS = "none"
"""The choices of the field for keys."""


@dataclass(frozen=True)
class Offer:
    """What a person can launch by the profile that is chosen.

    Attributes:
        profiles: those that they may use, by name.
        profile: the name of the chosen one.
        region: where it launches; empty for the account's own region.
        clouds: what people call the accounts of the profiles, by the account's name.
        images: what machines of that profile can run, the newest first.
        key_sources: where each of the person's keys comes from.
        notes: what could not be looked up.
    """

    profiles: Mapping[str, ProfileSettings]
    profile: str
    region: str
    clouds: Mapping[str, str]
    images: tuple[MachineImage, ...]
    key_sources: tuple[str, ...]
    notes: tuple[str, ...] = ()


def launch_form(offer: Offer, values: Values) -> Form:
    """The form for what there is to offer.

    Args:
        offer: what that is.
        values: what to begin with, or what is filled in so far.
    """
    return Form(tuple(_fields(offer, values)), offer.notes)


def _fields(offer: Offer, values: Values) -> Iterator[FormField]:
    profile = offer.profiles[offer.profile]
    yield _profile_field(offer)
    if len(profile.regions) > 1:
        regions = tuple(FormOption(each, each) for each in profile.regions)
        yield FormField(
            REGION_FIELD,
            "Region",
            FieldKind.CHOICE,
            regions,
            initial=offer.region,
            required=True,
            reloads=True,
            variant=offer.profile,
        )
    if offer.images:
        yield _image_field(offer, values)
    label = "Or another image, by name or id" if offer.images else "Image, by name or id"
    yield FormField(NAMED_FIELD, label, initial=values.get(NAMED_FIELD, ""))
    yield _duration_field(offer.profile, profile)
    yield FormField(COUNT_FIELD, "How many", FieldKind.NUMBER, most=MOST_AT_ONCE, hint=_count_hint(profile))
    yield _keys_field(offer.key_sources)
    if Override.TYPE in profile.overrides:
        hint = "Left empty: as the profile has it."
        yield FormField(TYPE_FIELD, "Machine type", hint=hint, longest=60, variant=offer.profile)


def _profile_field(offer: Offer) -> FormField:
    choices = tuple(
        FormOption(
            name,
            f"{name}: {each.description}" if each.description else name,
            f"{offer.clouds[each.cloud]} {' or '.join(each.regions)}".strip(),
        )
        for name, each in offer.profiles.items()
    )
    return FormField(
        PROFILE_FIELD,
        "Profile",
        FieldKind.CHOICE,
        choices,
        initial=offer.profile,
        required=True,
        reloads=len(choices) > 1,
        hint="It decides what can be chosen below." if len(choices) > 1 else "",
    )


def _image_field(offer: Offer, values: Values) -> FormField:
    """Images by name; by id, where several have one name."""
    named = Counter(each.name for each in offer.images)
    options = tuple(
        FormOption(each.id if named[each.name] > 1 else each.name, each.name, _about(each))
        for each in offer.images[:MOST_IMAGES]
    )
    chosen = values.get(IMAGE_FIELD, "")
    return FormField(
        IMAGE_FIELD,
        "Image",
        FieldKind.CHOICE,
        options,
        placeholder="The newest first",
        initial=chosen if any(each.value == chosen for each in options) else "",
        variant=f"{offer.profile}/{offer.region}",
    )


def _about(image: MachineImage) -> str:
    made = f"of {format_date(image.created_at)}" if image.created_at is not None else ""
    which = image.id.removeprefix(f"{image.name}/")  # of a gallery: the version alone
    return ", ".join(filter(None, (which, image.architecture, made)))


def _duration_field(name: str, profile: ProfileSettings) -> FormField:
    usual = format_duration(lifetime_of(None, name, profile))
    within, most = format_duration(profile.max_for), format_duration(profile.cap)
    hint = f"Left empty: {usual}. The profile allows up to {within}"
    hint += f"; more, up to {most}, has to be approved." if profile.cap > profile.max_for else "."
    return FormField(DURATION_FIELD, "For how long", placeholder="90m, 2h30m or 3d", hint=hint, longest=20)


def _count_hint(profile: ProfileSettings) -> str:
    return f"Left empty: 1. The profile allows up to {profile.max_count}; more has to be approved."


def _keys_field(sources: Sequence[str]) -> FormField:
    count = "1 key" if len(sources) == 1 else f"{len(sources)} keys"
    held = f"{count}: {', '.join(dict.fromkeys(sources))}" if sources else "You have none yet"
    choices = (
        FormOption(OWN_KEYS, "Put in my SSH keys", held),
        FormOption(NO_KEYS, "No keys", "Nobody has to log in"),
    )
    hint = "" if sources else "sshkey add github:NAME adds yours."
    return FormField(
        KEYS_FIELD, "SSH keys", FieldKind.CHOICE, choices, initial=OWN_KEYS, required=True, hint=hint
    )
