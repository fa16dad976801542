"""The bot's modals and its Home tab, as Slack takes them, and what comes back of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    MarkdownTextObject,
    NumberInputElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from slipway.bot.chat.model import Card
from slipway.bot.chat.slack.rendering import limits
from slipway.bot.chat.slack.house import LaunchChoices, ProfileChoice
from slipway.bot.chat.slack.rendering.render import home_blocks, sentence_blocks
from slipway.bot.chat.slack.rendering.mrkdwn import mrkdwn, short
from slipway.bot.chat.slack.interactions.values import LAUNCH, REJECT, Back, part

IMAGE, NAMED, PROFILE, DURATION, COUNT, REASON = "image", "named", "profile", "duration", "count", "reason"

_Json = dict[str, Any]


def reject_modal(back: Back) -> _Json:
    """Asks why an operation is rejected."""
    of = back.target.operation_id if back.target else "it"
    reason = PlainTextInputElement(action_id=REASON, multiline=True, max_length=limits.REASON)
    reason.focus_on_load = True
    asked = InputBlock(block_id=REASON, label="Why?", hint="It stands on the card.", element=reason)
    view = View(
        type="modal",
        callback_id=REJECT,
        title=short(f"Reject {of}", limits.MODAL_TITLE),
        submit="Reject",
        close="Go back",
        private_metadata=str(back),
        blocks=[asked],
    )
    return view.to_dict()


def waiting_modal(back: Back) -> _Json:
    """Stands there while the images are looked up: a modal has to be opened within three seconds."""
    return _launch(back, [_sentence("Looking up the images…")], submit=False)


def failed_modal(back: Back, card: Card) -> _Json:
    """Says why nothing can be launched."""
    view = _launch(back, [], submit=False)
    return view | {"blocks": sentence_blocks(card)}


def launch_modal(back: Back, choices: LaunchChoices, image: str = "") -> _Json:
    """The form for launching machines.

    Args:
        back: where the answer belongs.
        choices: what is offered.
        image: what to begin with, such as an AMI's id that a message names.
    """
    images = [_option(name, name) for name in choices.images if len(name) <= limits.OPTION_VALUE]
    blocks: list[Block] = []
    if images:
        select = StaticSelectElement(
            action_id=IMAGE, placeholder="The newest first", options=images[: limits.OPTIONS]
        )
        blocks.append(InputBlock(block_id=IMAGE, label="Image", element=select, optional=True))
    named = PlainTextInputElement(action_id=NAMED, initial_value=image or None, max_length=200)
    label = "Or another image, by name or id" if images else "Image, by name or id"
    blocks.append(InputBlock(block_id=NAMED, label=label, element=named, optional=True))
    profiles = _profiles(choices.profiles)
    if profiles:
        select = StaticSelectElement(action_id=PROFILE, options=profiles)
        blocks.append(InputBlock(block_id=PROFILE, label="Profile", element=select, optional=True))
    duration = PlainTextInputElement(action_id=DURATION, placeholder="90m, 2h30m or 3d", max_length=20)
    blocks.append(InputBlock(block_id=DURATION, label="For how long", element=duration, optional=True))
    most = max((profile.max_count for profile in choices.profiles), default=1)
    count = NumberInputElement(action_id=COUNT, is_decimal_allowed=False, min_value="1", max_value=str(most))
    blocks.append(InputBlock(block_id=COUNT, label="How many", element=count, optional=True))
    where = "in a direct message" if back.room.startswith(("D", "U", "W")) else f"in <#{back.room}>"
    blocks.append(SectionBlock(text=MarkdownTextObject(text=f"The answer comes {where}.")))
    return _launch(back, blocks, submit=True)


def home_view(cards: Sequence[Card]) -> _Json:
    """The Home tab."""
    return {"type": "home", "blocks": home_blocks(cards)}


@dataclass(frozen=True)
class Filled:
    """A filled launch form; empty texts are what was left out."""

    image: str
    profile: str
    duration: str
    count: str

    @property
    def errors(self) -> dict[str, str]:
        """What is missing, by the block to show it at."""
        return {} if self.image else {NAMED: "Choose an image, or name one."}


def filled(view: Mapping[str, Any]) -> Filled:
    """What was entered into the launch modal."""
    return Filled(
        image=entered(view, NAMED) or entered(view, IMAGE),
        profile=entered(view, PROFILE),
        duration=entered(view, DURATION),
        count=entered(view, COUNT),
    )


def entered(view: Mapping[str, Any], name: str) -> str:
    """What was typed or chosen in one field of a submitted modal; empty if nothing was."""
    field = part(view, "state", "values", name, name)
    value = part(field, "value")
    if value is None:
        value = part(field, "selected_option", "value")
    return value.strip() if isinstance(value, str) and len(value) <= limits.SECTION else ""


def _launch(back: Back, blocks: list[Block], *, submit: bool) -> _Json:
    view = View(
        type="modal",
        callback_id=LAUNCH,
        title="Launch machines",
        submit="Launch" if submit else None,
        close="Go back",
        private_metadata=str(back),
        blocks=blocks or [_sentence("-")],
    )
    return view.to_dict()


def _sentence(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=mrkdwn(text, limits.SECTION), verbatim=True))


def _profiles(profiles: Sequence[ProfileChoice]) -> list[Option]:
    return [
        _option(
            profile.name,
            profile.name,
            f"{profile.description or 'machines'}: up to {profile.max_count}, "
            f"for {profile.default_for}, at most {profile.max_for}",
        )
        for profile in profiles
        if len(profile.name) <= limits.OPTION_VALUE
    ][: limits.OPTIONS]


def _option(value: str, text: str, description: str = "") -> Option:
    return Option(
        value=value,
        text=PlainTextObject(text=short(text, limits.OPTION_TEXT), emoji=False),
        description=short(description, limits.OPTION_TEXT) if description else None,
    )
