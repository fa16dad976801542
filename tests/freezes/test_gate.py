"""What a plan is about for a freeze: whatever its steps change, by whatever they name it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from slipway.bot.operations.freezing.gate import FreezeGate
from slipway.bot.operations.freezing.model import Scope
from slipway.bot.operations.freezing.words import FreezeWords
from slipway.bot.subjects.credentials.rotating.steps import AwaitGrace
from slipway.bot.subjects.images.replication.steps import Bake
from tests.operations.builders import people, plan
from tests.support.clock import NOW
from tests.support.configuration import DECLARED

ROTATION = AwaitGrace(
    entry="uploader", account="aws.testing", holder="u", credential="c", key="k", name="uploader", seconds=60
)


def gate() -> FreezeGate:
    known = people({})
    words = FreezeWords(known, ZoneInfo("UTC"))
    store = None  # what a plan is about is asked of no database
    return FreezeGate(store, (), (), DECLARED.registry, known, words, lambda: NOW)  # type: ignore[arg-type]


def test_a_window_for_an_account_is_about_its_credentials_too() -> None:
    concern = gate().concern(plan(steps=(ROTATION,)))
    assert Scope(clouds=("aws.testing",)).covers(concern)
    assert Scope(patterns=("upload*",)).covers(concern)
    assert not Scope(clouds=("azure",)).covers(concern)


def test_what_says_nowhere_in_which_account_it_changes_something_is_covered_by_every_window() -> None:
    concern = gate().concern(plan(steps=(Bake(wave="1", seconds=60),)))
    assert Scope(clouds=("aws.testing",)).covers(concern)
