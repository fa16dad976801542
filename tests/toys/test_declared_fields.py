"""What stands in a declaration's fields and cannot be: told when it is declared, and not when it is used."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Literal

import pytest

from slipway.bot.core.commands import command
from slipway.bot.core.declared_fields import shown
from slipway.bot.core.steps import Request
from slipway.bot.operations.declarations import (
    DeclaredForm,
    HomeSection,
    PolicyDefaults,
    Probe,
)
from tests.toys.builders import Make, but, subject, told
from tests.toys.chat import POSTBOARD_CHAT
from tests.toys.cloud import TOYCLOUD
from tests.toys.subject import TOYS, MakeToy, ToySettings, toys

(KIND,) = TOYS.kinds
CARVE, _PAINT = TOYS.steps
(PROBE,) = TOYS.probes


def plain() -> None:
    """A function that nothing was made of."""


class Loose(Request):
    """A request that can have any kind."""

    kind: str = "loose"


class Other(Request):
    """A request whose kind and its default differ."""

    kind: Literal["one", "other"] = "one"


class Second(Request):
    """A request of the second format."""

    FORMAT: ClassVar[int] = 2

    kind: Literal["second"] = "second"


class Unverified:
    """An executor that never looks again."""

    def __init__(self, services: object) -> None: ...

    async def observe(self, step: object, token: str) -> None: ...

    async def act(self, step: object, token: str) -> None: ...


class Planless:
    """A planner that does not plan."""

    def __init__(self, services: object) -> None: ...


NEEDS_LITERAL = 'The request {} lacks its kind: write kind: Literal["name"] = "name".'


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: subject(name=None), "A subject needs a text as its name, and has None."),
        (lambda: subject(title=3), "The subject things needs a text as its title, and has 3."),
        (
            lambda: subject(services=None),
            "The subject things needs a function as its services, and has None.",
        ),
        (lambda: subject(summary="x"), "The subject things needs a function as its summary, and has 'x'."),
        (
            lambda: subject(commands=(plain,)),
            "The subject things needs a tuple of Command as its commands, and has the function plain in it.",
        ),
        (
            lambda: subject(commands=toys),
            (
                "The subject things needs a tuple of Command as its commands, and has a Command; "
                "a tuple of one entry ends in a comma: (entry,)."
            ),
        ),
        (
            lambda: subject(commands=[toys]),
            "The subject things needs a tuple of Command as its commands, and has a list.",
        ),
        (
            lambda: subject(tables=(ToySettings,)),
            "The subject things needs a tuple of SettingsTable as its tables, and has the class ToySettings in it.",
        ),
        (
            lambda: subject(kinds=(MakeToy,)),
            "The subject things needs a tuple of OperationKind as its kinds, and has the class MakeToy in it.",
        ),
        (
            lambda: subject(steps=(KIND,)),
            "The subject things needs a tuple of StepKind as its steps, and has an OperationKind in it.",
        ),
        (
            lambda: subject(probes=(plain,)),
            "The subject things needs a tuple of Probe as its probes, and has the function plain in it.",
        ),
        (
            lambda: subject(home=(plain,)),
            "The subject things needs a tuple of HomeSection as its home, and has the function plain in it.",
        ),
        (
            lambda: subject(forms=(plain,)),
            "The subject things needs a tuple of DeclaredForm as its forms, and has the function plain in it.",
        ),
        (lambda: but(PROBE, what=None), "A probe needs a text as its what, and has None."),
        (lambda: but(PROBE, look=None), "The probe toys needs a function as its look, and has None."),
        (lambda: but(PROBE, wanted=True), "The probe toys needs a function as its wanted, and has True."),
        (
            lambda: but(TOYS.home[0], cards=()),
            "A section of a person's page needs a function as its cards, and has a tuple.",
        ),
        (
            lambda: DeclaredForm(shortcut="toys", make=plain),  # type: ignore[arg-type]
            "A form needs a FormShortcut as its shortcut, and has 'toys'.",
        ),
    ],
)
def test_a_field_of_a_subject(make: Make, sentence: str) -> None:
    assert told(make) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: but(KIND, request=Loose, upgrades={}), NEEDS_LITERAL.format("Loose")),
        (lambda: but(KIND, request=Other, upgrades={}), NEEDS_LITERAL.format("Other")),
        (
            lambda: but(KIND, planner=None),
            "The kind of operation toy-make needs a function as its planner, and has None.",
        ),
        (
            lambda: but(KIND, planner=Planless),
            "The planner of toy-make lacks the method plan: it is the class Planless.",
        ),
        (
            lambda: but(KIND, arguments=None),
            "The kind of operation toy-make needs a function as its arguments, and has None.",
        ),
        (
            lambda: but(KIND, arguments="toy make"),
            "The kind of operation toy-make needs a function as its arguments, and has 'toy make'.",
        ),
        (
            lambda: but(KIND, policy=None),
            "The kind of operation toy-make needs a PolicyDefaults as its policy, and has None.",
        ),
        (
            lambda: but(KIND, needs="machines"),
            "The kind of operation toy-make needs a Capability or None as its needs, and has 'machines'.",
        ),
        (
            lambda: but(KIND, right=None),
            "The kind of operation toy-make needs a text as its right, and has None.",
        ),
        (lambda: but(KIND, upgrades=None), "MakeToy needs a mapping as its upgrades, and has None."),
        (
            lambda: but(KIND, upgrades={1: dict, 2: dict}),
            "MakeToy has format 2, and an upgrade from format 2: raise FORMAT, or leave the upgrade out.",
        ),
        (
            lambda: but(KIND, request=Second, upgrades={0: dict, 1: dict}),
            "Second has format 2, and an upgrade from format 0: raise FORMAT, or leave the upgrade out.",
        ),
        (
            lambda: but(KIND, upgrades={1: None}),
            "MakeToy needs a function as its upgrade from format 1, and has None.",
        ),
        (
            lambda: but(CARVE, executor=None),
            "The step carve-toy needs a function as its executor, and has None.",
        ),
        (
            lambda: but(CARVE, executor=Unverified),
            "The executor of carve-toy lacks the method verify: it is the class Unverified.",
        ),
        (
            lambda: but(CARVE, touches=None),
            "The step carve-toy needs a function as its touches, and has None.",
        ),
        (
            lambda: but(CARVE, targets=()),
            "The step carve-toy needs a function as its targets, and has a tuple.",
        ),
        (
            lambda: but(KIND.policy, approvals=None),
            "A policy needs a number as its approvals, and has None.",
        ),
        (lambda: but(KIND.policy, demanded=1), "A policy needs a function as its demanded, and has 1."),
    ],
)
def test_a_field_of_a_kind_or_a_step(make: Make, sentence: str) -> None:
    assert told(make) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: but(POSTBOARD_CHAT, platform=None),
            "A chat platform needs a text as its platform, and has None.",
        ),
        (
            lambda: but(POSTBOARD_CHAT, settings=dict),
            "The chat platform postboard needs a subclass of Settings as its settings, and has the class dict.",
        ),
        (
            lambda: but(POSTBOARD_CHAT, build=None),
            "The chat platform postboard needs a function as its build, and has None.",
        ),
        (
            lambda: but(POSTBOARD_CHAT, group_problem="no"),
            "The chat platform postboard needs a function as its group_problem, and has 'no'.",
        ),
        (
            lambda: but(POSTBOARD_CHAT, probe="no"),
            "The chat platform postboard needs a function as its probe, and has 'no'.",
        ),
        (
            lambda: but(POSTBOARD_CHAT, room_example=None),
            "The chat platform postboard needs a text as its room_example, and has None.",
        ),
        (lambda: but(TOYCLOUD, name=None), "A cloud needs a text as its name, and has None."),
        (
            lambda: but(TOYCLOUD, settings=None),
            "The cloud toycloud needs a subclass of Settings as its settings, and has None.",
        ),
        (
            lambda: but(TOYCLOUD, provides=TOYCLOUD.provides[0]),
            (
                "The cloud toycloud needs a tuple of Capability as its provides, and has a Capability; "
                "a tuple of one entry ends in a comma: (entry,)."
            ),
        ),
        (lambda: but(TOYCLOUD, open=None), "The cloud toycloud needs a function as its open, and has None."),
        (
            lambda: but(TOYCLOUD, probe=None),
            "The cloud toycloud needs a function as its probe, and has None.",
        ),
        (
            lambda: but(TOYCLOUD, environment=("token",)),
            "The cloud toycloud needs a mapping as its environment, and has a tuple.",
        ),
        (
            lambda: but(TOYCLOUD, environment={"token": "TOYS_TOKEN"}),
            (
                "The cloud toycloud needs a tuple of str as its environment for token, and has 'TOYS_TOKEN'; "
                "a tuple of one entry ends in a comma: (entry,)."
            ),
        ),
    ],
)
def test_a_field_of_a_chat_or_a_cloud(make: Make, sentence: str) -> None:
    assert told(make) == sentence


def without(declaration: Any, name: str) -> Callable[[], object]:
    """Makes a declaration again, and leaves one field out."""
    given = {field: getattr(declaration, field) for field in inspect.signature(type(declaration)).parameters}
    del given[name]
    return lambda: type(declaration)(**given)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (without(TOYS, "services"), "The Subject of name toys lacks its services."),
        (without(TOYS, "name"), "A Subject lacks its name."),
        (without(KIND, "policy"), "The OperationKind of request MakeToy lacks its policy."),
        (without(KIND, "request"), "An OperationKind lacks its request."),
        (without(CARVE, "touches"), "The StepKind of step CarveToy lacks its touches."),
        (without(PROBE, "look"), "The Probe of what toys lacks its look."),
        (without(POSTBOARD_CHAT, "build"), "The ChatDeclaration of platform postboard lacks its build."),
        (without(TOYCLOUD, "open"), "The CloudDeclaration of name toycloud lacks its open."),
        (lambda: subject(comands=()), "The Subject of name things has no field comands."),
        (lambda: Probe("toys"), "The Probe of what toys lacks its wanted."),  # type: ignore[call-arg]
        (PolicyDefaults, "A PolicyDefaults lacks its approvals."),
        (HomeSection, "A HomeSection lacks its cards."),
        (without(TOYS.tables[0], "shape"), "The SettingsTable of name toys lacks its shape."),
        (lambda: command("toy")(plain), "The command toy lacks a summary."),  # type: ignore[arg-type]
    ],
)
def test_a_field_that_is_missing_or_unknown(make: Make, sentence: str) -> None:
    assert told(make) == sentence


@pytest.mark.parametrize("declaration", [TOYS, KIND, CARVE, PROBE, KIND.policy, POSTBOARD_CHAT, TOYCLOUD])
def test_a_complete_declaration_can_be_made_again(declaration: Any) -> None:
    assert replace(declaration) == declaration


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "None"), (Loose, "the class Loose"), (plain, "the function plain"), (KIND, "an OperationKind")],
)
def test_a_value_is_named_by_what_it_is(value: object, words: str) -> None:
    assert shown(value) == words
