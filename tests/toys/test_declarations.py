"""Declarations that are incomplete: each is told in one sentence when it is made."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar, Literal

import click
import pytest
from pydantic import Field, SecretStr

from slipway.bot import declared as declared_module
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.core import loading
from slipway.bot.core.commands import Access, command
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import TableShape
from slipway.bot.core.steps import Request, Step
from slipway.bot.declared import Declarations, declared
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    nothing,
)
from tests.support.configuration import DECLARED, declared_with, settings_of, valid_document
from tests.toys.builders import Make, but, command_of, subject, table, told
from tests.toys.chat import POSTBOARD_CHAT, PostboardSettings
from tests.toys.cloud import TOYCLOUD, ToyCloudSettings
from tests.toys.subject import TOYS, ToySettings

(KIND,) = TOYS.kinds
CARVE, PAINT = TOYS.steps


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


class WithReason(Request):
    """A request with a field that is stored under a name of something else."""

    kind: Literal["with-reason"] = "with-reason"
    reason: str = ""


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
        (
            lambda: replace(KIND, request=WithReason),
            (
                "The request WithReason has a field reason, and what is stored beside its fields is called so: "
                "give it another name."
            ),
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
            lambda: but(POSTBOARD_CHAT, settings=Switched, switch="enabled"),
            "The settings table postboard may be left out, so address needs a default.",
        ),
        (
            lambda: replace(POSTBOARD_CHAT, switch="enabled"),
            "The settings of postboard have no key enabled to switch it on.",
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

        monkeypatch.setattr(loading, "import_module", missing)
        with pytest.raises(ModuleNotFoundError, match="No module named 'slip'"):
            declared()

    def test_what_is_listed_is_complete(self) -> None:
        again = declared()
        assert isinstance(again, Declarations)
        assert [each.name for each in again.registry.subjects] == [
            each.name for each in DECLARED.registry.subjects
        ]


class TestParts:
    """What a subject takes from the modules of its package of commands."""

    def take(self, held: object, monkeypatch: pytest.MonkeyPatch) -> Subject[Any]:
        module = ModuleType("slipway.commands.dolls.dance")
        if held is not None:
            module.PARTS = held  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "slipway.commands.dolls", ModuleType("slipway.commands.dolls"))
        monkeypatch.setitem(sys.modules, "slipway.commands.dolls.dance", module)
        return subject().with_parts("slipway.commands.dolls", "dance")

    def test_they_stand_behind_the_subjects_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        dance = command_of("dance")
        assert self.take((dance,), monkeypatch).commands == (dance,)

    @pytest.mark.parametrize(
        ("held", "sentence"),
        [
            (None, "slipway.commands.dolls.dance has to hold PARTS, a tuple of what it adds to things."),
            ((), "slipway.commands.dolls.dance has to hold PARTS, a tuple of what it adds to things."),
            (
                command_of("dance"),
                "slipway.commands.dolls.dance has to hold PARTS, a tuple of what it adds to things.",
            ),
            ((1,), "PARTS of slipway.commands.dolls.dance hold 1, which is no part of a subject."),
        ],
    )
    def test_what_is_no_part(self, held: object, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert told(lambda: self.take(held, monkeypatch)) == sentence

    def test_a_module_that_is_not_there(self) -> None:
        assert told(lambda: TOYS.with_parts("slipway.commands.images", "dance")) == (
            "The subject toys names slipway.commands.images.dance, and there is no such module."
        )


def test_toys_are_complete() -> None:
    assert PostboardSettings(address="x").bot
    together = declared_with(subjects=(TOYS,), chats=(POSTBOARD_CHAT,), clouds=(TOYCLOUD,))
    assert isinstance(KIND, OperationKind)
    assert isinstance(PAINT, StepKind)
    assert together.registry.owner("toy-make") is TOYS
    assert together.registry.owner("paint-toy") is TOYS
