"""What becomes of typed text on its way to the app."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.slack.simulator import fedora_world
from tests.slack.simulator.people.typed_text import typed, typed_command

WORLD = fedora_world()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("!images Fedora-Cloud-43-x64 43.20261118.0", "!images Fedora-Cloud-43-x64 43.20261118.0"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("see https://x.org/a?b=1&c=2.", "see <https://x.org/a?b=1&amp;c=2>."),
        (
            "see fedoraproject.org/cloud now",
            "see <http://fedoraproject.org/cloud|fedoraproject.org/cloud> now",
        ),
        ("ask bob@x.org", "ask <mailto:bob@x.org|bob@x.org>"),
        ("@slipway status", "<@U0SLIPWAY> status"),
        ("hi @nobody", "hi @nobody"),
        ("for @release-team and @here", "for <!subteam^S0RELEASE> and <!here>"),
        ("in #images not #nowhere", "in <#C0IMAGES0|images> not #nowhere"),
        ("<@U0ALICE00> stays", "<@U0ALICE00> stays"),
        ("`!rollback <x> & @alice` done", "`!rollback &lt;x&gt; &amp; @alice` done"),
        ("```https://x.org\n@bob```", "```https://x.org\n@bob```"),
    ],
)
def test_what_slack_makes_of_it(text: str, told: str) -> None:
    assert typed(WORLD, text) == told


def test_quotes_and_dashes_of_a_client_that_means_well() -> None:
    assert typed(WORLD, '!reject op-1 --reason "it\'s bad"', typographic=True) == (
        "!reject op-1 \u2014reason \u201cit\u2019s bad\u201d"
    )
    assert typed(WORLD, "say `--for` --for", typographic=True) == "say `--for` \u2014for"


def test_commands_come_as_typed_unless_the_manifest_escapes_them() -> None:
    text = "promote @bob in #images & https://x.org"
    assert typed_command(WORLD, text) == "promote @bob in #images &amp; https://x.org"
    escaping = fedora_world()
    escaping.app.escapes_commands = True
    assert (
        typed_command(escaping, text) == "promote <@U0BOB0000|bob> in <#C0IMAGES0|images> &amp; https://x.org"
    )
    assert typed_command(escaping, "@nobody #nowhere") == "@nobody #nowhere"


@given(st.text(max_size=200))
def test_nothing_typed_can_forge_markup_but_what_slack_knows(text: str) -> None:
    told = typed(WORLD, text.replace("<", "").replace("`", ""))
    assert told.count("<") == told.count(">")
