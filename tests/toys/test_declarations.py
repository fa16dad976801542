"""Declarations that are incomplete or contradict another: each is told in one sentence when it is made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar, Literal

import click
import pytest
from pydantic import Field, SecretStr

from slipway.bot import declared as declared_module
from slipway.bot.chat.console.declaration import CHAT as CONSOLE
from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.chat.forms import CommandForm, FormShortcut
from slipway.bot.clouds.azure.declaration import CLOUD as AZURE
from slipway.bot.clouds.capabilities import Capability
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.core.commands import Access, Command, command, dry_run
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.steps import Request, Step
from slipway.bot.declared import Declarations, declared
from slipway.bot.operations.declarations import (
    DeclaredForm,
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    nothing,
)
from slipway.bot.operations.services import Services
from tests.support.configuration import DECLARED, declared_with, settings_of, valid_document
from tests.toys.chat import POSTBOARD_CHAT, PostboardSettings
from tests.toys.cloud import TOYCLOUD, ToyCloudSettings
from tests.toys.subject import TOYS, TOYS_TABLE, ToySettings

Make = Callable[[], object]

(KIND,) = TOYS.kinds
CARVE, PAINT = TOYS.steps


def told(make: Make) -> str:
    """What is said of a declaration that cannot be: one sentence, on one line."""
    with pytest.raises(DeclarationError) as caught:
        make()
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def subject(**more: Any) -> Subject[Any]:
    usual: dict[str, Any] = {"name": "things", "title": "Things", "services": nothing}
    return Subject(**usual | more)


def command_of(name: str, **more: Any) -> Command[Any]:
    """A command that takes nothing."""
    given: dict[str, Any] = {"summary": "Say it.", "examples": (name,)} | more

    async def handler(call: object) -> None:
        """Say it."""

    async def careful(call: object, dry_run: bool) -> None:
        """Do it."""

    if given.get("access") is Access.CHANGE:
        return command(name, **given)(dry_run(careful))
    return command(name, **given)(handler)


def table(**more: Any) -> SettingsTable[Any]:
    usual: dict[str, Any] = {"name": "things", "model": ToySettings, "summary": "things"}
    return SettingsTable(**usual | {"shape": TableShape.SINGLE} | more)


def but(declaration: Any, **changes: Any) -> Any:
    """A declaration with parts otherwise, of whatever type these are."""
    return replace(declaration, **changes)


class Nameless(Request):
    """A request without a kind."""

    name: str


class Wordless(Step):
    """A step that does not say what it does, nor why."""

    kind: Literal["wordless"] = "wordless"


class Reasonless(Wordless):
    """A step that does not say why."""

    @property
    def title(self) -> str:
        return "do something"


class Newer(Request):
    """A request whose former formats nobody can read."""

    FORMAT: ClassVar[int] = 3

    kind: Literal["newer"] = "newer"


class WithSecret(Settings):
    token: SecretStr | None = None


class Demanding(Settings):
    address: str


class Switched(Demanding):
    enabled: bool = False


class Nested(Settings):
    inner: ToySettings = ToySettings()


class Mapped(Settings):
    inner: dict[str, int] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: subject(name="Things"), "A subject cannot be called 'Things': use lower case and hyphens."),
        (lambda: subject(title=""), "The subject things lacks a title."),
        (lambda: replace(TOYS, steps=()), "The subject toys has kinds of operation and no steps."),
        (lambda: but(TOYS, services=nothing), "The subject toys has kinds of operation and no services."),
    ],
)
def test_a_subject_that_is_incomplete(make: Make, sentence: str) -> None:
    assert told(make) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: replace(KIND, request=Nameless),
            'The request Nameless lacks its kind: write kind: Literal["name"] = "name".',
        ),
        (lambda: replace(KIND, request=CARVE.step), "CarveToy is no request: make it a subclass of Request."),
        (lambda: replace(KIND, request=Request), "Request is no request: make it a subclass of Request."),
        (lambda: replace(CARVE, step=KIND.request), "MakeToy is no step: make it a subclass of Step."),
        (lambda: replace(CARVE, step=Wordless), "The step wordless lacks a title."),
        (lambda: replace(CARVE, step=Reasonless), "The step wordless lacks a reason."),
        (
            lambda: replace(KIND, request=Newer, upgrades={1: dict}),
            (
                "Newer has format 3, and nothing reads format 2: add an upgrade, or one that raises "
                "UnknownFormatError."
            ),
        ),
        (lambda: PolicyDefaults(approvals=6), "6 approvals cannot be a default: from 0 to 5 can."),
    ],
)
def test_a_kind_or_a_step_that_is_incomplete(make: Make, sentence: str) -> None:
    assert told(make) == sentence


async def _unruly(call: object, name: str) -> None:
    """Takes a name."""


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: command_of("Say"),
            "A command cannot be called 'Say': use lower case, and two words at most.",
        ),
        (
            lambda: command_of("a b c"),
            "A command cannot be called 'a b c': use lower case, and two words at most.",
        ),
        (lambda: command_of("say", summary=""), "The command say lacks a summary."),
        (lambda: command_of("say", examples=()), "The command say lacks an example."),
        (
            lambda: command_of("say", examples=("tell",)),
            "The example 'tell' of the command say does not begin with its name.",
        ),
        (
            lambda: command("say", summary="Say.", examples=("say",))(_unruly),
            "The handler of the command say takes ['name'], its declaration gives [].",
        ),
        (
            lambda: command("do", summary="Do.", examples=("do",), access=Access.CHANGE)(
                click.argument("name")(_unruly)
            ),
            "The command do changes something and has no --dry-run: add @dry_run.",
        ),
        (
            lambda: command_of("say", aliases=("say it",)),
            "The command say cannot have those aliases: one word stands for one word.",
        ),
        (
            lambda: command_of("thing say", aliases=("say",)),
            "The command thing say cannot have those aliases: one word stands for one word.",
        ),
    ],
)
def test_a_command_that_is_incomplete(make: Make, sentence: str) -> None:
    assert told(make) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: table(name="my-things"),
            "The settings table 'my-things' cannot be called so: use a-z and _.",
        ),
        (lambda: table(summary=""), "The settings table things lacks a summary."),
        (
            lambda: table(model=WithSecret, shape=TableShape.NAMED),
            (
                "The settings table things holds a secret, but a table of many has no environment variable that "
                "could carry it."
            ),
        ),
        (
            lambda: table(model=Demanding),
            "The settings table things may be left out, so address needs a default.",
        ),
    ],
)
def test_a_settings_table_that_cannot_be(make: Make, sentence: str) -> None:
    assert told(make) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: but(POSTBOARD_CHAT, platform="Post Board"),
            "A chat platform cannot be called 'Post Board': use a-z and _.",
        ),
        (
            lambda: replace(POSTBOARD_CHAT, account_example="@alice"),
            "The account_example of postboard must begin with postboard:.",
        ),
        (
            lambda: but(POSTBOARD_CHAT, settings=Switched),
            "The settings table postboard may be left out, so address needs a default.",
        ),
        (lambda: replace(TOYCLOUD, name="toy-cloud"), "A cloud cannot be called 'toy-cloud': use a-z and _."),
        (
            lambda: replace(TOYCLOUD, provides=()),
            "The cloud toycloud provides nothing: name its capabilities.",
        ),
        (
            lambda: replace(TOYCLOUD, environment={"secret": ("TOYS_SECRET",)}),
            "The cloud toycloud has no setting secret to take from variables.",
        ),
        (
            lambda: but(TOYCLOUD, settings=Nested, environment={}),
            "The setting inner of the cloud toycloud holds a table, and such keys name accounts.",
        ),
        (
            lambda: but(TOYCLOUD, settings=Mapped, environment={}),
            "The setting inner of the cloud toycloud holds a table, and such keys name accounts.",
        ),
    ],
)
def test_a_chat_or_a_cloud_that_cannot_be(make: Make, sentence: str) -> None:
    assert told(make) == sentence


def other(**more: Any) -> Subject[Any]:
    """A subject beside the toys."""
    return subject(name="more-toys", title="More toys", **more)


def form(name: str) -> DeclaredForm:
    def make(_services: Services) -> CommandForm:
        raise NotImplementedError

    return DeclaredForm(FormShortcut(name, "Make a toy", "Fill in a form"), make)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((replace(TOYS, title="Toys again"),), "The subject toys is claimed twice, by toys."),
        (
            (other(services=dict, kinds=TOYS.kinds, steps=TOYS.steps),),
            "The kind of operation toy-make is claimed twice, by toys and more-toys.",
        ),
        ((other(steps=(CARVE,)),), "The step carve-toy is claimed twice, by toys and more-toys."),
        ((other(tables=(TOYS_TABLE,)),), "The settings table toys is claimed twice, by toys and more-toys."),
        ((other(tables=(table(name="azure"),)),), "The settings table azure is claimed twice."),
        ((other(tables=(table(name="schedule"),)),), "The settings table schedule is claimed twice."),
        (
            (other(tables=(table(name="copy"),)),),
            "No settings table can be called copy: Slipway uses the word itself.",
        ),
        ((other(commands=(command_of("promote"),)),), "Two commands are called promote."),
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
            "The settings table azure is claimed twice.",
        ),
        (
            (but(POSTBOARD_CHAT, platform="schedule", account_example=""),),
            "The settings table schedule is claimed twice.",
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
        ((replace(TOYCLOUD, name="matrix"),), "The settings table matrix is claimed twice."),
    ],
)
def test_two_clouds_that_claim_one_name(clouds: tuple[CloudDeclaration[Any], ...], sentence: str) -> None:
    assert told(lambda: declared_with(clouds=clouds)) == sentence


def test_a_cloud_that_has_not_what_it_declares_is_told_when_it_is_opened() -> None:
    empty: CloudDeclaration[ToyCloudSettings] = replace(TOYCLOUD, open=lambda _settings, _context: {})
    declarations = declared_with(clouds=(empty,))
    settings = settings_of(
        valid_document() | {"toycloud": {"address": "toys.example.org"}}, declarations=declarations
    )
    assert (
        told(lambda: declarations.open_clouds(settings, {}))
        == "The cloud toycloud provides image versions, and opened none."
    )


class TestLists:
    """The three lists of bot/declared.py."""

    @pytest.mark.parametrize(
        ("listed", "module"),
        [
            ("SUBJECTS", "slipway.commands.dolls"),
            ("CHATS", "slipway.bot.chat.dolls.declaration"),
            ("CLOUDS", "slipway.bot.clouds.dolls.declaration"),
        ],
    )
    def test_a_module_that_is_not_there(
        self, listed: str, module: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(declared_module, listed, ("dolls",))
        assert told(declared) == f"bot/declared.py names {module}, and there is no such module."

    @pytest.mark.parametrize("held", [None, TOYCLOUD], ids=["nothing", "another declaration"])
    def test_a_module_that_holds_no_declaration(self, held: object, monkeypatch: pytest.MonkeyPatch) -> None:
        module = ModuleType("slipway.commands.dolls")
        if held is not None:
            module.SUBJECT = held  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "slipway.commands.dolls", module)
        monkeypatch.setattr(declared_module, "SUBJECTS", ("dolls",))
        assert told(declared) == "slipway.commands.dolls has to hold SUBJECT, a Subject."

    def test_a_library_that_is_missing_is_told_as_that(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(_name: str) -> ModuleType:
            raise ModuleNotFoundError("No module named 'slip'", name="slip")

        monkeypatch.setattr(declared_module, "import_module", missing)
        with pytest.raises(ModuleNotFoundError, match="No module named 'slip'"):
            declared()

    def test_what_is_listed_is_complete(self) -> None:
        again = declared()
        assert isinstance(again, Declarations)
        assert [each.name for each in again.registry.subjects] == [
            each.name for each in DECLARED.registry.subjects
        ]


def test_toys_are_complete() -> None:
    assert PostboardSettings(address="x").bot
    together = declared_with(subjects=(TOYS,), chats=(POSTBOARD_CHAT,), clouds=(TOYCLOUD,))
    assert isinstance(KIND, OperationKind)
    assert isinstance(PAINT, StepKind)
    assert together.registry.owner("toy-make") is TOYS
    assert together.registry.owner("paint-toy") is TOYS
