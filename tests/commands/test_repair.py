# ruff: noqa: RUF001 - characters that look alike are what this is about
from __future__ import annotations

import time
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.commands.grammar.reading import LONGEST
from slipway.commands.grammar.repair import repair

MARKUP = st.lists(
    st.sampled_from(
        [
            *"<>|&;`*'\"-—–‑‘’“”«» \n\t\u00a0\u200b\u200d\u2028ahU1",
            "```",
            "--dry",
            "👩\u200d🚀",
        ]
    ),
    max_size=40,
).map("".join)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("!reject op-7k3f “too slow”", '!reject op-7k3f "too slow"'),
        ("!reject op-7k3f ‘too slow’", "!reject op-7k3f 'too slow'"),
        ("!reject op-7k3f «too slow»", '!reject op-7k3f "too slow"'),
        ("!cleanup —dry-run", "!cleanup --dry-run"),
        ("!cleanup –dry-run", "!cleanup --dry-run"),
        ("!cleanup –-dry-run", "!cleanup --dry-run"),
        ("!cleanup --dry\u2011run", "!cleanup --dry-run"),
        ("!cleanup —dry–run", "!cleanup --dry-run"),
        ("!cleanup –h", "!cleanup -h"),
        ("!launch x —for=2h", "!launch x --for=2h"),
        ("!images Fedora\u2011Cloud\u201043", "!images Fedora-Cloud-43"),
        ("!images\u00a0Fedora", "!images Fedora"),
        ("\u200b!ima\u00adges\ufeff", "!images"),
        ("  !images \n", "!images"),
        ("`!images`", "!images"),
        ("```!images```", "!images"),
        ("```\n!images\n```", "!images"),
        ("```sh\n!images\n```", "!images"),
        ("!op `op-7k3f`", "!op op-7k3f"),
        ("!op `op-7k3f`.", "!op op-7k3f."),
    ],
)
def test_what_a_chat_did_is_undone(sent: str, meant: str) -> None:
    assert repair(sent) == meant


@pytest.mark.parametrize(
    "line",
    [
        "!images Fedora-Cloud-*",
        "!images *-43-*",
        "!reject op-7k3f slow — see the thread",
        "!reject op-7k3f took 5–7 minutes",
        "!reject op-7k3f —это медленно",
        "!launch <image> --for 2h",
        "!note a < b & c > d",
        "!note 👩\u200d🚀 می\u200cخواهم",
        "`!images` lists the images",
        "!promote Fedora-Cloud-43-x64 43.20261101.0 --dry-run",
    ],
)
def test_what_was_meant_is_left_alone(line: str) -> None:
    assert repair(line) == line


@given(st.text() | MARKUP)
def test_repairing_twice_is_repairing_once(text: str) -> None:
    once = repair(text)
    assert repair(once) == once


@given(st.lists(st.text(ascii_letters + digits + "-_.:/=@#*,+%~^$()[]{}", min_size=1)).map(" ".join))
def test_plain_words_pass_unchanged(line: str) -> None:
    assert repair(line) == line


@pytest.mark.parametrize(
    "brick",
    [
        "`",
        "—-",
        " `",
        "*",
        "\u200d",
    ],
)
def test_a_line_built_to_be_slow_is_not(brick: str) -> None:
    text = (brick * LONGEST)[: LONGEST // 2]
    started = time.process_time()
    repair(text + ">" * (LONGEST // 2))
    repair(text + "&gt;" * (LONGEST // 8))
    assert time.process_time() - started < 2
