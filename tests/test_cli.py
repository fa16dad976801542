"""The `slipway` program as an operator meets it: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway import __version__
from slipway.bot import declared
from slipway.bot.cli.main import main
from tests.store.test_database import migrate_to
from tests.support.processes.program import (
    CONSOLE_CONFIGURATION,
    ROOT,
    TIMEOUT_SECONDS,
    environment,
    line_with,
    run_slipway,
    running_slipway,
)

pytestmark = pytest.mark.xdist_group("program")

PASSWORD = "correct-horse-battery"

INTERRUPTED_IMPORT = """
import os
import signal
import sys


class CtrlC:
    def find_spec(self, name, path, target=None):
        if name == os.environ["CTRL_C_WHEN_IMPORTED"]:
            signal.raise_signal(signal.SIGINT)


sys.meta_path.insert(0, CtrlC())
"""
"""What Python runs before a program: Ctrl-C comes at the moment in which a module is to be loaded."""

BROKEN = """
[matrix]
homeserver = "https://matrix.example.org"
user_id = "slipway"

[azure]
gallery = "Fedora"

[policy.promote]
role = "relengg"

[roles.releng]
may = ["promot"]

[[person]]
id = "alice"
identities = ["matrix:@alice:example.org"]
roles = ["releng"]
"""
WRONG_KEYS = (
    "matrix.user_id",
    "azure.subscription_id",
    "azure.resource_group",
    "policy.promote.role",
    "roles.releng.may",
)


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    (tmp_path / "slipway.toml").write_text(CONSOLE_CONFIGURATION)
    return tmp_path


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of a demo in which one promotion was approved and done, and one rejected."""
    state = tmp_path_factory.mktemp("worked") / "state"
    said = "!promote Fedora-Cloud-43-x64\n@bob: 1\n!promote Fedora-Cloud-42-x64\n@bob: 4\n"
    ended = run_slipway("demo", "--state", str(state), said=said)
    assert ended.returncode == 0, ended.stderr
    return state


def test_the_version_is_printed() -> None:
    ended = run_slipway("version", fresh=True)
    assert (ended.returncode, ended.stdout) == (0, f"slipway {__version__}\n")


def test_help_names_every_command() -> None:
    shown = run_slipway("--help").stdout
    for command in ("run", "demo", "check", "health", "audit", "version"):
        assert f"  {command} " in shown


def test_a_right_configuration_is_described_without_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "slipway.toml").write_text((ROOT / "slipway.example.toml").read_text())
    ended = run_slipway("check", cwd=tmp_path, env={"SLIPWAY_MATRIX_PASSWORD": PASSWORD})
    assert ended.returncode == 0, ended.stderr
    assert "slipway.toml is right." in ended.stdout
    assert "matrix.password from the environment variable SLIPWAY_MATRIX_PASSWORD" in ended.stdout
    assert PASSWORD not in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_broken_configuration_is_named_mistake_by_mistake_and_starts_nothing(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "slipway.toml").write_text(BROKEN)
    ended = run_slipway(command, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    for key in WRONG_KEYS:
        assert re.search(rf"✘ {re.escape(key)} \(line \d+\): ", ended.stderr), key
    assert ("Nothing was started." in ended.stderr) is (command == "run")
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["slipway.toml"]


def test_any_file_is_checked_and_what_comes_on_standard_input(tmp_path: Path) -> None:
    example = run_slipway("example", fresh=True).stdout
    piped = run_slipway("check", "-", said=example, cwd=tmp_path, fresh=True)
    assert piped.returncode == 0, piped.stderr
    assert f"state in {tmp_path / 'state'}" in piped.stdout
    assert re.search(
        r"⚠ matrix.homeserver \(line \d+\): .* stands for an example; write your own", piped.stdout
    )
    assert re.search(
        r"What came on standard input is right. \d+ things look unfinished.$", piped.stdout.strip()
    )
    assert run_slipway("check", "-", "--strict", said=example).returncode == 2
    broken = run_slipway("check", "-", said="zone = UTC")
    assert (broken.returncode, "standard input: this is not TOML: " in broken.stderr) == (2, True)

    other = tmp_path / "other.toml"
    other.write_text(CONSOLE_CONFIGURATION)
    assert (
        f"{other} is right.\n" in run_slipway("check", str(other), env={"SLIPWAY_CONFIG": "/nowhere"}).stdout
    )
    assert f"{other} is right.\n" in run_slipway("check", env={"SLIPWAY_CONFIG": str(other)}).stdout
    twice = run_slipway("check", str(other), "--config", str(other))
    assert (twice.returncode, "Name the file once" in twice.stderr) == (2, True)


def test_help_explains_each_command_as_the_option_does(tmp_path: Path) -> None:
    for words in ((), ("audit",), ("audit", "verify")):
        asked, option = run_slipway("help", *words), run_slipway(*words, "--help")
        assert asked.returncode == 0
        assert asked.stdout.split() == option.stdout.split(), words
    wrong = run_slipway("help", "audit", "verfy")
    assert (wrong.returncode, "No such command 'audit verfy'" in wrong.stderr) == (2, True)


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    (tmp_path / "slipway").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m slipway "$@"\n')
    (tmp_path / "slipway").chmod(0o755)
    lines = (
        'eval "$(slipway completion bash)"',
        "COMP_WORDS=(slipway audit ver) COMP_CWORD=2",
        "_slipway_completion slipway",
        'echo "${COMPREPLY[@]}"',
    )
    ended = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        env=environment(PATH=f"{tmp_path}:/usr/bin:/bin"),
        cwd=ROOT,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("verify\n", "")
    for shell in ("zsh", "fish"):
        assert "_SLIPWAY_COMPLETE" in run_slipway("completion", shell).stdout


def test_a_missing_configuration_says_what_to_copy(tmp_path: Path) -> None:
    ended = run_slipway("run", "--config", "nowhere.toml", cwd=tmp_path)
    assert ended.returncode == 2
    assert "`slipway example > nowhere.toml`" in ended.stderr


def test_doctor_tells_in_a_sentence_what_keeps_it_from_opening_an_account(tmp_path: Path) -> None:
    lines = CONSOLE_CONFIGURATION.replace("[azure]", "[azure.staging]").splitlines()
    (tmp_path / "slipway.toml").write_text("\n".join(line for line in lines if "endpoint" not in line))
    ended = run_slipway("doctor", cwd=tmp_path, env={"SLIPWAY_AZURE_STAGING_CLIENT_SECRET": PASSWORD})
    assert ended.returncode == 2
    assert "azure.staging (line 5): a client secret needs tenant_id and client_id beside it" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert PASSWORD not in ended.stderr


def test_a_running_bot_is_well_alone_on_its_state_and_stops_on_sigterm(configured: Path) -> None:
    before = run_slipway("health", cwd=configured)
    assert (before.returncode, "No Slipway is running" in before.stderr) == (1, True)
    with running_slipway("run", cwd=configured) as process:
        line_with(process.stderr, "ready")
        while_running = run_slipway("health", cwd=configured)
        assert (while_running.returncode, while_running.stdout) == (
            0,
            "Slipway is well.\nazure was not asked for anything since the start.\n",
        )

        second = run_slipway("run", cwd=configured)
        assert second.returncode == 1
        assert f"Another Slipway (process {process.pid}) already works on" in second.stderr
        assert "Traceback" not in second.stderr

        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_SECONDS) == 0
    after = run_slipway("health", cwd=configured)
    assert (after.returncode, "No Slipway is running" in after.stderr) == (1, True)


def test_health_and_the_trail_ask_a_configuration_for_nothing_but_the_state_folder(tmp_path: Path) -> None:
    """A bot that runs is not ill because somebody has begun to change the file."""
    (tmp_path / "slipway.toml").write_text(f'state_dir = "kept"\n{BROKEN}')
    health = run_slipway("health", cwd=tmp_path)
    assert (health.returncode, health.stderr) == (1, f"No Slipway is running on {tmp_path / 'kept'}.\n")
    trail = run_slipway("audit", "verify", cwd=tmp_path)
    assert (trail.returncode, trail.stderr) == (1, f"There is no audit trail in {tmp_path / 'kept'}.\n")

    (tmp_path / "slipway.toml").write_text("state_dir = 3")
    wrong = run_slipway("health", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "✘ state_dir: it is 3; must be text in quotes" in wrong.stderr
    assert "`slipway example > nowhere.toml`" in run_slipway("health", "--config", "nowhere.toml").stderr


def test_a_list_that_names_what_is_not_there_is_told_in_a_sentence(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared, "CHATS", (*declared.CHATS, "pigeons"))
    ended = CliRunner().invoke(main, ["check", "--config", str(configured / "slipway.toml")])
    assert (ended.exit_code, ended.output) == (
        1,
        "bot/declared.py names slipway.bot.chat.pigeons.declaration, and there is no such module.\n",
    )


def test_a_bot_that_was_killed_leaves_its_state_to_the_next(configured: Path) -> None:
    with running_slipway("run", cwd=configured) as process:
        line_with(process.stderr, "ready")
        process.kill()
        process.wait(TIMEOUT_SECONDS)
    ended = run_slipway("run", cwd=configured, said="!whoami\n")
    assert ended.returncode == 0, ended.stderr
    assert "You are alice." in ended.stdout


def test_a_state_folder_that_cannot_be_made_is_named(configured: Path) -> None:
    (configured / "state").write_text("a file where the folder should be")
    ended = run_slipway("run", cwd=configured)
    assert ended.returncode == 1
    assert f"The state folder {configured / 'state'} cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_audit_trail_is_proved_and_printed(worked: Path) -> None:
    proof = run_slipway("audit", "verify", "--state", str(worked))
    assert proof.returncode == 0, proof.stderr
    count, head = int(proof.stdout.split("holds: ")[1].split()[0]), proof.stdout.split("Head: ")[1].strip()

    entries = [
        json.loads(line) for line in run_slipway("audit", "show", "--state", str(worked)).stdout.splitlines()
    ]
    assert len(entries) == count
    assert entries[-1]["hash"] == head
    assert {"proposed", "approval", "approved", "started", "done", "rejected"} <= {
        entry["action"] for entry in entries
    }

    first = next(entry["operation"] for entry in entries if entry["operation"])
    only = run_slipway("audit", "show", "--state", str(worked), first).stdout.splitlines()
    assert {json.loads(line)["operation"] for line in only} == {first}
    assert len(only) < count

    unknown = run_slipway("audit", "show", "--state", str(worked), "op-zzzz")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "The trail holds nothing of op-zzzz" in unknown.stderr

    assert run_slipway("audit", "verify", "--state", str(worked), "--expect", head).returncode == 0
    cut = run_slipway("audit", "verify", "--state", str(worked), "--expect", "f" * 64)
    assert cut.returncode == 1
    assert "newer entries were cut off" in cut.stderr


def test_a_changed_audit_entry_is_found(worked: Path, tmp_path: Path) -> None:
    with sqlite3.connect(worked / "slipway.db") as original, sqlite3.connect(tmp_path / "slipway.db") as copy:
        original.backup(copy)
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            copy.execute("UPDATE audit SET actor = 'carol' WHERE number = 2")
        copy.execute("DROP TRIGGER audit_no_update")
        copy.execute("UPDATE audit SET actor = 'carol' WHERE number = 2")
    ended = run_slipway("audit", "verify", "--state", str(tmp_path))
    assert ended.returncode == 1
    assert "entry 2 was changed after it was written" in ended.stderr


@pytest.mark.parametrize("command", ["verify", "show"])
@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("0002", "was written by an older Slipway (schema 0002; this one knows"),
        ("9999", "was written by a newer Slipway (schema 9999; this one knows"),
        ("", "holds no table of Slipway's. Start Slipway once"),
    ],
    ids=["older", "newer", "none"],
)
def test_a_trail_of_another_schema_is_told_of_and_left_as_it_is(
    command: str, schema: str, told: str, tmp_path: Path
) -> None:
    """A bot of that version may be working on it at this very moment."""
    database = tmp_path / "slipway.db"
    database.touch()
    if schema:
        migrate_to("0002", database)
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))
    before = database.read_bytes()
    ended = run_slipway("audit", command, "--state", str(tmp_path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{database} {told}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert database.read_bytes() == before
    assert list(tmp_path.iterdir()) == [database]


def test_a_trail_is_read_in_a_folder_of_any_name(worked: Path, tmp_path: Path) -> None:
    state = tmp_path / "what? 100%#1"
    state.mkdir()
    (state / "slipway.db").write_bytes((worked / "slipway.db").read_bytes())
    assert "The audit trail holds" in run_slipway("audit", "verify", "--state", str(state)).stdout


@pytest.mark.parametrize("content", [None, b"this is no database, however long it may be" * 100])
def test_what_is_no_audit_trail_is_said_to_be_none(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "slipway.db").write_bytes(content)
    ended = run_slipway("audit", "verify", "--state", str(tmp_path))
    assert ended.returncode == 1
    assert str(tmp_path) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_reader_of_the_trail_may_leave_early(worked: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "slipway", "audit", "show", "--state", str(worked)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_nothing_is_written_beside_the_state_folder(configured: Path) -> None:
    assert run_slipway("run", cwd=configured, said="!status\n").returncode == 0
    assert {path.name for path in configured.iterdir()} == {"slipway.toml", "state"}
    assert (configured / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        pytest.param(("demo",), "click", id="the library of the command line"),
        pytest.param(("demo",), "slipway.bot.cli.common", id="the program"),
        pytest.param(("demo",), "slipway.bot.cli.demo", id="its demo"),
        pytest.param(("audit", "--help"), "slipway.bot.cli.audit", id="a group of commands"),
    ],
)
def test_ctrl_c_while_it_is_loaded_ends_it_quietly(
    tmp_path: Path, arguments: tuple[str, ...], module: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_IMPORT)
    env = {"PYTHONPATH": str(tmp_path), "CTRL_C_WHEN_IMPORTED": module}
    ended = run_slipway(*arguments, env=env)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
