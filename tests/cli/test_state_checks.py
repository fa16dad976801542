"""What `slipway doctor` says of the state folder, with the bot away and with it there; and the forms that it says it
in."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.bot.cli.doctor import lines
from slipway.bot.cli.main import main
from slipway.bot.cli.operating.state_checks import examine_state
from slipway.bot.cli.operating.telling import as_json
from slipway.bot.core.probes import Check, Finding, Verdict
from slipway.bot.store.database import DATABASE, StateLock
from slipway.bot.store.state_files import WORKFLOWS
from tests.support.clock import NOW
from tests.support.harness import running_bot
from tests.support.processes.program import CONSOLE_CONFIGURATION, run_slipway


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    """A state folder on which a bot has worked."""
    async with running_bot(tmp_path) as bot:
        await bot.say("alice", "!status")
    return tmp_path


def failing(finding: Finding) -> dict[str, str]:
    return {
        leaf.name: leaf.says for part in finding.parts for leaf in part.leaves() if leaf.own is Verdict.FAIL
    }


async def test_all_is_well_on_a_folder_that_a_bot_left(state: Path) -> None:
    found = examine_state(state, NOW)
    assert failing(found) == {}
    names = [part.name for part in found.parts]
    assert names == ["access", "free space", DATABASE, WORKFLOWS, "files belong together", "the running bot"]
    assert [part.name for part in found.parts[2].parts] == ["reachable", "schema", "integrity", "writable"]


async def test_what_another_user_may_not_look_at_is_said_once_and_nothing_else_of_it(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    found = examine_state(state, NOW)
    assert [part.name for part in found.parts] == ["access", "the running bot"]
    assert "may not be read and written by this user" in failing(found)["access"]
    assert "as the user as whom Slipway runs" in found.parts[0].next


def test_whoever_is_the_wrong_user_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the program: as root in a test, nothing is ever refused."""

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.chdir(tmp_path)
    Path("slipway.toml").write_text(CONSOLE_CONFIGURATION)
    Path("state").mkdir()
    monkeypatch.setattr(Path, "exists", refuse)
    ran = CliRunner().invoke(main, ["backup", "b.tar.gz"])
    assert ran.exit_code == 1
    assert ran.output.endswith(
        "may not be used by this user. Say the same as the user as whom Slipway runs.\n"
    )


async def test_it_looks_while_a_bot_works_and_says_that_it_is_there(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        found = examine_state(tmp_path, NOW)
        assert failing(found) == {}
        (answer,) = await bot.say("alice", "!whoami")
        assert "alice" in answer.text


async def test_a_database_that_is_newer_damaged_or_of_another_time_is_named(state: Path) -> None:
    with closing(sqlite3.connect(state / DATABASE, isolation_level=None)) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer Slipway (schema 9999" in failing(examine_state(state, NOW))["schema"]
    (state / WORKFLOWS).unlink()
    assert "workflows.db is gone" in failing(examine_state(state, NOW))["files belong together"]
    (state / DATABASE).write_bytes(b"no database at all, and long enough to be looked at as one" * 100)
    for name in ("-wal", "-shm"):
        (state / f"{DATABASE}{name}").unlink(missing_ok=True)
    broken = failing(examine_state(state, NOW))
    assert "cannot be used: file is not a database" in broken["reachable"]


async def test_a_file_that_others_may_read_is_warned_of(state: Path) -> None:
    (state / DATABASE).chmod(0o644)
    (access,) = [part for part in examine_state(state, NOW).parts if part.name == "access"]
    assert (access.verdict, DATABASE in access.says) == (Verdict.WARN, True)
    assert access.next.startswith("chmod")


def test_a_folder_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    found = examine_state(tmp_path / "later", NOW)
    assert (found.well, found.detail) == (True, f"{tmp_path / 'later'} is made at the first start")
    assert not (tmp_path / "later").exists()


def test_a_tree_shows_what_is_wrong_in_its_place_and_counts_the_rest() -> None:
    add = "give it what `slipway permissions aws` prints"
    parts = (
        Check("a", Verdict.FAIL, "a is not allowed.", add),
        Check("b", Verdict.FAIL, "b is not allowed.", add),
        Check("c"),
        Check("d", Verdict.UNTRIED, "Not tried: no dry run."),
    )
    finding = Finding("aws", "1 launch template", parts=(Check("rights", parts=parts), Check("clock")))
    assert list(lines(finding, {})) == [
        "✘ aws does not work: 1 launch template",
        "    ✘ rights: 1 of 4 are well, 1 was not tried",
        "        ✘ a: a is not allowed",
        "        ✘ b: b is not allowed",
        "    ✔ clock",
        f"    Next: {add}",
    ]
    told = as_json((finding,), {"aws.access_key_id": "the file k"}, ("slack",))
    assert (told["verdict"], told["skipped"]) == ("fail", ["slack"])
    (aws,) = told["checks"]
    assert aws["by"] == ["aws.access_key_id from the file k"]
    assert [each["verdict"] for each in aws["checks"][0]["checks"]] == ["fail", "fail", "pass", "untried"]


@pytest.mark.xdist_group("program")
def test_json_is_one_document_and_what_is_skipped_is_not_tried(tmp_path: Path) -> None:
    (tmp_path / "slipway.toml").write_text(CONSOLE_CONFIGURATION)
    ran = run_slipway("doctor", "--json", "--skip", "azure", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["skipped"] == ["azure"]
    names = [each["name"] for each in told["checks"]]
    assert "state folder" in names
    assert "azure" not in names
    wrong = run_slipway("doctor", "--skip", "azzure", cwd=tmp_path)
    assert wrong.returncode == 1
    assert "Nothing that is looked at is called azzure; there are: state folder, " in wrong.stderr


async def test_doctor_takes_no_lock_that_a_bot_needs(state: Path) -> None:
    with StateLock(state):
        assert failing(examine_state(state, NOW)) == {}


def test_permissions_prints_documents_alone_on_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slipway.toml").write_text(CONSOLE_CONFIGURATION)
    ran = CliRunner().invoke(main, ["permissions", "azure"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["Name"] == "Slipway image keeper"
    assert "az role definition create" in ran.stderr
    none = CliRunner().invoke(main, ["permissions", "aws"])
    assert (none.exit_code, none.output) == (1, "There is no [aws] in the configuration.\n")
