"""Forms: a command line filled in field by field, on platforms that can show such a thing.

A subject declares a form; a platform that has forms shows it, and says the line that it makes. The core reads
that line as it reads any other, so a form can do nothing that a typed line could not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class FieldKind(StrEnum):
    """How a field is filled in."""

    CHOICE = "choice"  # one of its choices
    TEXT = "text"
    NUMBER = "number"  # a whole number


@dataclass(frozen=True)
class FormOption:
    """One of the choices of a field."""

    value: str
    text: str
    description: str = ""


@dataclass(frozen=True)
class FormField:
    """One field.

    Attributes:
        name: its key in what was filled in; lowercase letters. A field that is left empty is not there.
        hint: what is said below it.
        longest: characters of a text.
        most: of a number; the least is 1.
        required: whether it cannot be left empty.
        reloads: whether other fields depend on what is chosen here: the form is loaded anew then.
        variant: what its choices depend on. While that stays the same, what was filled in stays when the form is
            loaded anew; otherwise the field begins with ``initial``.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    choices: tuple[FormOption, ...] = ()
    placeholder: str = ""
    hint: str = ""
    initial: str = ""
    longest: int = 200
    most: int | None = None
    required: bool = False
    reloads: bool = False
    variant: str = ""


@dataclass(frozen=True)
class Form:
    """A form as things stand, such as with the images that can be launched now.

    ``notes`` stand above the fields, a sentence each: such as what could not be looked up.
    """

    fields: tuple[FormField, ...]
    notes: tuple[str, ...] = ()


Values = Mapping[str, str]
"""What was filled in, by field name; fields left empty are not there."""


@dataclass(frozen=True)
class FormShortcut:
    """How a form is offered in a platform's menus; there before the bot runs, for `slipway slack manifest`.

    Attributes:
        name: the form's name, such as ``launch``.
        title: what the menu says, such as ``Launch machines``; Slack takes 24 characters.
        description: one line about it.
        message_title: what the menu of a message says, such as ``Launch…``; empty where a message's text
            begins nothing.
        message_description: one line about that.
    """

    name: str
    title: str
    description: str
    message_title: str = ""
    message_description: str = ""


@dataclass(frozen=True)
class CommandForm:
    """A form for a command, ready to be shown to one person.

    Attributes:
        name: identifies it on the platform, such as ``launch``: lowercase letters.
        title: the form's heading, such as ``Launch machines``.
        submit: the word on the button that sends it, such as ``Launch``.
        loading: what is said while its choices are looked up.
        unavailable: the headline where nothing can be offered, such as ``Nothing can be launched now``.
        usage: what to type instead, without a prefix, such as ``launch IMAGE``.
        load: the fields as things stand; raises UserError or CloudError where nothing can be offered. It is
            given values to begin with, or what is filled in so far.
        line: the command line that filled-in values make, without a prefix.
        problems: what is wrong with filled-in values, a sentence by field name, as far as it shows without
            asking a cloud. The command itself checks all of it again.
        values_in: values that a text names, such as the id of an image in a message; for forms that are opened
            from a message.
    """

    name: str
    title: str
    submit: str
    loading: str
    unavailable: str
    usage: str
    load: Callable[[Values], Awaitable[Form]]
    line: Callable[[Values], str]
    problems: Callable[[Values], Mapping[str, str]]
    values_in: Callable[[str], Values] = lambda _text: {}
