"""What draws the pictures of docs/slack.md, as far as it needs no browser."""

from __future__ import annotations

import argparse
import runpy

import pytest

from tests.support.processes.program import ROOT

CARDS = runpy.run_path(str(ROOT / "docs" / "cards.py"), run_name="cards")


def test_a_channel_is_drawn_by_its_name_as_slack_shows_it() -> None:
    assert CARDS["marked"]("It comes in <#C0IMAGES0>.") == 'It comes in <span class="at">#images</span>.'
    assert "&lt;#now&gt;" in CARDS["marked"]("<#now>")


def test_a_golden_file_may_be_named_with_its_ending_and_has_to_be_there() -> None:
    assert CARDS["_golden"]("said/help.json") == CARDS["_golden"]("said/help") == "said/help"
    with pytest.raises(argparse.ArgumentTypeError, match="there is no golden file"):
        CARDS["_golden"]("said/nothing")
