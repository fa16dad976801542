"""The bot's modals and its Home tab, as Slack takes them, and what comes back of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    InputInteractiveElement,
    MarkdownTextObject,
    NumberInputElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from slipway.bot.chat.forms import CommandForm, FieldKind, Form, FormField, FormOption
from slipway.bot.chat.model import Card
from slipway.bot.chat.shared.payloads import JsonObject, value_at
from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.chat.slack.ids import is_direct
from slipway.bot.chat.slack.interactions.action_values import (
    CODE_CALLBACK,
    REJECT_ACTION,
    ViewMetadata,
    form_callback,
)
from slipway.bot.chat.slack.rendering import limits
from slipway.bot.chat.slack.rendering.mrkdwn import mrkdwn, short
from slipway.bot.chat.slack.rendering.render import card_blocks, home_blocks

_MOST_NOTES = 10

REASON = "reason"
"""The only field of the modal that asks why an operation is rejected."""

CODE = "code"
"""The only field of the modal that asks for a single-use code."""

_LONGEST_CODE = 10  # six digits, and what people put between them

_VARIANT = ":"
"""In a block's id, between a field's name and its variant: Slack keeps what was filled in while the id is the same.
Source: “views.update”, Preserving input entry."""


def rejection_modal(metadata: ViewMetadata) -> JsonObject:
    """Asks why an operation is rejected."""
    of = metadata.reference.operation_id if metadata.reference else "it"
    reason = PlainTextInputElement(action_id=REASON, multiline=True, max_length=limits.REASON)
    reason.focus_on_load = True
    view = View(
        type="modal",
        callback_id=REJECT_ACTION,
        title=short(f"Reject {of}", limits.MODAL_TITLE),
        submit="Reject",
        close="Go back",
        private_metadata=str(metadata),
        blocks=[InputBlock(block_id=REASON, label="Why?", hint="It stands on the card.", element=reason)],
    )
    return view.to_dict()


def code_modal(metadata: ViewMetadata, agreed: str) -> JsonObject:
    """Asks for the code that an approval takes.

    Args:
        metadata: of which operation, and where the answer belongs.
        agreed: what whoever sends it agrees to, in a sentence.
    """
    of = metadata.reference.operation_id if metadata.reference else "it"
    code = PlainTextInputElement(action_id=CODE, max_length=_LONGEST_CODE, placeholder="123456")
    code.focus_on_load = True
    hint = (
        "The six digits that your authenticator app shows now. Nobody else sees them, and nothing keeps them."
    )
    view = View(
        type="modal",
        callback_id=CODE_CALLBACK,
        title=short(f"Approve {of}", limits.MODAL_TITLE),
        submit="Approve",
        close="Go back",
        private_metadata=str(metadata),
        blocks=[_sentence(agreed), InputBlock(block_id=CODE, label="Code", hint=hint, element=code)],
    )
    return view.to_dict()


def loading_modal(form: CommandForm, metadata: ViewMetadata) -> JsonObject:
    """Shown while a form is loaded: a modal has to be opened within three seconds."""
    return _modal(form, metadata, [_sentence(form.loading)], submit=False)


def unavailable_modal(form: CommandForm, metadata: ViewMetadata, card: Card) -> JsonObject:
    """Says by a card why a form has nothing to offer."""
    return _modal(form, metadata, [_sentence("-")], submit=False) | {"blocks": card_blocks(card)}


def form_modal(form: CommandForm, metadata: ViewMetadata, loaded: Form) -> JsonObject:
    """A form to fill in. What Slack cannot show is left out: choices that are too long, fields without any.

    Args:
        form: what it is for.
        metadata: where the answer belongs.
        loaded: its fields as things stand.
    """
    blocks: list[Block] = [_sentence(note) for note in loaded.notes[:_MOST_NOTES]]
    for field in loaded.fields[: limits.VIEW_BLOCKS - 1 - len(blocks)]:
        element = _element(field)
        if element is not None:
            blocks.append(_input(field, element))
    where = "in a direct message" if is_direct(metadata.room) else f"in <#{metadata.room}>"
    blocks.append(SectionBlock(text=MarkdownTextObject(text=f"The answer comes {where}.")))
    return _modal(form, metadata, blocks, submit=True)


def home_view(cards: Sequence[Card]) -> JsonObject:
    """The Home tab."""
    return {"type": "home", "blocks": home_blocks(cards)}


def home_view_in_words(cards: Sequence[Card]) -> JsonObject:
    """The Home tab without anything that Slack could refuse the form of."""
    texts = (short(render_plain(card), limits.SECTION) for card in cards[: limits.VIEW_BLOCKS])
    blocks = [SectionBlock(text=PlainTextObject(text=text, emoji=False)).to_dict() for text in texts]
    return {"type": "home", "blocks": blocks}


def form_values(view: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, by field name; fields left empty are not there."""
    values = value_at(view, "state", "values")
    blocks = [block for block in values if isinstance(block, str)] if isinstance(values, Mapping) else []
    return {_field_name(block): value for block in blocks if (value := _filled_in(view, block))}


def field_errors(view: Mapping[str, Any], problems: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with fields by name, as Slack is told it: by the ids of blocks that the modal has. What is wrong
    with a field that it has not stands at its first one."""
    blocks = [block for block in value_at(view, "blocks") or () if value_at(block, "type") == "input"]
    ids = [str(value_at(block, "block_id")) for block in blocks]
    by_name = {_field_name(each): each for each in ids}
    errors: dict[str, str] = {}
    for name, sentence in problems.items():
        block = by_name.get(name) or next(iter(ids), name)
        errors[block] = f"{errors[block]} {sentence}" if block in errors else sentence
    return errors


def input_value(view: Mapping[str, Any], name: str) -> str:
    """What was typed or chosen in one field of a submitted modal; empty if nothing was."""
    return _filled_in(view, name)


def _filled_in(view: Mapping[str, Any], block: str) -> str:
    field = value_at(view, "state", "values", block, _field_name(block))
    value = value_at(field, "value")
    if value is None:
        value = value_at(field, "selected_option", "value")
    return value.strip() if isinstance(value, str) and len(value) <= limits.SECTION else ""


def _modal(form: CommandForm, metadata: ViewMetadata, blocks: list[Block], *, submit: bool) -> JsonObject:
    view = View(
        type="modal",
        callback_id=form_callback(form.name),
        title=short(form.title, limits.MODAL_TITLE),
        submit=short(form.submit, limits.MODAL_TITLE) if submit else None,
        close="Go back",
        private_metadata=str(metadata),
        blocks=blocks,
    )
    return view.to_dict()


def _input(field: FormField, element: InputInteractiveElement) -> InputBlock:
    variant = f"{_VARIANT}{field.variant}" if field.variant else ""
    return InputBlock(
        block_id=short(f"{field.name}{variant}", limits.BLOCK_ID),
        label=short(field.label, limits.INPUT_LABEL),
        hint=short(field.hint, limits.INPUT_LABEL) if field.hint else None,
        element=element,
        optional=not field.required,
        dispatch_action=True if field.reloads else None,
    )


def _field_name(block: str) -> str:
    return block.partition(_VARIANT)[0]


def _element(field: FormField) -> InputInteractiveElement | None:
    """What a field is filled in with; None where there is nothing to choose from."""
    placeholder = short(field.placeholder, limits.PLACEHOLDER) if field.placeholder else None
    match field.kind:
        case FieldKind.CHOICE:
            fitting = [choice for choice in field.choices if 0 < len(choice.value) <= limits.OPTION_VALUE]
            options = [_option(choice) for choice in fitting[: limits.OPTIONS]]
            if not options:
                return None
            return StaticSelectElement(
                action_id=field.name,
                placeholder=placeholder,
                options=options,
                initial_option=next((each for each in options if each.value == field.initial), None),
            )
        case FieldKind.NUMBER:
            return NumberInputElement(
                action_id=field.name,
                is_decimal_allowed=False,
                initial_value=field.initial or None,
                min_value="1",
                max_value=None if field.most is None else str(field.most),
                placeholder=placeholder,
            )
        case FieldKind.TEXT:
            longest = min(field.longest, limits.INPUT_TEXT)
            return PlainTextInputElement(
                action_id=field.name,
                placeholder=placeholder,
                initial_value=field.initial[:longest] or None,
                max_length=longest,
            )


def _sentence(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=mrkdwn(text, limits.SECTION), verbatim=True))


def _option(choice: FormOption) -> Option:
    return Option(
        value=choice.value,
        text=PlainTextObject(text=short(choice.text, limits.OPTION_TEXT), emoji=False),
        description=short(choice.description, limits.OPTION_TEXT) if choice.description else None,
    )
