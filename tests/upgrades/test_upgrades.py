"""Each state that a release left behind in the middle of an operation: this version takes it up, and finishes it."""

from __future__ import annotations

import asyncio
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.cli import migrate
from slipway.bot.operations import audit
from slipway.bot.operations.model import OperationState
from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.postgres import PostgresAccess
from tests.support.clock import FakeClock
from tests.support.harness import running_bot
from tests.support.pauses import no_pauses, poll_often
from tests.support.processes.postgres import Postgres
from tests.upgrades.parked import SCENARIOS, Parked, boundaries
from tests.upgrades.worlds import Amis, Gallery, state_of

STATES = Path(__file__).parent / "states"

USUAL = "promote-step-2-after"
"""Of each release, this one is looked at without ``-m slow``, too: two effects are there, and one report."""

USUAL_ON_AWS = "promote-aws-step-2-after"


def _kept() -> Mapping[str, Parked]:
    found = {}
    for archive in sorted(STATES.glob("*.tar.xz")):
        with tarfile.open(archive) as packed:
            for member in packed:
                if member.name.endswith("parked.json"):
                    text = packed.extractfile(member)
                    assert text is not None
                    parked = Parked.read(text.read().decode())
                    found[str(parked)] = parked
    return found


KEPT = _kept()

RELEASES = sorted({parked.release for parked in KEPT.values()})


def unpack(parked: Parked, folder: Path) -> Path:
    """The state folder that was left behind."""
    inside = f"{parked.scenario}-{parked.boundary}/state/"
    with tarfile.open(STATES / f"{parked.release}.tar.xz") as packed:
        members = [each for each in packed if each.name.startswith(inside)]
        packed.extractall(folder, members, filter="data")
    return folder / inside


def test_each_release_left_a_state_at_every_boundary() -> None:
    for release in RELEASES:
        known = [each for each in SCENARIOS.values() if each.known_to(release)]
        wanted = {f"{each.name}-{place}" for each in known for place in boundaries(each)}
        found = {f"{each.scenario}-{each.boundary}" for each in KEPT.values() if each.release == release}
        assert found == wanted, release


def _cases() -> list[object]:
    return [
        pytest.param(parked, id=name, marks=() if name.endswith((USUAL, USUAL_ON_AWS)) else pytest.mark.slow)
        for name, parked in KEPT.items()
    ]


async def finish(parked: Parked, state: Path, changes: Mapping[str, object]) -> None:
    """Have the bot of now work on a state until nothing of the operation is left to do, and look at the end."""
    clock = FakeClock(parked.made_at + timedelta(minutes=1))
    scenario = SCENARIOS[parked.scenario]
    world = scenario.world(parked.flags, parked.made_at, clock)
    await world.start()
    try:
        async with running_bot(
            state,
            azure=world.azure if isinstance(world, Gallery) else None,
            aws=world.aws if isinstance(world, Amis) else None,
            clock=clock,
            sleep=no_pauses,
            changes={**world.changes, **changes},
        ) as bot:
            await bot.running.idle()
            operation = await bot.running.operations.get(parked.operation)
            if parked.boundary == "proposed":
                assert operation.state is OperationState.PROPOSED
                await bot.say("bob", f"!approve {parked.operation}")
                operation = await bot.running.operations.get(parked.operation)
            assert operation.state is OperationState.DONE, operation.outcome
            assert isinstance(await audit.verify(bot.running.database), audit.Intact)
        found = await world.look()
        states = {
            name: {version: state_of(facts) for version, facts in versions.items()}
            for name, versions in found.items()
        }
        assert states == scenario.wished(parked.made_at)
        assert set(world.asked().values()) <= {1}, "each step changed the cloud once"
    finally:
        await world.stop()


@pytest.mark.parametrize("parked", _cases())
async def test_what_a_release_left_in_the_middle_of_an_operation_is_finished(
    parked: Parked, tmp_path: Path
) -> None:
    poll_often()
    await finish(parked, await asyncio.to_thread(unpack, parked, tmp_path), {})


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
async def test_it_is_finished_on_postgresql_too_once_it_was_taken_there(
    release: str, tmp_path: Path, postgres: Postgres
) -> None:
    poll_often()
    parked = KEPT[f"{release}/{USUAL}"]
    state = await asyncio.to_thread(unpack, parked, tmp_path)
    url = await asyncio.to_thread(postgres.empty)
    await migrate._migrate(state, PostgresAccess(url))
    await finish(parked, state, {"database": {"url": url}})


@pytest.mark.parametrize("release", RELEASES)
async def test_a_database_of_a_release_is_migrated_with_everything_in_it(
    release: str, tmp_path: Path
) -> None:
    parked = KEPT[f"{release}/{USUAL}"]
    path = unpack(parked, tmp_path) / DATABASE
    before = _contents(path)
    database = Database(path)
    await database.open()
    assert isinstance(await audit.verify(database), audit.Intact)
    await database.close()
    after = _contents(path)
    for table, rows in before.items():
        assert len(after[table]) == len(rows), table
        shared = [
            name for name in next(iter(rows), {}) if name in after[table][0]
        ]  # some have other names now
        for old, new in zip(rows, after[table], strict=True):
            assert [old[name] for name in shared] == [new[name] for name in shared], table


def _contents(path: Path) -> dict[str, list[dict[str, object]]]:
    with closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        names = file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return {
            name: [dict(row) for row in file.execute(f"SELECT * FROM {name} ORDER BY 1, 2")]  # noqa: S608
            for (name,) in names
            if name not in ("alembic_version", "sqlite_sequence")
        }
