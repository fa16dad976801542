"""Declarations that contradict another: two that claim one name, or need what none has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click
import pytest

from slipway.bot.chat.console.declaration import CHAT as CONSOLE
from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.chat.forms import CommandForm, FormShortcut
from slipway.bot.clouds.azure.declaration import CLOUD as AZURE
from slipway.bot.clouds.capabilities import Capability, Clouds
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.core.commands import Command, command
from slipway.bot.core.settings_table import PersonKey
from slipway.bot.core.waiting import Polling
from slipway.bot.operations.declarations import DeclaredForm, Subject, SubjectContext
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.operations.services import Services
from slipway.bot.people import People, Person
from tests.support.configuration import declared_with, settings_of, valid_document
from tests.toys.builders import but, command_of, subject, table, told
from tests.toys.chat import POSTBOARD_CHAT
from tests.toys.cloud import TOYCLOUD
from tests.toys.subject import TOYS, TOYS_TABLE, ToyServices, ToySettings, Workshop

(KIND,) = TOYS.kinds
CARVE, _PAINT = TOYS.steps


def other(**more: Any) -> Subject[Any]:
    """A subject beside the toys."""
    return subject(name="more-toys", title="More toys", **more)


def person_key(name: str) -> PersonKey:
    return PersonKey(name, "toys as a list", lambda _given: iter(()))


def unexplained() -> Command[Any]:
    async def handler(call: object, name: str) -> None: ...

    made = command("doll", summary="A doll.", examples=("doll anna",))
    return made(click.argument("name", help="Whose.")(handler))


def unnamed() -> Command[Any]:
    async def handler(call: object, name: str) -> None:
        """A doll."""

    made = command("doll", summary="A doll.", examples=("doll anna",))
    return made(click.argument("name")(handler))


def form(name: str) -> DeclaredForm:
    def make(_services: Services, _person: Person) -> CommandForm:
        raise NotImplementedError

    return DeclaredForm(FormShortcut(name, "Make a toy", "Fill in a form"), make)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((replace(TOYS, title="Toys again"),), "The subject toys is claimed twice, by toys."),
        ((subject(name="dolls", title="Toys"),), "The title Toys is claimed twice, by toys and dolls."),
        (
            (other(services=dict, kinds=TOYS.kinds, steps=TOYS.steps),),
            "The kind of operation toy-make is claimed twice, by toys and more-toys.",
        ),
        ((other(steps=(CARVE,)),), "The step carve-toy is claimed twice, by toys and more-toys."),
        (
            (other(person_keys=(person_key("keys"),)),),
            "The key keys of a person is claimed twice; each subject needs its own.",
        ),
        (
            (other(person_keys=(person_key("roles"),)),),
            "The key roles of a person is claimed twice; each subject needs its own.",
        ),
        ((other(tables=(TOYS_TABLE,)),), "The settings table toys is claimed twice, by toys and more-toys."),
        (
            (other(tables=(table(name="azure"),)),),
            "The settings table azure is claimed twice, by the cloud azure and the subject more-toys.",
        ),
        (
            (other(tables=(table(name="schedule"),)),),
            "The settings table schedule is claimed twice, by Slipway itself and the subject more-toys.",
        ),
        (
            (other(tables=(table(name="copy"),)),),
            "No settings table can be called copy: Slipway uses the word itself.",
        ),
        ((other(commands=(command_of("promote"),)),), "Two commands are called promote."),
        (
            (other(commands=(unexplained(),)),),
            "The command doll lacks a description: give its handler a docstring.",
        ),
        ((other(commands=(unnamed(),)),), "name of the command doll lacks its help."),
        (
            (other(commands=(command_of("doll", examples=("doll anna",)),)),),
            "'doll anna' of doll does not parse: “anna” is too much: `doll` takes no such word.",
        ),
        ((other(commands=(command_of("tell", aliases=("promote",)),)),), "Two commands are called promote."),
        (
            (other(commands=(command_of("toy make"),)),),
            "The noun toy is claimed twice, by Toys and More toys.",
        ),
        (
            (other(commands=(command_of("toy sell"),)),),
            "The noun toy is claimed twice, by Toys and More toys.",
        ),
        (
            (other(commands=(command_of("promote later"),)),),
            "The noun promote is claimed twice, by Images and More toys.",
        ),
        (
            (other(commands=(command_of("doll make"), command_of("doll make"))),),
            "Two commands are called doll make.",
        ),
        (
            (
                other(
                    commands=(
                        command_of("dolls", aliases=("doll",)),
                        command_of("dolls sell"),
                        command_of("doll make"),
                    )
                ),
            ),
            "The nouns dolls and doll are one; give their verbs to one of them.",
        ),
        (
            (other(commands=(command_of("doll make"),)),),
            "The noun doll has no command that lists: add one of one word with doll as its name or alias.",
        ),
        (
            (other(commands=(command_of("dolls"), command_of("doll make"))),),
            "The noun doll has no command that lists: add one of one word with doll as its name or alias.",
        ),
        (
            (other(commands=(command_of("dolls", examples=("dolls please",)),)),),
            None,
        ),
        ((other(forms=(form("launch"),)),), "Two forms are called launch."),
    ],
)
def test_two_subjects_that_claim_one_name(more: tuple[Subject[Any], ...], sentence: str | None) -> None:
    said = told(lambda: declared_with(subjects=(TOYS, *more)))
    if sentence is None:
        assert said.startswith("'dolls please' of dolls does not parse: ")
    else:
        assert said == sentence


@pytest.mark.parametrize(
    ("toys", "sentence"),
    [
        (
            replace(TOYS, commands=TOYS.commands[:1]),
            (
                "The kind of operation toy-make takes the right toy.make, and no command that changes something "
                "has it."
            ),
        ),
        (
            replace(TOYS, kinds=(replace(KIND, right="toys"),)),
            "The kind of operation toy-make takes the right toys, and no command that changes something has it.",
        ),
        (
            replace(TOYS, kinds=(replace(KIND, needs=Capability("toy boxes", lambda _name: None)),)),
            "No cloud has toy boxes, which toy-make needs.",
        ),
    ],
)
def test_a_kind_that_nobody_can_ask_for_or_no_cloud_can_do(toys: Subject[Any], sentence: str) -> None:
    assert told(lambda: declared_with(subjects=(toys,))) == sentence


@pytest.mark.parametrize(
    ("chats", "sentence"),
    [
        ((POSTBOARD_CHAT, replace(POSTBOARD_CHAT)), "Two chat platforms are called postboard."),
        ((CONSOLE,), "Two chat platforms are called console."),
        (
            (but(POSTBOARD_CHAT, platform="azure", account_example=""),),
            "The settings table azure is claimed twice, by the chat platform azure and the cloud azure.",
        ),
        (
            (but(POSTBOARD_CHAT, platform="schedule", account_example=""),),
            "The settings table schedule is claimed twice, by Slipway itself and the chat platform schedule.",
        ),
        (
            (replace(POSTBOARD_CHAT, group_key="slack_groups"),),
            "The key slack_groups of a role is claimed twice; each chat platform needs its own.",
        ),
        (
            (replace(POSTBOARD_CHAT, group_key="may"),),
            "The key may of a role is claimed twice; each chat platform needs its own.",
        ),
    ],
)
def test_two_chats_that_claim_one_name(chats: tuple[ChatDeclaration[Any], ...], sentence: str) -> None:
    assert told(lambda: declared_with(chats=chats)) == sentence


@pytest.mark.parametrize(
    ("clouds", "sentence"),
    [
        ((TOYCLOUD, replace(TOYCLOUD)), "Two clouds are called toycloud."),
        ((AZURE,), "Two clouds are called azure."),
        (
            (replace(TOYCLOUD, name="matrix"),),
            "The settings table matrix is claimed twice, by the chat platform matrix and the cloud matrix.",
        ),
    ],
)
def test_two_clouds_that_claim_one_name(clouds: tuple[CloudDeclaration[Any], ...], sentence: str) -> None:
    assert told(lambda: declared_with(clouds=clouds)) == sentence


class Dolls(ToyServices):
    """Services that are toys' services, too."""


def opened(*subjects: Subject[Any]) -> SubjectServices:
    """What the bot builds at the start."""
    declarations = declared_with(subjects=subjects)
    settings = settings_of(valid_document(), declarations=declarations)
    context = SubjectContext(
        settings=settings,
        clouds=Clouds(),
        operations=None,  # type: ignore[arg-type]  # no subject asks before it plans
        database=None,  # type: ignore[arg-type]
        people=People(settings),
        clock=lambda: datetime(2026, 11, 1, tzinfo=UTC),
        polling=Polling(),
    )
    return SubjectServices.build(declarations.registry, context)


def more_services(kind: type[ToyServices]) -> Subject[ToyServices]:
    """A subject that has services of this type, and nothing else."""
    return subject(
        name="more-toys", title="More toys", services=lambda _context: kind(Workshop(), ToySettings())
    )


@pytest.mark.parametrize("kind", [ToyServices, Dolls])
@pytest.mark.parametrize("order", [1, -1])
def test_two_subjects_with_services_of_one_type(kind: type[ToyServices], order: int) -> None:
    said = told(lambda: opened(*(TOYS, more_services(kind))[::order]))
    first, second = ("toys", "more-toys")[::order]
    of_second = kind.__name__ if order == 1 else "ToyServices"
    assert said == (
        f"The services of {second} are of the type {of_second}, and so are those of {first}: "
        "give each subject a type of its own."
    )


class Unverified:
    """An executor that never looks again."""

    async def observe(self, step: object, token: str) -> None: ...

    async def act(self, step: object, token: str) -> None: ...


@pytest.mark.parametrize(
    ("toys", "sentence"),
    [
        (
            but(TOYS, steps=(but(CARVE, executor=lambda _services: Unverified()), *TOYS.steps[1:])),
            "The executor of carve-toy lacks the method verify: it is an Unverified.",
        ),
        (
            but(TOYS, kinds=(but(KIND, planner=lambda _services: None),)),
            "The planner of toy-make lacks the method plan: it is None.",
        ),
    ],
)
def test_what_a_function_makes_is_looked_at_when_the_bot_starts(toys: Subject[Any], sentence: str) -> None:
    assert told(lambda: opened(toys)) == sentence


def test_services_are_found_by_their_type() -> None:
    services = opened(TOYS)
    assert services.get(ToyServices) is services.by_subject["toys"]
