"""A card as Block Kit, within Slack's limits whatever the card holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from slipway.bot.chat.model import Button, Card, Choice, Consequence, Field, Shortcut
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.chat.shared.plain import (
    clean,
    clean_line,
    headline,
    render_plain,
    without_ticks,
)
from slipway.bot.chat.shared.shorten import shorten
from slipway.bot.chat.slack.interactions.action_values import (
    APPROVE_ACTION,
    CHOICE_ACTION,
    COMMAND_ACTION,
    DETAILS_ACTION,
    REJECT_ACTION,
    SHOW_ACTION,
    OperationReference,
)
from slipway.bot.chat.slack.rendering import limits
from slipway.bot.chat.slack.rendering.mrkdwn import escape, mention, mrkdwn, short, short_in_bytes
from slipway.bot.chat.slack.rendering.tables import as_lines, shown_as_block, table_blocks, table_fits

_STYLES = {Consequence.ORDINARY: "primary", Consequence.CHOICE: "primary", Consequence.ENDING: "danger"}
_FIELDS_ABOVE_BUTTONS = 4
"""Two lines of fields: with them, what a phone shows without scrolling ends with the buttons."""


@dataclass(frozen=True)
class RenderedMessage:
    """A message: what notifications and screen readers say, and what is shown."""

    text: str
    blocks: list[JsonObject]


def message(card: Card) -> RenderedMessage:
    """The card as a message. What is too long is left out, with a note that the attached file has it."""
    shortened = card if fits(card) else shorten(card, fits)
    return RenderedMessage(
        fallback_text(shortened), _plain(_blocks(shortened, tables=True), limits.MESSAGE_BLOCKS)
    )


def fits(card: Card) -> bool:
    """Whether one message shows the whole card, without a cut."""
    as_block = shown_as_block(card)
    return (
        len(_uncut(headline(card))) <= limits.SECTION
        and len(_uncut(card.text)) <= limits.SECTION
        and all(len(_field(field, 10**9)) <= limits.FIELD for field in card.fields)
        and all(len(_uncut(note)) <= limits.NOTE for note in card.notes)
        and all(table_fits(table, as_block=place == as_block) for place, table in enumerate(card.tables))
        and (blocks := len(_blocks(card, tables=True))) <= limits.MESSAGE_BLOCKS
        and _weight(card, blocks) <= limits.MESSAGE_TEXT
    )


def fallback_text(card: Card) -> str:
    """The card in words, for notifications and screen readers."""
    plain = render_plain(card.model_copy(update={"mentions": ()}))
    # A rule below headings says nothing when it is read out.
    text = escape("\n".join(line for line in plain.split("\n") if not line or set(line) - set("─ ")))
    lead = " ".join(mention(account) for account in card.mentions[:20])
    text = f"{lead} {text}" if lead else text
    return short_in_bytes(text.strip() or "-", limits.FALLBACK_BYTES)


def home_blocks(cards: Sequence[Card]) -> list[JsonObject]:
    """Cards one below another, as an App Home tab shows them. Tables stand as text there."""
    blocks: list[JsonObject] = []
    left = limits.VIEW_BYTES
    for number, card in enumerate(cards):
        mine = _plain(
            [*([DividerBlock()] if number else []), *_blocks(card, tables=False, place=str(number))],
            limits.VIEW_BLOCKS,
        )
        left -= len(json.dumps(mine))
        if len(blocks) + len(mine) > limits.VIEW_BLOCKS - 1 or left < 0:
            more = f"{len(cards) - number} more are not shown here. `pending` in a channel lists them."
            blocks += _plain([ContextBlock(elements=[_marked(more, limits.NOTE)])], 1)
            break
        blocks += mine
    return blocks


def card_blocks(card: Card) -> list[JsonObject]:
    """A card without buttons, as a modal shows it."""
    bare = card.model_copy(update={"buttons": (), "shortcuts": (), "mentions": ()})
    return _plain(_blocks(shorten(bare, fits), tables=False), limits.VIEW_BLOCKS)


def _plain(blocks: Iterable[Block], most: int) -> list[JsonObject]:
    return [block.to_dict() for block in blocks][:most]


def _blocks(card: Card, *, tables: bool, place: str = "") -> list[Block]:
    """The card's blocks. Where something is to be decided, the buttons follow what has to be known for it."""
    blocks: list[Block] = [_head(headline(card))]
    if card.mentions:
        whom = "For " + ", ".join(mention(account) for account in card.mentions[:20])
        blocks.append(ContextBlock(elements=[MarkdownTextObject(text=whom)]))
    if card.text.strip():
        blocks.append(SectionBlock(text=_marked(card.text, limits.SECTION)))
    above = _FIELDS_ABOVE_BUTTONS if card.buttons else len(card.fields)
    actions = _actions(card, place)
    blocks += _fields(card.fields[:above])
    blocks += actions if card.buttons else []
    blocks += _fields(card.fields[above:])
    as_block = shown_as_block(card) if tables else None
    for number, table in enumerate(card.tables):
        blocks += table_blocks(table, as_block=number == as_block)
    return [*blocks, *_notes(card.notes), *(actions if not card.buttons else [])]


def _fields(fields: tuple[Field, ...]) -> list[Block]:
    return [
        SectionBlock(
            fields=[MarkdownTextObject(text=_field(each, limits.FIELD), verbatim=True) for each in some]
        )
        for some in _portions(fields, limits.FIELDS_A_SECTION)
    ]


def _head(title: str) -> Block:
    """A title as a header; a sentence, or what holds something to type, is more than a header can show."""
    if len(title) <= limits.HEADER and "`" not in title:
        return HeaderBlock(text=PlainTextObject(text=short(title, limits.HEADER), emoji=False))
    return SectionBlock(text=_marked(title, limits.SECTION))


def _notes(notes: Sequence[str]) -> list[Block]:
    """Notes, each on a line of its own: Slack would set the elements of a context side by side."""
    texts: list[str] = []
    for note in (mrkdwn(note, limits.NOTE) for note in notes):
        if texts and len(texts[-1]) + len(note) < limits.NOTE:
            texts[-1] += f"\n{note}"
        else:
            texts.append(note)
    return [ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)]) for text in texts]


def _marked(text: str, most: int) -> MarkdownTextObject:
    return MarkdownTextObject(text=mrkdwn(text, most), verbatim=True)


def _uncut(text: str) -> str:
    return mrkdwn(text, 10**9)


def _field(field: Field, most: int) -> str:
    label = mrkdwn(clean_line(field.label), 200)
    return f"*{label}*\n{mrkdwn(field.value, most - len(label) - 3)}"


def _weight(card: Card, blocks: int) -> int:
    """What Slack counts of a message: all text but a table block's, and something for whatever holds it."""
    as_block = shown_as_block(card)
    return (
        len(headline(card))
        + len(_uncut(card.text))
        + sum(len(_field(field, 10**9)) for field in card.fields)
        + sum(len(_uncut(note)) for note in card.notes)
        + sum(len(as_lines(table)) for place, table in enumerate(card.tables) if place != as_block)
        + 100 * (len(card.buttons) + len(card.shortcuts) + len(card.mentions))
        + limits.BLOCK_OVERHEAD * (blocks + len(card.fields) + len(card.notes))
    )


def _actions(card: Card, place: str) -> list[Block]:
    elements: list[ButtonElement] = [_choice(card, button) for button in card.buttons]
    if card.buttons:
        elements.append(_details(card.buttons[0]))
    elements += [
        _shortcut(shortcut, number)
        for number, shortcut in enumerate(card.shortcuts)
        if 0 < len(shortcut.command) <= limits.VALUE
    ]
    named = {element.action_id: element for element in elements}  # a card has each choice once
    return [
        ActionsBlock(block_id=f"slipway.{place or 'card'}.{number}", elements=list(some))
        for number, some in enumerate(_portions(tuple(named.values()), limits.BUTTONS_A_BLOCK))
    ]


def _choice(card: Card, button: Button) -> ButtonElement:
    value = str(OperationReference(button.operation_id, button.digest_prefix))
    label = short(clean_line(button.label), limits.BUTTON)
    if button.choice is Choice.REJECT:  # the modal behind it asks for the reason, and can be left
        return ButtonElement(text=label, action_id=REJECT_ACTION, value=value)
    style = _STYLES[button.consequence]
    return ButtonElement(
        text=label,
        action_id=APPROVE_ACTION,
        value=value,
        style=style,
        confirm=_confirm(f"Approve {button.operation_id}?", card.text or card.title, "Approve", style),
    )


def _details(button: Button) -> ButtonElement:
    value = str(OperationReference(button.operation_id, button.digest_prefix))
    return ButtonElement(text="Details", action_id=DETAILS_ACTION, value=value)


def _shortcut(shortcut: Shortcut, number: int) -> ButtonElement:
    label = clean_line(shortcut.label)
    if shortcut.consequence is Consequence.NOTHING:
        text, name = short(label, limits.BUTTON), f"{SHOW_ACTION}.{number}"
        return ButtonElement(text=text, action_id=name, value=shortcut.command)
    style = _STYLES[shortcut.consequence]
    return ButtonElement(
        text=short(label, limits.BUTTON),
        action_id=f"{CHOICE_ACTION if shortcut.consequence is Consequence.CHOICE else COMMAND_ACTION}.{number}",
        value=shortcut.command,
        style=style if style == "danger" else None,
        confirm=_confirm(f"{label}?", f"You say: {shortcut.command}", "Go on", style),
    )


def _confirm(title: str, text: str, confirm: str, style: str) -> ConfirmObject:
    return ConfirmObject(
        title=short(clean_line(title), limits.CONFIRM_TITLE),
        text=PlainTextObject(text=short(without_ticks(clean(text)), limits.CONFIRM_TEXT), emoji=False),
        confirm=short(confirm, limits.CONFIRM_BUTTON),
        deny="Go back",
        style=style,
    )


def _portions(items: tuple[Any, ...], size: int) -> Iterable[tuple[Any, ...]]:
    return (items[start : start + size] for start in range(0, len(items), size))
