"""`slipway policy`: what would be asked of whom, and tests of that; by a configuration alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slipway.bot.cli.main import main
from tests.support.configuration import SECRETS
from tests.support.processes.program import ROOT

CONFIGURATION = """
[matrix]
homeserver = "https://matrix.example.org"
user_id = "@slipway:example.org"
rooms = ["!releng:example.org"]
[aws]
region = "eu-west-1"
[azure]
subscription_id = "0"
resource_group = "images"
gallery = "Fedora"
[azure.staging]
subscription_id = "0"
resource_group = "images"
gallery = "Staging"
[profiles.small]
template = "slipway-small"
[[person]]
id = "alice"
name = "Alice"
identities = ["matrix:@alice:example.org"]
roles = ["releng"]
[[person]]
id = "bob"
identities = ["matrix:@bob:example.org"]
roles = ["releng"]
[[person]]
id = "dan"
identities = ["matrix:@dan:example.org"]
roles = ["releng"]
[[person]]
id = "erin"
identities = ["matrix:@erin:example.org"]
roles = ["security"]
[roles.releng]
may = ["read", "promote", "launch"]
[roles.security]
may = ["read", "approve"]
[environment.staging]
clouds = ["azure.staging"]
targets = ["*-staging"]
[environment.production]
clouds = ["azure", "aws"]
[policy.promote]
role = "releng"
[[policy.promote.rule]]
name = "staging"
environment = "staging"
approvals = 0
[[policy.promote.rule]]
name = "production"
environment = "production"
approvals = 2
also = { security = 1 }
[[policy.promote.rule]]
name = "many at once"
min_targets = 10
also = { security = 1 }
[policy.launch]
approvals = 1
role = "security"
[emergency]
people = ["bob"]
kinds = ["promote"]
"""


SOLO = """
[roles.solo]
may = ["promote"]
[[person]]
id = "zoe"
identities = ["matrix:@zoe:example.org"]
roles = ["solo"]
"""


@pytest.fixture
def slipway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, which the program reads."""
    file = tmp_path / "slipway.toml"
    file.write_text(CONFIGURATION, "utf-8")
    monkeypatch.setenv("SLIPWAY_CONFIG", str(file))
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["policy", *arguments])


def test_a_pattern_is_answered_account_by_account_with_every_rule_that_may_count(slipway: Path) -> None:
    found = run("explain", "promote Fedora-*", "--as", "alice")
    assert (found.exit_code, found.output) == (
        0,
        """promote Fedora-*, asked for by Alice (alice)

promote or promote-override:
  in aws (staging or production), in azure (staging or production)
    some of it: nobody
      by rule “staging” of [policy.promote]
    the rest: 2 of releng and 1 of security
      by rule “production” of [policy.promote]
      releng: bob, dan
      security: erin
    and from 10 targets on, besides: 1 of releng and 1 of security
      by rule “many at once” of [policy.promote]
      releng: bob, dan
      security: erin
  in azure.staging (staging)
    nobody
      by rule “staging” of [policy.promote]
    and from 10 targets on, besides: 1 of releng and 1 of security
      by rule “many at once” of [policy.promote]
      releng: bob, dan
      security: erin
""",
    )


@pytest.mark.parametrize(
    ("line", "speaker", "told"),
    [
        (
            "promote azure:Fedora-Cloud-43-x64",
            "bob",
            ["in azure (production)\n    2 of releng and 1 of security"],
        ),
        (
            "promote azure:Fedora-43 --emergency it does not boot",
            "bob",
            ["in azure (production)\n    nobody, as it is an emergency; else 2 of releng and 1 of security"],
        ),
        (
            "promote azure:Fedora-43 --emergency it does not boot",
            "dan",
            ["refused: You may not pass approvals. In an emergency, these may: bob."],
        ),
        ("promote azure:Fedora-staging", "bob", ["in azure (staging)\n    nobody"]),
        ("promote Fedora-43/43.1.0", "erin", ["refused, as erin does not have the right promote"]),
        ("launch ami-0abcdef1234567890 --profile small", "dan", ["in aws (production)\n", "security: erin"]),
    ],
)
def test_a_name_is_answered_for_where_it_is(slipway: Path, line: str, speaker: str, told: list[str]) -> None:
    found = run("explain", line, "--as", speaker)
    assert found.exit_code == 0
    assert all(each in found.output for each in told)


def test_what_nobody_could_give_is_marked(slipway: Path) -> None:
    slipway.write_text(CONFIGURATION.replace("approvals = 2", "approvals = 3"), "utf-8")
    found = run("explain", "promote aws:Fedora-43", "--as", "alice")
    assert found.exit_code == 2  # everybody who may ask waits in vain
    alone = CONFIGURATION.replace(
        "min_targets = 10\nalso = { security = 1 }", "min_targets = 2\nrole = 'solo'"
    )
    slipway.write_text(f"{alone}{SOLO}", "utf-8")
    found = run("explain", "promote aws:Fedora-43", "--as", "zoe")
    assert "1 of solo\n" in found.output
    assert "solo: nobody" in found.output
    assert "✘ that cannot be met: it takes 1 more person who can agree" in found.output
    checked = CliRunner().invoke(main, ["check"])
    assert (
        "rule “many at once” of [policy.promote] asks for 1 of solo, and zoe waits in vain: "
        "it takes 1 more person who can agree."
    ) in checked.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["promot"], "“promot” is no command line"),
        (["op"], "“op” does not fit op."),
        (["promote x --emergency"], "Say why it cannot wait: --emergency REASON ends the line."),
        (["images"], "images makes no operation, so that nobody has to agree to it."),
        (["promote x", "--as", "alicia"], "There is no person alicia. Did you mean alice?"),
    ],
)
def test_a_wrong_question_is_one_sentence(slipway: Path, arguments: list[str], told: str) -> None:
    found = run("explain", *arguments)
    assert found.exit_code == 1
    assert told in found.output
    assert found.output.count("\n") == 1


def ran(slipway: Path, text: str) -> Result:
    file = slipway.with_name("tests.toml")
    file.write_text(text, "utf-8")
    return run("test", str(file))


GOOD = """
[[test]]
name = "Production takes two of releng and one of security"
line = "promote Fedora-Cloud-43-x64"
by = "alice"
cloud = "azure"
asks = { releng = 2, security = 1 }
rules = "production"
approvers = ["bob", "dan", "erin"]
enough = [["bob", "dan", "erin"]]
not_enough = [["bob", "dan"], ["alice", "bob", "erin"]]

[[test]]
name = "Staging asks for nobody"
line = "promote azure.staging:Fedora-Cloud-43-x64"
by = "alice"
asks = {}

[[test]]
name = "Many at once take one of security, too"
line = "promote *"
by = "bob"
asks = { releng = 1, security = 1 }
rules = ["staging", "many at once"]
[[test.target]]
name = "a-staging"
cloud = "azure"
count = 9
[[test.target]]
name = "b-staging"
cloud = "azure"

[[test]]
name = "Security asks for nothing"
line = "promote *"
by = "erin"
cloud = "aws"
refused = true
"""


def test_policies_that_are_as_expected_are_ticked_off(slipway: Path) -> None:
    found = ran(slipway, GOOD)
    assert found.exit_code == 0
    assert found.output.splitlines() == [
        "✔ Production takes two of releng and one of security",
        "✔ Staging asks for nobody",
        "✔ Many at once take one of security, too",
        "✔ Security asks for nothing",
        "4 tests, all as expected",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("asks = { releng = 2, security = 1 }", "asks = { releng = 1 }"),
            "it asks for 2 of releng and 1 of security, by rule “production” of [policy.promote]; expected: 1 of",
        ),
        (('rules = "production"', 'rules = "table"'), "what counts is production; expected: table"),
        (
            ('"bob", "dan", "erin"]\nenough', '"bob"]\nenough'),
            "whose approval counts: bob, dan, erin; expected: bob",
        ),
        (('enough = [["bob", "dan", "erin"]]', 'enough = [["bob", "erin"]]'), "bob and erin are not enough"),
        (('["bob", "dan"], ', '["bob", "dan", "erin"], '), "bob and dan and erin are enough"),
        (("refused = true", ""), "erin does not have the right promote, so that it is refused"),
        (
            ('cloud = "aws"', 'cloud = "gcp"'),
            "There is no account gcp; there are: aws, azure, azure.staging.",
        ),
        (
            ('cloud = "aws"\n', ""),
            "It may be in several accounts: write cloud = one of aws, azure, azure.staging.",
        ),
        (("asks = {}", "asks = {}\nstep_up = true"), "an approval takes no code"),
        (('by = "erin"', 'by = "eric"'), "There is no person eric. Did you mean erin"),
        (('line = "promote *"\nby = "erin"', 'line = "promot"\nby = "erin"'), "“promot” is no command line"),
    ],
)
def test_what_is_not_as_expected_is_told_with_what_is(
    slipway: Path, change: tuple[str, str], told: str
) -> None:
    assert change[0] in GOOD
    found = ran(slipway, GOOD.replace(*change))
    assert found.exit_code == 1
    assert told in found.output
    assert found.output.splitlines()[-1] == "4 tests, 1 failed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no [[test]]"),
        ("[[test", "is not TOML"),
        ("[[test]]\nname = 'x'", "test #1.line: is missing; write what is said"),
        (GOOD.replace("asks = {}", "ask = {}"), 'test #2.ask: there is no such key; did you mean "asks"?'),
        (GOOD.replace("count = 9", "count = '9'"), 'test #3.target #1.count: it is "9"; input should be'),
    ],
)
def test_a_wrong_file_is_told_before_any_test(slipway: Path, text: str, told: str) -> None:
    found = ran(slipway, text)
    assert found.exit_code == 2
    assert told in found.output
    assert "✔" not in found.output


def test_the_example_goes_with_the_example_of_the_configuration(slipway: Path) -> None:
    example = ("--config", str(ROOT / "slipway.example.toml"))
    found = run("test", *example, str(ROOT / "deploy" / "policy-tests.toml"))
    assert found.exit_code == 0, found.output


def test_who_cannot_be_reached_is_told_by_check(slipway: Path) -> None:
    slipway.write_text(CONFIGURATION.replace("matrix:@dan:example.org", "console:dan"), "utf-8")
    found = CliRunner().invoke(main, ["check"])
    assert found.exit_code == 0
    (line,) = (line for line in found.output.splitlines() if line.startswith("⚠ policy."))
    assert line.endswith(
        "rule “production” of [policy.promote] asks for 2 of releng and 1 of security, and Alice (alice) and bob "
        "wait in vain: it takes 1 more person who can agree. dan has no account where the bot is."
    )
    assert "policy.promote.rule #2 (line " in line
