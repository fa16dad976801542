"""`slipway init`: somebody's own configuration, right from the first moment."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.cli.answers import Answers
from slipway.bot.cli.filling import Filling
from slipway.bot.cli.questions import Form
from slipway.bot.declared import declared
from tests.support.processes.program import ROOT, TIMEOUT_SECONDS, environment, run_slipway, until

pytestmark = pytest.mark.xdist_group("program")

MATRIX = (
    "--set=matrix.homeserver=https://chat.fedora.im",
    "--set=matrix.user_id=@slipway:fedora.im",
    "--set=matrix.rooms=!releng:fedora.im, !test:fedora.im",
)
SLACK = ("--set=slack.channels=C024BE91L",)
AZURE = (
    "--set=azure.subscription_id=8f1e2d3c-6b5a-4978-8695-a4b3c2d1e0f9",
    "--set=azure.resource_group=images",
    "--set=azure.gallery=Fedora",
)
AWS = ("--set=aws.region=us-east-1",)
SECRETS = {
    "SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1",
    "SLIPWAY_SLACK_APP_TOKEN": "xapp-1",
    "SLIPWAY_MATRIX_PASSWORD": "x",
}
ALICE, BOB = "--person=alice=@alice:fedora.im", "--person=bob=@bob:fedora.im"
SCHEDULES = "weekly-promotion, weekly-cleanup, daily-digest, weekly-report, monthly-report"


def written(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "slipway.toml").read_text("utf-8"))


def test_flags_make_a_configuration_that_is_right_and_says_what_is_left_to_do(tmp_path: Path) -> None:
    ended = run_slipway("init", *MATRIX, *AZURE, ALICE, BOB, "--schedules", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "no way to log in" in ended.stdout
    assert "Then: `slipway check`, `slipway doctor`, `slipway run`." in ended.stdout
    document = written(tmp_path)
    assert document["matrix"]["rooms"] == ["!releng:fedora.im", "!test:fedora.im"]
    assert [(each["id"], each["roles"]) for each in document["person"]] == [
        ("alice", ["releng", "admin"]),
        ("bob", ["releng"]),
    ]
    assert not any(
        "keys" in each for each in document["person"]
    )  # whose the example's account is, nobody knows
    assert [(each["command"], each["room"], each["enabled"]) for each in document["schedule"]] == [
        ("promote --due", "matrix:!releng:fedora.im", True),
        ("cleanup", "matrix:!releng:fedora.im", True),
        ("digest", "matrix:!releng:fedora.im", True),
        ("report weekly", "matrix:!releng:fedora.im", True),
        ("report monthly", "matrix:!releng:fedora.im", True),
    ]
    assert not document.keys() & {"aws", "slack", "profiles"}
    assert "# How Slipway calls the person in its records." in (tmp_path / "slipway.toml").read_text("utf-8")
    checked = run_slipway("check", "--strict", cwd=tmp_path, env={"SLIPWAY_MATRIX_PASSWORD": "x"})
    assert checked.returncode == 0, checked.stdout + checked.stderr

    again = run_slipway("init", *MATRIX, *AZURE, ALICE, cwd=tmp_path)
    assert (again.returncode, "is there already, and is left as it is" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("flags", "tables"),
    [
        ((*SLACK, *AWS, "--person=alice=U024BE7LH"), {"slack", "aws", "profiles"}),
        (
            (*SLACK, *MATRIX, *AZURE, *AWS, "--person=alice=slack:U024BE7LH,matrix:@a:fedora.im"),
            {"slack", "matrix"},
        ),
        (
            ("--chat=console", *AZURE, "--set=zone=Europe/Prague", "--person=carol=console:carol"),
            {"console", "azure"},
        ),
    ],
    ids=["slack and aws", "all", "console"],
)
def test_somebody_alone_gets_a_configuration_that_works_for_whatever_they_choose(
    flags: tuple[str, ...], tables: set[str], tmp_path: Path
) -> None:
    ended = run_slipway("init", *flags, "--own-approval", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    document = written(tmp_path)
    assert document.keys() >= tables
    assert "approves their own changes. When somebody else joins" in ended.stdout
    assert document["policy"]["promote"]["requester_may_approve"] is True  # there is nobody else
    secrets = {
        "SLIPWAY_SLACK_BOT_TOKEN": "xoxb-1",
        "SLIPWAY_SLACK_APP_TOKEN": "xapp-1",
        "SLIPWAY_MATRIX_PASSWORD": "x",
    }
    checked = run_slipway("check", "--strict", cwd=tmp_path, env=secrets)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    if "slack" in tables:
        assert "slack.bot_token: is missing" in ended.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "Where do you talk: console, matrix or slack"),
        ((*MATRIX, ALICE), "Where are your images and machines: aws or azure"),
        ((*MATRIX[:2], *AZURE, ALICE), "matrix: the rooms to work in, by id (!abc:example.org) or alias"),
        ((*MATRIX, *AZURE[1:], ALICE), "azure: the subscription's id"),
        ((*MATRIX, *AZURE), "Who are you?"),
        ((*MATRIX, *AZURE, ALICE), "--own-approval, or another --person ID=ACCOUNT: alice is alone"),
        ((*MATRIX, *AZURE, ALICE, BOB, "--own-approval"), "where there are others, they approve"),
        ((*MATRIX[:2], *AZURE, ALICE, BOB, "--set=matrix.rooms=#releng"), '"#releng" is not a room'),
        ((*MATRIX, *AZURE, ALICE, BOB, "--set=azure.gallery=the gallery"), "cannot be a gallery's name"),
        (
            (*MATRIX, *AZURE, ALICE, BOB, "--set=azure.resource_group=fedora cloud"),
            "cannot be a resource group's name",
        ),
        (
            (*MATRIX, "--set=azure.staging.subscription_id=x", "--person=alice=@alice:a"),
            "azure.staging.subscription_id: ",
        ),
        ((*MATRIX, *AZURE, ALICE, "--chat=matrx"), 'there is no chat "matrx"; did you mean "matrix"?'),
        ((*MATRIX, *AZURE, ALICE, "--set=matrix.pasword=x"), "matrix.pasword: there is no such key"),
        (
            (*MATRIX, *AZURE, ALICE, "--set=matrix.password=x"),
            "matrix.password: a secret does not belong into this",
        ),
        (
            (*MATRIX, *AZURE, ALICE, "--set=azure.max_attempts=99"),
            "azure.max_attempts: it is 99; must be at most 10",
        ),
        ((*MATRIX, *AZURE, ALICE, "--set=a]\n[b=1"), "takes a key and a value"),
        ((*MATRIX, *AZURE, ALICE, "--set=matrix=x"), "matrix: this is a table; name a setting in it"),
        ((*MATRIX, *AZURE, ALICE, "--set=policy=x"), "policy: this is a table; name a setting in it"),
        ((*MATRIX, *AZURE, ALICE, "--set=matrix.homeserver.x=1"), "The keys do not fit together"),
        ((*MATRIX, *AZURE, ALICE, "--set=a b=1"), "a b: this is no key of slipway.toml"),
        ((*MATRIX, *AZURE, ALICE, "--set=name="), "takes a key and a value, like matrix.homeserver="),
        (
            (*MATRIX, *AZURE, "--person=alice"),
            "--person takes a key and a value, like alice=matrix:@alice:example.org",
        ),
        (
            (*MATRIX, ALICE, "--set=aws.region=mars"),
            'aws.region: "mars" cannot be a region; write it like eu-west-1',
        ),
        ((*MATRIX, *AZURE[1:], ALICE, "--set=azure.subscription_id=1234"), '"1234" cannot be Azure\'s id'),
        (
            ("--set=azure.subscription_id=1234", "--set=azure.max_attempts=99"),
            "--chat NAME: Where do you talk",
        ),
        (
            ("--chat=matrix", "--set=azure.max_attempts=99"),
            "azure.max_attempts: it is 99; must be at most 10",
        ),
        (("--chat=matrix", "--cloud=azure"), "--set azure.gallery=VALUE: azure: the gallery's name"),
        ((*MATRIX, *AZURE, "--person=Alice=@a:b"), "Write lowercase letters"),
        ((*MATRIX, *AZURE, "--person=alice=alice"), '"matrix:alice" is not a Matrix account'),
    ],
)
def test_what_no_flag_says_or_says_wrongly_is_told_and_nothing_is_written(
    flags: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = run_slipway("init", *flags, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def at_a_terminal(folder: Path, said: tuple[tuple[str, str], ...], *flags: str) -> tuple[int, str]:
    """Answer each question when it is asked; the exit status, and all that was shown behind the last answer."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "slipway", "init", *flags]
    env = environment(PYTHONPATH=str(ROOT))
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=env) as process:
        os.close(slave)
        try:
            for question, answer in said:
                until(master, question, ": ")
                os.write(master, f"{answer}\n".encode())
            shown = until(master, end=True)
            status = process.wait(TIMEOUT_SECONDS)
        finally:
            process.kill()
    os.close(master)
    return status, shown


def test_at_a_terminal_each_thing_is_asked_for_and_a_mistake_is_asked_again_at_once(tmp_path: Path) -> None:
    said = (
        ("Where do you talk: console, matrix or slack; several with commas", "matrix"),
        ("aws or azure; several with commas", "azure"),
        ("matrix: the homeserver", "http://chat.fedora.im"),
        ("is not encrypted", "https://chat.fedora.im"),
        ("matrix: the bot's own account", "@slipway:fedora.im"),
        ("matrix: the rooms", "#releng"),
        ('"#releng" is not a room', "!releng:fedora.im"),
        ("azure: the subscription", "x"),
        ('"x" cannot be Azure\'s id', "8f1e2d3c-6b5a-4978-8695-a4b3c2d1e0f9"),
        ("azure: the name of the resource group", "fedora cloud"),
        ("cannot be a resource group's name", "images"),
        ("azure: the gallery", "Fedora"),
        ("Who are you?", "alice"),
        ("like matrix:@alice:example.org", "alice"),
        ("is not a Matrix account", "@alice:fedora.im"),
        ("Who else?", ""),
        ("May alice approve what alice asked for", "perhaps"),
        ("Write yes or no", "no"),
        ("Who else?", "bob"),
        ("like matrix:@bob:example.org", "matrix:@bob:fedora.im"),
        ("nothing if that is all", ""),
    )
    status, shown = at_a_terminal(tmp_path, said)
    assert (status, "slipway.toml is written" in shown) == (0, True)
    assert (
        "Not in it, and shown by `slipway example`: [slack], [aws], [profiles], the schedule nightly-t"
        in shown
    )
    assert f"Switched off: the schedules {SCHEDULES}; `enabled = true`" in shown
    document = written(tmp_path)
    assert document["matrix"]["homeserver"] == "https://chat.fedora.im"
    assert document["policy"]["promote"]["requester_may_approve"] is False
    assert [each["identities"] for each in document["person"]] == [
        ["matrix:@alice:fedora.im"],
        ["matrix:@bob:fedora.im"],
    ]


def test_several_may_be_chosen_as_people_list_them() -> None:
    declarations = declared()
    form = Form(declarations, Filling(declarations, {}, Path("/")))
    answers = Answers(chats=["matrix"])
    question = next(form.questions(answers))
    assert form.take(answers, question, "AWS or azure") == ('there is no cloud "or". There are: aws, azure',)
    assert form.take(answers, question, "AWS and azure") == ()
    assert answers.clouds == ["aws", "azure"]


def test_what_was_typed_is_not_thrown_away_for_a_mistake_that_no_question_is_about(tmp_path: Path) -> None:
    """Such as of a policy that two would have to meet, where only one is named."""
    said = (
        ("Who are you?", "alice"),
        ("The account of alice", "@alice:fedora.im"),
        ("Who else?", ""),
        ("May alice approve", "yes"),
    )
    status, shown = at_a_terminal(tmp_path, said, *MATRIX, *AZURE, "--set=policy.rollback.approvals=2")
    assert (status, "slipway.toml is written, and has mistakes to mend" in shown) == (2, True), shown
    assert "policy.rollback.approvals: " in shown
    assert written(tmp_path)["person"][0]["id"] == "alice"


def test_a_room_known_by_its_alias_keeps_the_schedules_and_says_what_they_lack(tmp_path: Path) -> None:
    flags = (*MATRIX[:2], "--set=matrix.rooms=#releng:fedora.im", *AZURE, ALICE, BOB, "--schedules")
    ended = run_slipway("init", *flags, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    said = f"Switched off: the schedules {SCHEDULES}, which take a room's id"
    assert said in ended.stdout
    assert {each["enabled"] for each in written(tmp_path)["schedule"]} == {False}
    assert "[roles.publisher]" in (tmp_path / "slipway.toml").read_text("utf-8")


def test_check_warns_where_somebody_alone_got_company(tmp_path: Path) -> None:
    assert run_slipway("init", *MATRIX, *AZURE, ALICE, "--own-approval", cwd=tmp_path).returncode == 0
    file = tmp_path / "slipway.toml"
    bob = '[[person]]\nid = "bob"\nidentities = ["matrix:@bob:fedora.im"]\nroles = ["releng"]\n'
    file.write_text(f"{file.read_text('utf-8')}\n{bob}", "utf-8")
    checked = run_slipway("check", "--strict", cwd=tmp_path, env={"SLIPWAY_MATRIX_PASSWORD": "x"})
    assert checked.returncode == 2
    assert re.search(
        r"whoever asks may approve it alone, in everything that takes an approval \(cleanup, .*\bpromote",
        checked.stdout,
    )


def test_the_recipe_of_the_service_gives_what_it_sets_up_its_secret(tmp_path: Path) -> None:
    """The line of docs/operating.md that names the file, on what `slipway init` writes there."""
    recipe = (ROOT / "docs" / "operating.md").read_text("utf-8").split("## As a service")[1]
    (edit,) = [line for line in recipe.splitlines() if line.startswith("sed -i ")]
    account = (
        "--set=azure.tenant_id=8f1e2d3c-6b5a-4978-8695-a4b3c2d1e0f8",
        "--set=azure.client_id=8f1e2d3c-6b5a-4978-8695-a4b3c2d1e0f7",
    )
    folder = ("--set=state_dir=/var/lib/slipway",)
    ended = run_slipway("init", *MATRIX, *AZURE, *account, ALICE, BOB, *folder, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "azure-client-secret"
    secret.touch(0o640)
    secret.write_text("from-a-file\n")
    subprocess.run(["sh", "-c", edit.replace("/etc/slipway", str(tmp_path))], check=True)
    assert written(tmp_path)["azure"]["client_secret_file"] == "secrets/azure-client-secret"
    checked = run_slipway("check", "--strict", cwd=tmp_path, env={"SLIPWAY_MATRIX_PASSWORD": "x"})
    assert checked.returncode == 0, checked.stdout + checked.stderr
    unit = (ROOT / "deploy" / "slipway.service").read_text("utf-8")
    for same in ("SLIPWAY_CONFIG=/etc/slipway/slipway.toml", "/opt/slipway/bin/slipway", "User=slipway"):
        assert same in unit
        assert same.removeprefix("User=") in recipe
