"""Any text: one short refusal or silence, and a bot that goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slipway.bot.chat.model import Address
from tests.support.configuration import DECLARED
from tests.support.examples import examples
from tests.support.harness import BotHarness, audit_trail, running_bot

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT = 1_000
"""Characters that a refusal may have, whatever was said."""

names = st.sampled_from(
    [spec.name for spec in DECLARED.commands.commands if spec.name not in ("help", "status")]
)
odd = st.text(st.characters(), max_size=40)  # any code point at all, lone surrogates and controls included
words = st.sampled_from(
    ("op-7k3f", "i-0f1e2d3c4b5a69788", "43.1.0", "Fedora-*", "[", "*", "--", "--dry-run", "--for=", "'", "\\")
)
lines = st.one_of(
    odd,
    st.builds("!{} {}".format, names, odd),
    st.builds("!{} {}".format, names, st.lists(words | odd, max_size=6).map(" ".join)),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    async with running_bot(tmp_path_factory.mktemp("state")) as running:
        yield running


@given(line=lines, address=st.sampled_from(Address), who=st.sampled_from(("carol", "eve")) | odd)
@example(line="!images " + "x" * 3_900, address=Address.ROOM, who="carol")
@example(line="!images " + "x" * 100_000, address=Address.ROOM, who="carol")
@example(line="!promote " + "x" * 3_900, address=Address.ROOM, who="eve")
@example(line="x" * 100_000, address=Address.DIRECT, who="carol")
@example(line="!images " + "a " * 1_000, address=Address.ROOM, who="carol")
@example(line="!reject op-7k3f " + "a " * 1_000, address=Address.ROOM, who="carol")
@example(line="!images \x00\x1b[2J\r", address=Address.ROOM, who="carol")
@example(line="!images \ud800", address=Address.ROOM, who="carol")
@example(line="\ud800", address=Address.DIRECT, who="carol")
@example(line="!images \u202e\ufeff\uffff", address=Address.ROOM, who="carol")
@example(line="!help " + "`" * 500, address=Address.ROOM, who="eve")
@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
async def test_any_text_from_anybody_without_rights_is_met_with_one_short_answer_or_none(
    bot: BotHarness, line: str, address: Address, who: str
) -> None:
    before = len(await audit_trail(bot))
    answers = await bot.say(who, line, address=address)
    assert len(answers) <= 1
    for answer in answers:
        assert "Internal error" not in answer.text
        if line.startswith(
            ("!promote", "!images x", "!images \ud800", "!images \x00", "!images a", "!reject")
        ):
            assert len(answer.text) <= SHORT
    assert len(await audit_trail(bot)) == before
    assert bot.azure.writes == []
