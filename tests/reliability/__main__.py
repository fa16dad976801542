"""``python -m tests.reliability``: episodes one after the other, until the time is over or one fails.

Everything follows from ``--seed`` and an episode's number: ``--seed 7 --episode 12`` lives through that one again.
Some episodes are of one process on SQLite, and some of two replicas on PostgreSQL, unless ``--storage`` says which.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.reliability.episode import Episode, Result
from tests.reliability.options import Options, StorageKind
from tests.reliability.table import Totals
from tests.reliability.world import world
from tests.support.processes.program import ROOT


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="how long; the episode under way is ended")
    parser.add_argument("--seed", type=int, help="of all that happens; one is chosen, and told, unless given")
    parser.add_argument("--episode", type=int, help="only this one")
    parser.add_argument("--first", type=int, default=1, help="the number of the first episode")
    parser.add_argument(
        "--keep", type=Path, help="keep the journals, logs and databases of all episodes here"
    )
    parser.add_argument(
        "--storage", type=StorageKind, choices=tuple(StorageKind), help="the same for all episodes"
    )
    parser.add_argument("--go-on", action="store_true", help="go on after an episode that fails")
    arguments = parser.parse_args()
    logging.getLogger("nio").setLevel(logging.ERROR)  # people's clients warn of what is usual
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left behind
    sys.exit(asyncio.run(_run(arguments)))


async def _run(arguments: argparse.Namespace) -> int:
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="slipway-reliability-"))
    totals = Totals(seed, _commit())
    _say(f"seed {seed}, commit {totals.commit}, in {folder}")
    ends = time.monotonic() + arguments.minutes * 60
    number = arguments.episode or arguments.first
    (folder / "world").mkdir(parents=True, exist_ok=True)
    async with world(folder / "world") as shared:
        while True:
            options = Options.of(seed, number, arguments.storage)
            own = folder / f"episode-{number}"
            try:
                result = await Episode(options, shared, own).run()
            except BaseException:
                _say(f"broke off; commit {totals.commit}, {options}, kept in {own}\n{_again(options)}")
                raise
            totals.add(result)
            _say(totals.line(result))
            if result.violations:
                _say(_failure(result, own, totals.commit))
            elif arguments.keep is None:
                shutil.rmtree(own)
            if (result.violations and not arguments.go_on) or arguments.episode or time.monotonic() > ends:
                break
            number += 1
    _say(totals.table())
    return 1 if totals.failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _failure(result: Result, folder: Path, commit: str) -> str:
    options = result.options
    lines = [
        *result.journal,
        f"{len(result.violations)} violations in episode {options.episode} of seed {options.seed}, commit {commit}",
        f"options: {options}",
        f"kept in {folder}",
        _again(options),
    ]
    return "\n".join(lines)


def _again(options: Options) -> str:
    again = f"--seed {options.seed} --episode {options.episode} --storage {options.storage}"
    return f"again: python -m tests.reliability {again}"


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


if __name__ == "__main__":
    main()
