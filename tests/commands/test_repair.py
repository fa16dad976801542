# ruff: noqa: RUF001 - characters that look alike are what this is about
from __future__ import annotations

from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("！help", "!help"),
        ("！ｈｅｌｐ　ｐｒｏｍｏｔｅ", "!help promote"),
        ("!launch x --count ３", "!launch x --count 3"),
        ("!launch x --count ٣", "!launch x --count 3"),
        ("！promote Fedora－Cloud－43 ４３．20261118．０", "!promote Fedora-Cloud-43 43.20261118.0"),
        ("!reject op-7k3f ＂too slow＂", '!reject op-7k3f "too slow"'),
        ("!status。", "!status."),
        ("!images pro\ufb01le", "!images profile"),
        ("!\ufe0fimages\ufffc", "!images"),
        ("\ufe57images \ufe61-43\ufe56", "!images *-43?"),
        ("!\u115fim\u3164ages\uffa0 \U0001d173x\U000e0001", "!images x"),
        ("!im\u2063ages \u206aFedora", "!images Fedora"),
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
        "!reject op-7k3f 太慢了，请重试！",
        "!reject op-7k3f 没有３台",
        "!note \u1100\u1160 \u1820\u180b 한\u3164글",
        "!note ❤\ufe0f 1\ufe0f\u20e3 🏴\U000e0067\U000e0062\U000e007f",
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


WORDS = st.lists(
    st.text(ascii_letters + digits + "-_.:/=@#*,+%~^$()[]{}\"'!?&<>|;", min_size=1, max_size=12), min_size=1
)
KEYBOARDS = {
    **{chr(code): [chr(code + 0xFEE0)] for code in range(0x21, 0x7F)},
    **{str(value): [chr(zero + value) for zero in (0xFF10, 0x660, 0x6F0, 0x966)] for value in range(10)},
    '"': ["“", "”", "„", "«", "»", "＂"],
    "'": ["‘", "’", "‚", "＇"],
    "-": ["‑", "‐", "−", "－"],
    " ": ["\u00a0", "\u2009", "\u202f", "\u3000"],
}
"""What phones, editors and keyboards for other scripts write for a sign."""

UNSEEN = [
    "\u00ad",
    "\u200b",
    "\u2060",
    "\u200e",
    "\u2066",
    "\u2069",
    "\ufeff",
    "\ufffc",
    "\u2062",
    "\u3164",
    "\u115f",
    "\ufe00",
]


@given(WORDS.map(" ".join), st.data())
def test_whatever_keyboards_and_editors_made_of_a_line_it_is_read_as_it_was_typed(
    typed: str, data: st.DataObject
) -> None:
    changed = ""
    for sign in typed:
        changed += data.draw(st.sampled_from([sign, sign, *KEYBOARDS.get(sign, ())]))
        changed += data.draw(st.sampled_from(["", "", "", *UNSEEN]))
    assert repair(changed) == repair(typed) == typed
