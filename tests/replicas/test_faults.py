"""Replicas that die, stand still and are stopped: each step is done once, and each person told once."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.store.database import HEAD, MIGRATIONS
from tests.crash.bot_process import is_report
from tests.crash.clouds import History, SimulatedClouds
from tests.replicas.pair import SHORT_LEASE, Pair, until
from tests.support.processes.postgres import Postgres, own_postgres

HISTORY = History(days=(30, 20, 3), promoted=(30, 20))


@pytest.fixture
def pair(clouds: SimulatedClouds, postgres: Postgres, tmp_path: Path) -> Iterator[Pair]:
    """Two replicas that were not started."""
    made = Pair(tmp_path, clouds, postgres.new())
    yield made
    clouds.clear()
    made.close()


def gallery(pair: Pair, *names: str) -> tuple[str, ...]:
    """Definitions whose newest version is to be promoted."""
    for name in names:
        pair.clouds.add_definition(name, HISTORY)
    return names


def promoted(pair: Pair, name: str) -> bool:
    versions = pair.clouds.versions(name)
    return versions[max(versions)]["excluded"] is False


def writes(pair: Pair, *names: str) -> Counter[str]:
    """How often each version was written."""
    return Counter(
        entry.path.rpartition("/images/")[2]
        for entry in pair.clouds.azure.writes
        if any(f"/images/{name}/" in entry.path for name in names)
    )


def begin_promotion(pair: Pair, leader: str, pattern: str) -> None:
    """Have it proposed and approved."""
    pair.bots[leader].say(f"!promote {pattern}")
    card = pair.bots[leader].until(lambda line: bool(line.get("buttons")))
    assert card
    pair.bots[leader].say("@bob: !approve")


def test_killed_in_the_middle_of_an_operation_its_work_is_ended_by_the_other(pair: Pair) -> None:
    names = gallery(pair, "Killed-1", "Killed-2", "Killed-3")
    pair.start("a")
    pair.start("b")
    held = pair.clouds.inject_fault(
        pair.clouds.azure_faults, Fault(kind=FaultKind.HOLD_AFTER, match="PUT *Killed-2*")
    )
    begin_promotion(pair, "a", "Killed-*")
    pair.clouds.reached(held)
    pair.bots["a"].kill()
    pair.expire()
    until("b leads", lambda: pair.leader() == "b")
    report = pair.bots["b"].until(is_report)
    assert report
    assert pair.state() == "done"
    assert all(promoted(pair, name) for name in names)
    assert set(writes(pair, *names).values()) == {1}
    assert len(pair.reports()) == 1
    assert pair.audit_holds()
    pair.bots["b"].terminate()
    assert pair.bots["b"].ended() == 0


@pytest.mark.slow
def test_one_that_stood_still_for_longer_than_its_lease_does_nothing_more(pair: Pair) -> None:
    pair.lease = SHORT_LEASE
    names = gallery(pair, "Paused-1", "Paused-2", "Paused-3")
    pair.start("a")
    pair.start("b", clock=-7 * 60)
    held = pair.clouds.inject_fault(
        pair.clouds.azure_faults, Fault(kind=FaultKind.HOLD_AFTER, match="PUT *Paused-1*")
    )
    begin_promotion(pair, "a", "Paused-*")
    pair.clouds.reached(held)
    pair.pause("a")
    pair.bots["b"].until(is_report)
    assert pair.state() == "done"
    said, asked = len(pair.bots["a"].lines), len(pair.clouds.azure.writes)
    pair.clouds.wait(_release(held))
    entries = pair.rows("SELECT count(*) AS count FROM audit")
    pair.resume("a")
    assert pair.bots["a"].ended() == os.EX_TEMPFAIL
    assert len(pair.bots["a"].lines) == said
    assert len(pair.clouds.azure.writes) == asked
    assert pair.rows("SELECT count(*) AS count FROM audit") == entries
    assert all(promoted(pair, name) for name in names)
    assert set(writes(pair, *names).values()) == {1}
    assert pair.audit_holds()
    # Started anew it follows, and what it hears is answered by the other.
    pair.start("a").say("!history")
    pair.bots["b"].until(lambda line: "Paused" in str(line))
    assert pair.leader() == "b"


async def _release(held: object) -> None:
    held.release()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_what_is_due_when_the_leader_dies_is_said_once(pair: Pair) -> None:
    gallery(pair, "Ticked-1")

    def yearly(document: str) -> str:
        return document.replace("\nenabled = false\n", '\nmax_late = "400d"\n')

    pair.start("a", changed=yearly)
    pair.start("b", changed=yearly)
    until("it was looked at", lambda: pair.rows("SELECT 1 FROM schedule_tick"))
    held = pair.clouds.inject_fault(
        pair.clouds.azure_faults, Fault(kind=FaultKind.HOLD_BEFORE, match="GET *")
    )
    pair.rows("UPDATE schedule_tick SET last = last - interval '1 year' RETURNING 1")  # due from now on
    pair.bots["a"].kill()
    pair.expire()
    pair.clouds.reached(held)  # the other one takes it up, and dies while it does
    pair.start("a", changed=yearly)
    pair.bots["b"].kill()
    pair.expire()
    pair.clouds.wait(_release(held))
    until("it was answered", lambda: pair.rows("SELECT 1 FROM schedule_run WHERE outcome <> ''"))
    assert len(pair.rows("SELECT 1 FROM dbos.workflow_status WHERE workflow_uuid LIKE %s", "%tick:%")) == 1
    everybody = (*pair.past, *pair.bots.values())

    def said() -> int:
        return sum("image definition" in line["title"] for bot in everybody for line in bot.lines)

    until("it was said", said)
    pair.bots["a"].terminate()
    assert pair.bots["a"].ended() == 0
    assert said() == 1


@pytest.mark.slow
def test_whoever_is_stopped_hands_over_at_once(pair: Pair) -> None:
    gallery(pair, "Stopped-1")
    pair.start("a")
    pair.start("b")
    pair.bots["a"].say("!promote Stopped-1")
    pair.bots["a"].until(lambda line: bool(line.get("buttons")))
    pair.bots["a"].terminate()
    assert pair.bots["a"].ended() == 0
    until("b leads", lambda: pair.leader() == "b")
    pair.bots["b"].say("@bob: !approve")
    pair.bots["b"].until(is_report)
    assert promoted(pair, "Stopped-1")
    assert pair.state() == "done"


TOY = """from alembic import op
import sqlalchemy as sa

revision, down_revision = "9999", "{head}"


def upgrade() -> None:
    op.add_column("operation", sa.Column("toy", sa.Text, nullable=False, server_default="made before"))
"""


@pytest.mark.slow
def test_what_an_older_version_proposed_is_decided_under_the_newer_one_and_heard_by_either(
    pair: Pair, tmp_path: Path
) -> None:
    later = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, later)
    (later / "versions" / "9999_toy.py").write_text(TOY.format(head=HEAD))
    gallery(pair, "Upgraded-1")
    pair.start("a")
    pair.bots["a"].say("!promote Upgraded-1")
    pair.bots["a"].until(lambda line: bool(line.get("buttons")))
    pair.start("b", migrations=later)  # it asks for the lease, since it alone can migrate
    assert pair.bots["a"].ended() == os.EX_TEMPFAIL
    assert pair.leader() == "b"
    assert pair.rows("SELECT toy FROM operation") == [{"toy": "made before"}]
    older = pair.start("a")  # its supervisor starts it again: it hears, and never leads
    older.say("@bob: !approve")
    pair.bots["b"].until(is_report)
    assert promoted(pair, "Upgraded-1")
    assert pair.state() == "done"
    pair.bots["b"].kill()
    older.say("!history")
    until("it is kept", lambda: pair.rows("SELECT id FROM slipway_replicas.inbox"))
    pair.expire()
    time.sleep(3)  # time enough to take it
    assert pair.leader() == ""
    pair.start("b", migrations=later).until(lambda line: "Upgraded" in str(line))
    until("it is taken out", lambda: not pair.rows("SELECT id FROM slipway_replicas.inbox"))


@pytest.mark.slow
def test_a_database_that_is_restarted_in_the_middle_costs_nobody_anything(
    clouds: SimulatedClouds, tmp_path: Path
) -> None:
    with own_postgres() as server:
        pair = Pair(tmp_path, clouds, server.new(), SHORT_LEASE)
        try:
            names = gallery(pair, "Restarted-1", "Restarted-2", "Restarted-3")
            pair.start("a")
            pair.start("b")
            held = clouds.inject_fault(
                clouds.azure_faults, Fault(kind=FaultKind.HOLD_AFTER, match="PUT *Restarted-2*")
            )
            begin_promotion(pair, "a", "Restarted-*")
            clouds.reached(held)
            server.stop()
            clouds.wait(_release(held))
            pair.bots["b"].say("!status")  # heard while nothing can be kept
            time.sleep(13)  # longer than the lease
            server.start()
            pair.bots["a"].until(is_report)
            until(
                "it is answered", lambda: any("is up for" in line["title"] for line in pair.bots["a"].lines)
            )
            assert pair.state() == "done"
            assert all(promoted(pair, name) for name in names)
            assert set(writes(pair, *names).values()) == {1}
            assert len(pair.reports()) == 1
            assert pair.leader() == "a"
            assert pair.rows("SELECT epoch FROM slipway_replicas.leader") == [{"epoch": 1}]
            assert pair.audit_holds()
        finally:
            clouds.clear()
            pair.close()
