"""How a card looks in Matrix: escaped, and never larger than a homeserver takes."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.bot.chat.matrix.messages.render import (
    MAX_CONTENT_BYTES,
    PHONE_WIDTH,
    message,
    render_html,
    replacement,
)
from slipway.bot.chat.model import Card, Field, Table
from tests.support.examples import examples
from tests.support.strategies import cards

ALLOWED = {"strong", "p", "b", "br", "pre", "code", "ul", "li", "a"}


class Reader(HTMLParser):
    """Collects tags, links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for _name, value in attrs]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@given(cards)
def test_no_text_of_a_card_becomes_markup(card: Card) -> None:
    reader = read(render_html(card))
    assert reader.tags <= ALLOWED
    assert reader.links == []


def test_html_in_names_is_shown_and_not_obeyed() -> None:
    evil = '<img src=x onerror="alert(1)"> & <b>bold</b>'
    card = Card(
        title=evil,
        text=evil + " `<i>`",
        fields=(Field(label=evil, value=evil),),
        tables=(Table(columns=(evil,), rows=((evil,),), title=evil),),
        notes=(evil,),
        mentions=('@a"><script>:example.org',),
    )
    reader = read(render_html(card))
    assert reader.tags <= ALLOWED
    assert reader.text.count(evil) == 8
    assert reader.links == ["https://matrix.to/#/@a%22%3E%3Cscript%3E:example.org"]


def test_only_matrix_accounts_are_mentioned() -> None:
    content = message(
        Card(title="x", mentions=("alice", "@bob:example.org", "@bob:example.org")), thread=None
    )
    assert content["m.mentions"] == {"user_ids": ["@bob:example.org"]}
    assert content["msgtype"] == "m.text"


@settings(max_examples=examples(10))
@given(cards, st.integers(1, 60_000), st.integers(1, 2_000))
def test_whatever_its_size_a_card_fits_into_an_event(card: Card, length: int, count: int) -> None:
    long = card.model_copy(
        update={
            "text": card.text + "<ö>" * length,
            "tables": (*card.tables, Table(columns=("a",), rows=(("&" * 30,),) * count)),
            "mentions": tuple(f"@user{number}:example.org" for number in range(count)),
        }
    )
    for content in (message(long, thread="$t"), replacement(long, "$m")):
        assert len(json.dumps(content)) <= MAX_CONTENT_BYTES
        body = content.get("m.new_content", content)["body"]
        whole = "<ö>" * length in body and body.count("&" * 30) == count
        assert whole or "too long for one message" in body or len(body) < 1_000


def test_a_card_that_fits_is_left_alone() -> None:
    rows = tuple((str(number),) for number in range(500))
    body = message(Card(title="x", tables=(Table(columns=("n",), rows=rows),)), thread=None)["body"]
    assert "499" in body
    assert "too long" not in body


@given(st.integers(1, 4), st.data())
def test_a_table_is_no_wider_than_a_phone_or_it_is_a_list_of_all_its_cells(
    width: int, data: st.DataObject
) -> None:
    words = st.text("abc de", min_size=1, max_size=24).map(str.strip).filter(bool)
    columns = data.draw(st.lists(words, min_size=width, max_size=width))
    rows = data.draw(st.lists(st.lists(words, min_size=width, max_size=width), min_size=1, max_size=5))
    shown = render_html(
        Card(title="t", tables=(Table(columns=tuple(columns), rows=tuple(map(tuple, rows))),))
    )
    reader = Reader()
    reader.feed(shown)
    if "pre" in reader.tags:
        assert (
            max(map(len, shown.partition("<pre><code>")[2].partition("</code>")[0].split("\n")))
            <= PHONE_WIDTH
        )
    else:
        assert shown.count("<li>") == len(rows)
    assert all(cell in reader.text for row in rows for cell in row)


def test_a_plan_reads_on_a_phone_step_by_step() -> None:
    row = ("1", "promote 43.20261118.0 of Fedora-Cloud-43-x64", "newest candidate, `2 days` old", "-")
    table = Table(title="Plan", columns=("", "Step", "Why", "Result"), rows=(row,))
    assert render_html(Card(title="t", tables=(table,))).endswith(
        "<ul><li><b>1 promote 43.20261118.0 of Fedora-Cloud-43-x64</b><br>"
        "Why: newest candidate, <code>2 days</code> old</li></ul>"
    )
