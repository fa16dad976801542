from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from unittest import mock

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slipway.bot.clouds.model import VersionNumber
from slipway.bot.core.commands import Access, Command, command, dry_run
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.times import format_duration
from slipway.commands.dispatch.manual import help_command, help_overview
from slipway.commands.grammar.arguments import HelpWanted, Misuse, Parsed, parse
from slipway.commands.grammar.registry import (
    CommandGroup,
    Registry,
    build_registry,
    check_examples,
)
from slipway.commands.grammar.usage import usage
from slipway.commands.grammar.values import DURATION, FREE_TEXT, OPERATION_ID, OneOf, WholeNumber
from slipway.commands.images.values import VERSION
from slipway.commands.machines.values import INSTANCE_ID


@command(
    "launch",
    summary="Launch machines from an image.",
    examples=("launch Fedora-Cloud-43-x64 --for 2h", "launch ami-0abc --profile small --count 2 --dry-run"),
    access=Access.CHANGE,
    aliases=("start",),
)
@click.argument("image", help="Name or id of the image.")
@click.option("--profile", metavar="NAME", help="What to launch it as.")
@click.option("--for", "lifetime", type=DURATION, help="Until when it lives.")
@click.option("--count", type=WholeNumber(1, 50), default=1)
@dry_run
async def launch(
    call: str, image: str, profile: str | None, lifetime: timedelta | None, count: int, dry_run: bool
) -> str:
    """Launches what ``IMAGE``
    resolves to.

    Second paragraph.
    """
    return f"{call} launches {count} {image} as {profile} for {lifetime}, dry {dry_run}"


@command("promote", summary="Promote.", examples=("promote F43 43.1.0",), access=Access.CHANGE)
@click.argument("definition")
@click.argument("version", required=False, type=VERSION)
@dry_run
async def promote(call: str, definition: str, version: VersionNumber | None, dry_run: bool) -> str:
    return f"{call} {definition} {version}"


@command("reject", summary="Refuse.", examples=("reject op-7k3f it does not boot",))
@click.argument("operation", type=OPERATION_ID)
@click.argument("reason", nargs=-1)
async def reject(call: str, operation: str, reason: tuple[str, ...]) -> str:
    return f"{call} {operation} {reason}"


@command("terminate", summary="End.", examples=("terminate i-0123456789abcdef0",))
@click.argument("instance", type=INSTANCE_ID)
@click.option("--kind", type=OneOf("soft", "hard"), required=True, help="How to end it.")
async def terminate(call: str, instance: str, kind: str) -> str:
    return f"{call} {instance} {kind}"


@command("status", summary="How it is.", examples=("status",))
async def status(call: str) -> str:
    return call


SPECS: tuple[Command[str], ...] = (status, launch, promote, reject)

GROUPS = (
    CommandGroup("Images", (promote,)),
    CommandGroup("Instances", (launch,)),
    CommandGroup("Operations", (reject,)),
    CommandGroup("Slipway", (status,)),
)


@command("pause", summary="Pause one.", examples=("pause nightly we look",), access=Access.CHANGE)
@click.argument("name")
@click.argument("reason", type=FREE_TEXT, nargs=-1)
@click.option("--for", "lasting", type=DURATION)
@dry_run
async def pause(
    call: str, name: str, reason: tuple[str, ...], lasting: timedelta | None, dry_run: bool
) -> str:
    """Pauses it."""
    return f"{call} {name} {reason} {lasting} {dry_run}"


def values(spec: Command[str], *args: str) -> Mapping[str, Any]:
    outcome = parse(spec, args, "!")
    assert isinstance(outcome, Parsed), outcome
    return outcome.values


def complaint(spec: Command[str], *args: str) -> str:
    outcome = parse(spec, args, "!")
    assert isinstance(outcome, Misuse), outcome
    assert outcome.usage == usage(spec, "!")
    assert outcome.examples == tuple(f"!{each}" for each in spec.examples)
    return outcome.message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nightly broken --dry-run", "`--dry-run` stands before the name"),
        ("nightly broken --for 3d", "`--for` stands before the name"),
        ("nightly broken --FOR=3d", "`--for` stands before the name"),
        ("nightly broken --for", "`--for` stands before the name"),
        (
            "nightly for 3d",
            "“for 3d” would be words of the reason; as a time, `--for 3d` stands before the name",
        ),
        ("nightly For 3d until the mirror is back", "“For 3d” would be words of the reason"),
        ("nightly broken for 2h30m", "“for 2h30m” would be words of the reason"),
    ],
)
def test_what_was_meant_as_an_option_is_not_taken_for_words_of_the_reason(line: str, said: str) -> None:
    assert said in complaint(pause, *line.split())


@pytest.mark.parametrize("reason", ["for the release", "look at --for later on", "3d", "waits for it"])
def test_a_reason_is_whatever_else_stands_there(reason: str) -> None:
    assert values(pause, "nightly", "--for", "3d", *reason.split()) == {
        "name": "nightly",
        "reason": tuple(reason.split()),
        "lasting": timedelta(days=3),
        "dry_run": False,
    }


def test_values_come_as_what_they_are() -> None:
    assert values(launch, "F43", "--for", "2h30m", "--count=3", "--dry-run") == {
        "image": "F43",
        "profile": None,
        "lifetime": timedelta(hours=2, minutes=30),
        "count": 3,
        "dry_run": True,
    }
    assert values(promote, "F43", "43.20261101.0")["version"] == VersionNumber(43, 20261101, 0)
    assert values(promote, "F43")["version"] is None
    assert values(reject, "op-7k3f", "too", "slow")["reason"] == ("too", "slow")
    assert values(status) == {}


async def test_the_values_fit_the_handler() -> None:
    given_values = values(launch, "F43", "--profile", "small")
    assert await launch.handler("me", **given_values) == "me launches 1 F43 as small for None, dry False"


def test_options_stand_anywhere_in_any_case_and_end_at_two_dashes() -> None:
    assert values(launch, "--DRY-RUN", "F43")["dry_run"] is True
    assert values(launch, "--", "--dry-run")["image"] == "--dry-run"
    assert values(reject, "op-7k3f", "--", "--help")["reason"] == ("--help",)
    assert values(launch, "F43", "--profile", "Small")["profile"] == "Small"


@pytest.mark.parametrize("args", [("--help",), ("-h",), ("F43", "--Help"), ("--count", "x", "-?")])
def test_help_is_help_wherever_it_stands(args: tuple[str, ...]) -> None:
    assert parse(launch, args, "!") == HelpWanted()


@pytest.mark.parametrize(
    ("spec", "args", "message"),
    [
        (launch, (), "`IMAGE` is missing: name or id of the image."),
        (reject, (), "`ID` is missing."),
        (terminate, ("i-01234567",), "`--kind soft|hard` is missing: how to end it."),
        (launch, ("F43", "--dry-rum"), "`launch` has no option “--dry-rum”; did you mean `--dry-run`?"),
        (launch, ("F43", "-dry-run"), "`launch` has no option “-dry-run”; did you mean `--dry-run`?"),
        (launch, ("F43", "--pro", "x"), "`launch` has no option “--pro”; did you mean `--profile`?"),
        (
            launch,
            ("F43", "-x=1"),
            "`launch` has no option “-x”; it takes `--profile`, `--for`, `--count`, `--dry-run`.",
        ),
        (status, ("--all",), "`status` has no option “--all”; it takes none."),
        (launch, ("",), "Nothing stands between two quotes; write something there, or leave them out."),
        (
            promote,
            ("F43", " "),
            "Nothing stands between two quotes; write something there, or leave them out.",
        ),
        (launch, ("F43", "--for"), "`--for` needs a value: `--for 2h`."),
        (launch, ("F43", "--profile", "--dry-run"), "`--profile` needs a value: `--profile NAME`."),
        (launch, ("F43", "--dry-run=yes"), "`--dry-run` takes no value."),
        (launch, ("F43", "--for", "2h", "--for=3h"), "`--for` is given twice."),
        (
            launch,
            ("F43", "--for", "soon"),
            "`--for`: “soon” is not a duration; write it like 90m, 2h30m or 3d.",
        ),
        (launch, ("F43", "--count", "51"), "`--count`: “51” is not a whole number from 1 to 50."),
        (launch, ("F43", "--count", "-1"), "`--count`: “-1” is not a whole number from 1 to 50."),
        (launch, ("F43", "--count", "two"), "`--count`: “two” is not a whole number from 1 to 50."),
        (launch, ("F43", "and", "more"), "“and more” is too much: `launch` takes only `IMAGE`."),
        (status, ("now",), "“now” is too much: `status` takes no such word."),
        (promote, ("F43", "43.1"), "`VERSION`: “43.1” is not a version; versions look like 40.20240501.0."),
        (reject, ("op",), "`ID`: “op” is not the id of an operation; they look like op-7k3f."),
        (
            terminate,
            ("web 1", "--kind=soft"),
            "`INSTANCE`: “web 1” is not the id of an instance; they look like i-0f1e2d3c4b5a69788.",
        ),
        (terminate, ("i-01234567", "--kind=sofd"), "`--kind`: “sofd” is none of them; did you mean soft?"),
        (terminate, ("i-01234567", "--kind=x"), "`--kind`: “x” is none of them; it is one of soft, hard."),
    ],
)
def test_what_does_not_fit_is_said_in_plain_words(
    spec: Command[str], args: tuple[str, ...], message: str
) -> None:
    assert complaint(spec, *args) == message


@pytest.mark.parametrize("args", [("F43", "--for", "9" * 3_000), ("F43", "y" * 3_000), ("--" + "z" * 3_000,)])
def test_a_long_mistake_gets_a_short_answer(args: tuple[str, ...]) -> None:
    message = complaint(launch, *args)
    assert len(message) < 160
    assert "`" not in complaint(launch, "F43", "```").split("”")[0]


@pytest.mark.parametrize(
    "typed", ["op-7k3f", "OP-7K3F", "7k3f", "op7k3f", "op\u20137k3f", "op-7k3f.", "(op-7k3f)"]
)
def test_an_operation_is_known_however_its_id_is_typed(typed: str) -> None:
    assert values(reject, typed)["operation"] == "op-7k3f"


@pytest.mark.parametrize("typed", ["operation", "op-0oil", "op-7k", "op-7k3f-2", "promote", "op"])
def test_other_words_are_no_operation(typed: str) -> None:
    assert "is not the id of an operation" in complaint(reject, typed)


@pytest.mark.parametrize("typed", ["i-0123456789abcdef0", "I-0123456789ABCDEF0", "i-0123456789abcdef0,"])
def test_an_instance_is_known_however_its_id_is_typed(typed: str) -> None:
    assert values(terminate, typed, "--kind", "HARD") == {"instance": "i-0123456789abcdef0", "kind": "hard"}


@pytest.mark.parametrize("typed", ["vm-12", "8f7c4a52-0b1e-4a6f-9a57-3f1c9d2e6b10", "a", "x" * 128])
def test_an_instance_of_any_cloud_is_one_word(typed: str) -> None:
    assert values(terminate, typed, "--kind", "hard")["instance"] == typed


@pytest.mark.parametrize("typed", ["x" * 129, "two words", "*", "-", "vm\u2026", "vm,12", "…"])
def test_what_no_cloud_can_mean_by_an_id_is_no_instance(typed: str) -> None:
    assert "is not the id of an instance" in complaint(terminate, "--kind", "hard", "--", typed)


def test_a_count_without_a_limit_leaves_it_to_the_command() -> None:
    assert WholeNumber().read("400") == 400
    with pytest.raises(ValueError, match="of at least 1"):
        WholeNumber().read("0")


@given(st.integers(1, 9_999 * 86_400))
def test_a_duration_goes_through_a_command_unchanged(seconds: int) -> None:
    lifetime = timedelta(seconds=seconds)
    assert values(launch, "F43", "--for", format_duration(lifetime))["lifetime"] == lifetime


ARGUMENT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30) | st.sampled_from(
    [
        "--for",
        "--for=",
        "--dry-run",
        "--dry-run=",
        "--",
        "-",
        "--count=1",
        "-h",
        "=",
        "--=",
        "@x",
        "*",
        "op-7k3f",
    ]
)


@given(st.sampled_from([*SPECS, terminate]), st.lists(ARGUMENT, max_size=64))
@example(launch, ["x"] * 1_000)
@example(launch, ["--for", "\ud800"])
def test_any_arguments_are_values_a_wish_for_help_or_misuse(spec: Command[str], args: list[str]) -> None:
    outcome = parse(spec, tuple(args), "!")
    if isinstance(outcome, Parsed):
        assert set(outcome.values) == {param.name for param in spec.grammar.params}
    elif isinstance(outcome, Misuse):
        assert 0 < len(outcome.message) < 400
        assert outcome.message.endswith((".", "?"))
    else:
        assert outcome == HelpWanted()


def test_reading_arguments_prints_nothing_and_asks_no_environment(capsys: pytest.CaptureFixture[str]) -> None:
    polluted = {"LAUNCH_PROFILE": "root", "LAUNCH_COUNT": "7", "SLIPWAY_LAUNCH_COUNT": "7", "COUNT": "7"}
    with mock.patch.dict(os.environ, polluted):
        assert values(launch, "F43")["count"] == 1
        parse(launch, ("--help",), "!")
        parse(launch, ("--nonsense",), "!")
    assert capsys.readouterr() == ("", "")
    assert click.get_current_context(silent=True) is None


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (launch, "!launch IMAGE [--profile NAME] [--for 2h] [--count N] [--dry-run]"),
        (promote, "!promote DEFINITION [VERSION] [--dry-run]"),
        (reject, "!reject ID [REASON…]"),
        (terminate, "!terminate INSTANCE --kind soft|hard"),
        (status, "!status"),
    ],
)
def test_usage_comes_from_the_declaration(spec: Command[str], line: str) -> None:
    assert usage(spec, "!") == line


def test_a_registry_finds_orders_and_suggests() -> None:
    registry: Registry[str] = build_registry(GROUPS)
    assert registry.names == ("promote", "launch", "start", "reject", "status")
    assert registry.find(("START",)) is launch
    assert registry.find(("stop",)) is None
    assert registry.nearest("promot") == ("promote",)
    assert [group.title for group in registry.groups] == ["Images", "Instances", "Operations", "Slipway"]


def test_a_registry_refuses_names_that_clash_or_cannot_be_typed() -> None:
    with pytest.raises(DeclarationError, match="Two commands are called launch"):
        build_registry((CommandGroup("One", (launch, status)), CommandGroup("Other", (launch,))))
    for name in ("Status", "now three words", "5", ""):
        with pytest.raises(DeclarationError, match="A command cannot be called"):
            command(name, summary="x", examples=(name,))(status.handler)


def test_a_command_is_never_the_right_to_look() -> None:
    with pytest.raises(DeclarationError, match="A command cannot be called read"):
        command("read", summary="x", examples=("read",))(status.handler)


def test_a_dry_run_is_the_same_everywhere_and_only_of_what_changes() -> None:
    async def handler(call: str, dry_run: bool) -> str:
        return f"{call} {dry_run}"

    declare = command("odd", summary="x", examples=("odd",), access=Access.CHANGE)
    for option in (
        click.option("--dry-run/--apply"),
        click.option("--dry-run", "--no-change", is_flag=True),
        click.option("--dry-run", is_flag=True, flag_value=False, default=True),
        click.option("--dry-run", type=bool),
        click.argument("dry_run"),
    ):
        with pytest.raises(DeclarationError, match="is not the one that all have: use @dry_run"):
            declare(option(handler))
        del handler.__click_params__  # type: ignore[attr-defined]
    with pytest.raises(DeclarationError, match="has a --dry-run and changes nothing"):
        command("odd", summary="x", examples=("odd",))(dry_run(handler))


def test_a_declaration_that_does_not_fit_its_handler_is_refused() -> None:
    declare = command("odd", summary="x", examples=("odd",))

    async def handler(call: str, name: str) -> str:
        return call + name

    with pytest.raises(DeclarationError, match="The handler of the command odd takes"):
        declare(handler)
    with pytest.raises(DeclarationError, match="outside of the line"):
        declare(click.option("--name", envvar="NAME")(handler))


def test_every_example_can_be_pasted_and_a_bad_one_is_named() -> None:
    assert check_examples(SPECS) == ()

    def with_examples(*examples: str) -> Command[str]:
        return command("odd", summary="x", examples=examples)(status.handler)

    with pytest.raises(DeclarationError, match="odd lacks an example"):
        with_examples()
    with pytest.raises(DeclarationError, match="'status' of the command odd does not begin with its name"):
        with_examples("status")
    (excessive,) = check_examples([with_examples("odd one")])
    assert "'odd one' of odd does not parse" in excessive


def test_the_overview_names_every_command_by_group() -> None:
    card = help_overview(build_registry(GROUPS), "!")
    assert [table.title for table in card.tables] == ["Images", "Instances", "Operations", "Slipway"]
    assert card.tables[1].rows == (("`!launch IMAGE`", "Launch machines from an image."),)
    assert "`!help COMMAND`" in card.notes[0]
    assert card.notes[1].endswith(": `promote`, `launch`.")


def test_the_help_of_a_command_says_all_that_was_declared() -> None:
    card = help_command(launch, "!")
    assert card.title == "!launch: launch machines from an image."
    assert card.text == "Launches what `IMAGE` resolves to.\n\nSecond paragraph."
    assert [(field.label, field.value) for field in card.fields] == [
        ("Usage", "`!launch IMAGE [--profile NAME] [--for 2h] [--count N] [--dry-run]`"),
        ("Also", "`!start`"),
        ("Example", "`!launch Fedora-Cloud-43-x64 --for 2h`"),
        ("Example", "`!launch ami-0abc --profile small --count 2 --dry-run`"),
    ]
    (table,) = card.tables
    assert table.rows[0] == ("`IMAGE`", "Name or id of the image.")
    assert ("`[--for 2h]`", "Until when it lives.") in table.rows
    assert help_command(status, ".").tables == ()
