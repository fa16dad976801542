"""Cards in Block Kit: as they were agreed upon, and within Slack's limits whatever they hold.

``SLIPWAY_UPDATE_GOLDEN=1 pytest tests/slack/adapter`` writes the golden files anew.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.bot.chat.forms import FieldKind, Form, FormField, FormOption
from slipway.bot.chat.model import Button, Card, Choice, Field, Shortcut, Table, Tone
from slipway.bot.chat.slack.interactions.action_values import (
    OperationReference,
    ViewMetadata,
    parse_operation_reference,
    parse_view_metadata,
)
from slipway.bot.chat.slack.manifest import manifest
from slipway.bot.chat.slack.rendering.modals import (
    code_modal,
    form_modal,
    home_view,
    loading_modal,
    rejection_modal,
)
from slipway.bot.chat.slack.rendering.mrkdwn import JOINER, mrkdwn
from slipway.bot.chat.slack.rendering.render import fits, message
from slipway.bot.chat.slack.settings import SlackTransport
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.commands.machines.forms import LAUNCH_SHORTCUT
from slipway.commands.machines.launch_form import Offer, launch_form
from tests.slack.builders import (
    CARDS,
    FAILED,
    LONG,
    PROPOSED,
    REPORT,
    launch_command_form,
    launch_offer,
)
from tests.slack.golden import Golden, pretty, sent
from tests.slack.simulator.block_kit.blocks import Surface, check_blocks, check_view, too_long, view_too_large
from tests.support.examples import examples

GOLDEN = Golden(Path(__file__).parents[1] / "cards")
MANIFESTS = Golden(Path(__file__).parents[1] / "manifests")
METADATA = ViewMetadata("C0IMAGES0", "1.000001", OperationReference("op-7k3f", "abcdef12"))

FORM = launch_command_form()

VIEWS: dict[str, dict[str, Any]] = {
    "view-reject": rejection_modal(METADATA),
    "view-step-up": code_modal(
        METADATA, "op-7k3f promote, plan `1b9f03ac`. When it is done: Fedora 43 is promoted."
    ),
    "view-waiting": loading_modal(FORM, METADATA),
    "view-launch": form_modal(
        FORM, METADATA, launch_form(launch_offer("small"), {"named": "ami-0123456789abcdef0"})
    ),
    "view-launch-azure": form_modal(
        FORM, METADATA, launch_form(launch_offer("cloudy", "eastus"), {"image": "Fedora-Cloud-43-x64"})
    ),
    "view-home": home_view(tuple(CARDS[name] for name in ("proposed", "listing", "failed"))),
}


@pytest.mark.parametrize("name", CARDS)
def test_each_kind_of_card_looks_as_agreed(name: str) -> None:
    shown = sent(CARDS[name])
    assert pretty(shown) == GOLDEN.agreed(name, pretty(shown))
    assert check_blocks(shown["blocks"], Surface.MESSAGE) == []


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_looks_as_agreed(name: str) -> None:
    assert pretty(VIEWS[name]) == GOLDEN.agreed(name, pretty(VIEWS[name]))
    surface = Surface.HOME if name == "view-home" else Surface.MODAL
    assert check_view(VIEWS[name], surface) == []


def test_the_golden_files_are_those_of_todays_cards() -> None:
    assert GOLDEN.names({*CARDS, *VIEWS}) == {*CARDS, *VIEWS}


_texts = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="&<>`*_~:a \n", max_size=80),
    st.integers(0, 6000).map(lambda count: "x&`" * count),
)
_fields = st.lists(st.builds(Field, label=_texts, value=_texts), max_size=30).map(tuple)


@st.composite
def _tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(0, 25))
    row = st.lists(st.text(max_size=20), min_size=width, max_size=width).map(tuple)
    rows = draw(st.lists(row, max_size=5)) * draw(st.sampled_from([1, 1, 30, 200]))
    return Table(columns=draw(row), rows=tuple(rows), title=draw(_texts))


_buttons = st.builds(
    Button,
    choice=st.sampled_from(Choice),
    label=_texts,
    operation_id=st.just("op-7k3f"),
    digest_prefix=st.just("abcdef12"),
)
_cards = st.builds(
    Card,
    tone=st.sampled_from(Tone),
    title=_texts,
    text=_texts,
    fields=_fields,
    tables=st.lists(_tables(), max_size=4).map(tuple),
    notes=st.lists(_texts, max_size=25).map(tuple),
    buttons=st.lists(_buttons, max_size=4).map(tuple),
    shortcuts=st.lists(st.builds(Shortcut, label=_texts, command=_texts), max_size=40).map(tuple),
    mentions=st.lists(st.sampled_from(["U0ALICE00", "U0EVE0000/T0PARTNER"]), max_size=30).map(tuple),
)


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(_cards)
def test_slack_takes_any_card(card: Card) -> None:
    shown = message(card)
    assert check_blocks(shown.blocks, Surface.MESSAGE) == []
    assert not too_long(shown.blocks)
    assert 0 < len(shown.text) <= 4000


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(_cards, max_size=12))
def test_slack_takes_any_home_tab(cards: list[Card]) -> None:
    view = home_view(tuple(cards))
    assert check_view(view, Surface.HOME) == []
    assert not view_too_large(view)


_form_fields = st.builds(
    FormField,
    name=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    label=_texts,
    kind=st.sampled_from([FieldKind.CHOICE, FieldKind.TEXT]),
    choices=st.lists(
        st.builds(FormOption, value=st.text(max_size=200), text=_texts, description=_texts), max_size=120
    ).map(tuple),
    placeholder=_texts,
    initial=_texts,
    longest=st.integers(1, 9_000),
)


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(_form_fields, max_size=12, unique_by=lambda each: each.name).map(tuple))
def test_slack_takes_any_form(fields: tuple[FormField, ...]) -> None:
    assert check_view(form_modal(FORM, METADATA, Form(fields)), Surface.MODAL) == []


@given(st.text(), st.integers(10, 200))
def test_text_keeps_within_its_bound_and_cannot_mention_anybody(text: str, most: int) -> None:
    marked = mrkdwn(text, most)
    assert 0 < len(marked) <= most
    assert "<" not in marked
    assert ">" not in marked


def test_an_account_of_another_workspace_is_mentioned_by_its_id() -> None:
    assert message(REPORT.model_copy(update={"mentions": ("U0EVE0000/T0PARTNER",)})).text.startswith(
        "<@U0EVE0000> "
    )


@pytest.mark.parametrize("transport", SlackTransport)
def test_the_manifest_is_as_agreed(transport: SlackTransport) -> None:
    url = "https://bot.example.org/slack/events" if transport is SlackTransport.HTTP else ""
    made = pretty(manifest("Slipway", transport, url, forms=(LAUNCH_SHORTCUT,)))
    assert made == MANIFESTS.agreed(transport.value, made)


def test_nothing_in_a_card_is_markup_but_code() -> None:
    (section,) = [b for b in message(FAILED).blocks if b["type"] == "section"]
    shown = section["text"]["text"]
    assert "&lt;AuthorizationFailed&gt; &amp; more" in shown
    assert "*this*" not in shown
    assert shown.replace(JOINER, "").endswith("*this* _one_ :tada:.")


def test_what_fits_is_shown_whole_and_what_does_not_is_noted() -> None:
    assert fits(PROPOSED)
    assert not fits(LONG)
    assert "The attached file has all of it" in str(message(LONG).blocks)


class TestAtTheLimits:
    """Just below, at and above each of Slack's limits, Slack takes what is sent."""

    @pytest.mark.parametrize("rows", range(97, 104))
    def test_rows(self, rows: int) -> None:
        self.taken(Card(title="t", tables=(Table(columns=("a",), rows=(("x",),) * rows),)))

    @pytest.mark.parametrize("columns", range(18, 23))
    def test_columns(self, columns: int) -> None:
        self.taken(Card(title="t", tables=(Table(columns=("a",) * columns, rows=(("x",) * columns,)),)))

    @pytest.mark.parametrize("width", range(190, 205))
    def test_text_of_a_table(self, width: int) -> None:
        self.taken(Card(title="t", tables=(Table(columns=("a",), rows=(("x" * width,),) * 50),)))

    @pytest.mark.parametrize("width", range(300, 1500, 30))
    def test_text_of_a_message(self, width: int) -> None:
        fields = tuple(Field(label=f"{number}", value="x" * width) for number in range(10))
        self.taken(Card(title="t", text="x" * 2000, fields=fields))
        self.taken(Card(title="t", notes=("x" * width,) * 10, text="x" * 1000))

    @pytest.mark.parametrize("width", range(2300, 2990, 20))
    def test_text_of_a_message_in_few_blocks(self, width: int) -> None:
        self.taken(Card(title="t", text="x" * 2900, notes=("x" * width,) * 4))

    @pytest.mark.parametrize("texts", range(10, 60, 3))
    def test_what_holds_the_text_counts(self, texts: int) -> None:
        tables = tuple(Table(columns=("a",), rows=(("x" * 150,),), title="t") for _ in range(texts // 2))
        self.taken(Card(title="t", tables=tables, notes=("x" * 50,) * texts))

    @pytest.mark.parametrize("length", [*range(72, 79), *range(147, 154), *range(1998, 2003), 3100])
    def test_single_texts(self, length: int) -> None:
        text = "x" * length
        card = PROPOSED.model_copy(
            update={
                "title": text,
                "text": text,
                "fields": (Field(label="f", value=text),),
                "notes": (text,),
                "shortcuts": (Shortcut(label=text, command=text),),
                "buttons": (
                    Button(choice=Choice.APPROVE, label=text, operation_id="op-7k3f", digest_prefix="ab"),
                ),
            }
        )
        self.taken(card)
        names = tuple(f"{number}".ljust(length, "x") for number in range(103))
        profiles = {name: ProfileSettings(template="t", description=name, regions=names) for name in names}
        images = tuple(replace(launch_offer("small").images[0], id=name, name=name) for name in names)
        for most in (len(names), 2):
            offered = {name: profiles[name] for name in names[:most]}
            offer = Offer(offered, names[0], names[1], {"aws": text}, images[:most], names, (text,) * 12)
            form = launch_form(offer, {"named": text[:200]})
            assert check_view(form_modal(FORM, METADATA, form), Surface.MODAL) == []

    @pytest.mark.parametrize("length", range(3, 17))
    def test_titles_of_modals(self, length: int) -> None:
        modal = rejection_modal(
            ViewMetadata("C0IMAGES0", None, OperationReference(f"op-{'k' * length}", "abcdef12"))
        )
        assert check_view(modal, Surface.MODAL) == []

    def taken(self, card: Card) -> None:
        shown = message(card)
        assert check_blocks(shown.blocks, Surface.MESSAGE) == []
        assert not too_long(shown.blocks)


class TestValues:
    def test_a_button_carries_the_operation_and_its_plan_and_nothing_else(self) -> None:
        (actions,) = [b for b in message(PROPOSED).blocks if b["type"] == "actions"]
        assert {element["value"] for element in actions["elements"]} == {"op-7k3f|abcdef12"}

    @given(st.one_of(st.text(), st.none(), st.integers(), st.dictionaries(st.text(), st.text())))
    def test_anything_may_come_back(self, value: object) -> None:
        found = parse_operation_reference(value)
        assert found is None or str(found) == value
        assert parse_view_metadata(value) is None

    def test_a_modal_remembers_where_it_belongs(self) -> None:
        assert parse_view_metadata(str(METADATA)) == METADATA
        assert parse_view_metadata("[" * 900) is None
