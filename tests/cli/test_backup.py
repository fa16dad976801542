"""`slipway backup` while a bot works, and `slipway restore`."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.bot.cli.main import main
from slipway.bot.core.errors import StateError
from slipway.bot.operations.audit import Intact, lines, verify
from slipway.bot.store.backups.making import make_backup
from slipway.bot.store.backups.manifest import MANIFEST, Manifest
from slipway.bot.store.backups.restoring import restore_backup
from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.state_files import WORKFLOWS
from tests.support.azure import X64
from tests.support.clock import NOW
from tests.support.harness import running_bot
from tests.support.processes.program import CONSOLE_CONFIGURATION


async def proved(folder: Path) -> list[str]:
    database = Database(folder / DATABASE)
    await database.open()
    try:
        assert isinstance(await verify(database), Intact)
        return await lines(database)
    finally:
        await database.close()


async def test_a_backup_of_a_working_bot_goes_on_where_it_was_made(tmp_path: Path) -> None:
    state, file = tmp_path / "state", tmp_path / "backup.tar.gz"
    async with running_bot(state) as bot:
        await bot.say("alice", f"!promote {X64}")
        making = asyncio.create_task(asyncio.to_thread(make_backup, state, file, "slipway", NOW))
        await bot.say("carol", "!status")
        made = await making
        (shown,) = await bot.say("alice", "!pending")
        await bot.say("bob", "!approve")
    assert file.stat().st_mode & 0o777 == 0o600
    assert {DATABASE, WORKFLOWS, "executor-id"} <= set(made.files)
    assert not {"lock", "health.json"} & set(made.files)
    assert names_in(tmp_path) == [file.name, state.name]  # nothing is left beside it
    again = tmp_path / "again"
    again.mkdir(mode=0o700)
    assert restore_backup(file, again, "slipway") == made
    assert len(await proved(again)) == made.entries
    async with running_bot(again) as bot:
        # What was heard before counts as heard, by its event's id.
        answers = [answer.text for _ in range(6) for answer in await bot.say("alice", "!pending")]
    assert X64 in shown.text
    assert any(X64 in answer for answer in answers)


async def test_a_folder_that_is_used_is_left_alone(tmp_path: Path) -> None:
    state, file = tmp_path / "state", tmp_path / "backup.tar.gz"
    async with running_bot(state):
        pass
    make_backup(state, file, "slipway", NOW)
    with pytest.raises(StateError, match="is used already"):
        restore_backup(file, state, "slipway")
    with pytest.raises(StateError, match="there already"):
        make_backup(state, file, "slipway", NOW)
    with pytest.raises(StateError, match="would be a part of the next backup"):
        make_backup(state, state / "backups.tar.gz", "slipway", NOW)
    with pytest.raises(StateError, match="nothing to back up"):
        make_backup(tmp_path, tmp_path / "other", "slipway", NOW)


async def test_what_is_not_whole_is_no_backup(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with running_bot(state):
        pass
    with closing(sqlite3.connect(state / WORKFLOWS)) as file:
        file.execute("UPDATE slipway_installation SET value = 'another' WHERE name = 'id'")
        file.commit()
    with pytest.raises(StateError, match="belong to two installations"):
        make_backup(state, tmp_path / "backup.tar.gz", "slipway", NOW)
    assert names_in(tmp_path) == [state.name]


@pytest.mark.parametrize("how", ["changed", "cut", "outside", "other", "newer", "of staging"])
async def test_a_backup_that_is_damaged_or_forged_is_put_nowhere(tmp_path: Path, how: str) -> None:
    state, file, into = tmp_path / "state", tmp_path / "backup.tar.gz", tmp_path / "into"
    async with running_bot(state):
        pass
    made = make_backup(state, file, "slipway", NOW)
    into.mkdir()
    match how:
        case "changed":
            rewrite(file, made, {"executor-id": b"another"})
        case "cut":
            file.write_bytes(file.read_bytes()[:-2000])
        case "outside":
            forged = Manifest(**{**vars(made), "files": {**made.files, "../out": made.files["executor-id"]}})
            rewrite(file, forged, {"../out": b"x"})
        case "other":
            file.write_bytes(b"no archive")
        case "of staging":
            rewrite(file, Manifest(**{**vars(made), "deployment": "staging"}), {})
        case _:
            rewrite(file, Manifest(**{**vars(made), "schema": "9999"}), {})
    with pytest.raises(StateError) as told:
        restore_backup(file, into, "slipway")
    assert "Traceback" not in str(told.value)
    assert list(into.iterdir()) == []
    assert not (tmp_path / "out").exists()


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def rewrite(file: Path, manifest: Manifest, changed: dict[str, bytes]) -> None:
    with tarfile.open(file) as archive:
        held = {
            each.name: found.read() for each in archive.getmembers() if (found := archive.extractfile(each))
        }
    held |= {**changed, MANIFEST: manifest.text().encode()}
    with tarfile.open(file, "w:gz") as archive:
        for name in (MANIFEST, *(each for each in held if each != MANIFEST)):
            entry = tarfile.TarInfo(name)
            entry.size = len(held[name])
            archive.addfile(entry, io.BytesIO(held[name]))


def test_the_commands_say_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slipway.toml").write_text(CONSOLE_CONFIGURATION)
    none = CliRunner().invoke(main, ["backup", "b.tar.gz"])
    assert (none.exit_code, "nothing to back up" in none.output) == (1, True)

    async def work() -> None:
        async with running_bot(tmp_path / "state"):
            pass

    asyncio.run(work())
    (tmp_path / "to").mkdir()
    done = CliRunner().invoke(main, ["backup", "to"])
    assert done.exit_code == 0, done.output
    (file,) = (tmp_path / "to").iterdir()
    (tmp_path / "state").rename(tmp_path / "before")
    put_back = CliRunner().invoke(main, ["restore", str(file)])
    assert put_back.exit_code == 0, put_back.output
    assert '"restored"' in asyncio.run(proved(tmp_path / "state"))[-1]
    again = CliRunner().invoke(main, ["restore", str(file)])
    assert (again.exit_code, "is used already" in again.output) == (1, True)
