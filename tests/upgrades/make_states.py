"""Makes the states of one release: ``python -m tests.upgrades.make_states RELEASE [COMMIT [SCENARIO …]]``.

The commit (by default HEAD) is checked out into a temporary worktree, and its Slipway installed into an environment
of its own with the pins that it had. That program is started for each operation of :mod:`.parked` that it knew, once
for each of its boundaries, on a simulated cloud of ours, and killed there. The state folders go into
``states/RELEASE.tar.xz``, which is committed, and is never made anew afterwards. Each release adds its own;
CONTRIBUTING.md says when. Where scenarios are named, they alone are made, and added to what the archive has.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.crash.clouds import CrashFaults
from tests.upgrades.parked import SCENARIOS, Boundary, Parked, Scenario, boundaries

STATES = Path(__file__).parent / "states"
PATIENCE = 300.0  # seconds, on a machine that does other things

CONFIGURATION = """
name = "upgrades"
state_dir = "state"

[console]
enabled = true

{clouds}

[[person]]
id = "alice"
identities = ["console:alice"]
roles = ["releng"]

[[person]]
id = "bob"
identities = ["console:bob"]
roles = ["releng"]

[roles.releng]
may = ["*"]

[policy.promote]
approvals = 1
role = "releng"

[policy.rollback]
approvals = 1
role = "releng"

[policy.cleanup]
approvals = 1
role = "releng"
"""
"""What every release could read."""

CREDENTIALS = {"SLIPWAY_AWS_ACCESS_KEY_ID": "test", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "test"}


def main() -> None:
    """Make them all."""
    release, commit = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "HEAD"
    commit = _git("rev-parse", commit)
    named = [SCENARIOS[name] for name in sys.argv[3:]]
    wanted = named or [each for each in SCENARIOS.values() if each.known_to(release)]
    kept = STATES / f"{release}.tar.xz"
    with tempfile.TemporaryDirectory(prefix="slipway-release-") as name:
        folder = Path(name)
        program = _install(commit, folder)
        made = folder / "states"
        if named:
            with tarfile.open(kept) as archive:
                archive.extractall(made, filter="data")
        for scenario in wanted:
            for boundary in boundaries(scenario):
                parked = asyncio.run(_park(program, release, commit, scenario, boundary, made))
                print(parked.scenario, parked.boundary, parked.operation, flush=True)  # noqa: T201
        STATES.mkdir(exist_ok=True)
        with tarfile.open(kept, "w:xz", preset=9) as archive:
            archive.add(made, arcname="")


def _git(*arguments: str) -> str:
    found = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def _install(commit: str, folder: Path) -> Path:
    """The program of a commit."""
    tree, environment = folder / "tree", folder / "environment"
    _git("worktree", "add", "--detach", str(tree), commit)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "-r", str(tree / "requirements.txt")], check=True)
        subprocess.run([*pip, "--no-deps", str(tree)], check=True)
    finally:
        _git("worktree", "remove", "--force", str(tree))
    return environment / "bin" / "slipway"


async def _park(
    program: Path, release: str, commit: str, scenario: Scenario, boundary: Boundary, made: Path
) -> Parked:
    """Run one operation up to a boundary, and kill the program there."""
    now = datetime.now(UTC).replace(microsecond=0)
    world = scenario.world(scenario.before(now), now)
    faults = CrashFaults()
    await world.start(faults)
    folder = made / f"{scenario.name}-{boundary}"
    folder.mkdir(parents=True)
    (folder / "slipway.toml").write_text(CONFIGURATION.format(clouds=world.tables))
    try:
        operation = await asyncio.to_thread(_perform, program, folder, scenario, boundary, faults)
        faults.disarm()
        held = await world.look()
    finally:
        await world.stop()
    for each in (folder / "slipway.toml", *(folder / "state").iterdir()):
        if each.name not in ("slipway.db", "workflows.db", "executor-id"):
            each.unlink()
    parked = Parked(release, commit, scenario.name, str(boundary), now, operation, held)
    (folder / "parked.json").write_text(json.dumps(asdict(parked), default=str, indent=1, sort_keys=True))
    return parked


def _perform(program: Path, folder: Path, scenario: Scenario, boundary: Boundary, faults: CrashFaults) -> str:
    """What people do, and the death of the program; gives the operation's id."""
    database = folder / "state" / "slipway.db"
    with _running(program, folder) as bot:
        assert bot.stdin is not None
        bot.stdin.write(scenario.command + "\n")
        bot.stdin.flush()
        _until(lambda: bool(_rows(database, "SELECT id FROM operation WHERE state = 'proposed'")))
        ((operation,),) = _rows(database, "SELECT id FROM operation")
        # Its card stands there, so that a press would count.
        _until(lambda: bool(_rows(database, f"SELECT 1 FROM message WHERE operation_id = '{operation}'")))  # noqa: S608
        if boundary.step:
            faults.crash_at(bot.pid, boundary.step, boundary.timing, scenario.write)
            bot.stdin.write(f"@bob: !approve {operation}\n")
            bot.stdin.flush()
            bot.wait(PATIENCE)
        else:
            time.sleep(2)  # what it does after its answer
            bot.kill()
    for name in ("slipway.db", "workflows.db"):  # one file each, without a log beside it
        with closing(sqlite3.connect(folder / "state" / name)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            file.execute("PRAGMA journal_mode=DELETE")
    return str(operation)


@contextmanager
def _running(program: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    bot = subprocess.Popen(
        [str(program), "run", "--config", "slipway.toml"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TZ": "UTC", "LANG": "C.UTF-8"} | CREDENTIALS,
    )
    said: list[str] = []
    assert bot.stdout is not None
    threading.Thread(target=lambda: said.extend(bot.stdout or ()), daemon=True).start()
    try:
        yield bot
    except BaseException:
        sys.stderr.write("".join(said))
        raise
    finally:
        bot.kill()
        bot.wait()
        with suppress(BrokenPipeError):
            bot.stdin.close() if bot.stdin else None


def _until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > deadline:
            raise TimeoutError("the program did not come that far")
        time.sleep(0.05)


def _rows(path: Path, query: str) -> list[tuple[object, ...]]:
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as file:
            return file.execute(query).fetchall()
    except sqlite3.OperationalError:  # it has no tables yet
        return []


if __name__ == "__main__":
    if shutil.which("git") is None:
        sys.exit("This needs git.")
    main()
