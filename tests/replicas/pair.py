"""Two processes of the bot on one PostgreSQL and the same simulated clouds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from slipway.bot.operations.audit import Intact, verify
from slipway.bot.store.database import Database
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend
from tests.crash.bot_process import BotProcess, is_report
from tests.crash.clouds import TIMEOUT_SECONDS, SimulatedClouds
from tests.crash.installation import Installation

LEASE = "60 10 1"
"""Seconds: how long a lease holds, how much sooner its holder is not certain of it, and how often it is renewed.
Longer than a real one, so that none is lost because the machine is busy; :meth:`Pair.expire` ends that of one who
died."""

SHORT_LEASE = "12 3 1"
"""About as long as a real one, for tests that wait for its end."""


def until(what: str, condition: Callable[[], object]) -> None:
    """Look again and again until the condition holds; fail after a minute."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


@dataclass
class Pair:
    """Replicas by name; each has a console of its own, on which only the one that works says anything."""

    folder: Path
    clouds: SimulatedClouds
    url: str
    lease: str = LEASE
    bots: dict[str, BotProcess] = field(default_factory=dict)
    past: list[BotProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._document = Installation(self.folder / "document", self.clouds, "replicated").config.read_text()
        self.crash_file = self.folder / "crash-at"

    def start(
        self,
        name: str,
        *,
        changed: Callable[[str], str] = str,
        clock: float = 0.0,
        migrations: Path | None = None,
    ) -> BotProcess:
        """Start a replica, and wait until it hears.

        Args:
            name: of the replica, and of its state folder.
            changed: changes its configuration.
            clock: by how many seconds its clock is wrong.
            migrations: those of a later version that it is; None for this one.
        """
        bot = self.launch(name, changed=changed, clock=clock, migrations=migrations)
        bot.ready()
        return bot

    def launch(
        self,
        name: str,
        *,
        changed: Callable[[str], str] = str,
        clock: float = 0.0,
        migrations: Path | None = None,
    ) -> BotProcess:
        """Start a replica, and wait for nothing."""
        config = self.folder / f"{name}.toml"
        text = self._document.replace('state_dir = "state"', f'state_dir = "{name}"')
        config.write_text(changed(f'{text}\n[database]\nurl = "{self.url}"\n'))
        offset = self.folder / f"{name}.clock"
        offset.write_text(str(clock))
        environ = {"SLIPWAY_LEASE": self.lease}
        if clock:
            environ["SLIPWAY_CLOCK"] = str(offset)
        if migrations is not None:
            environ["SLIPWAY_MIGRATIONS"] = str(migrations)
        if name in self.bots:
            self.past.append(self.bots[name])
        bot = BotProcess(config, self.crash_file, environ)
        self.bots[name] = bot
        return bot

    def pause(self, name: str) -> None:
        """SIGSTOP: it stands still and does not know of it."""
        os.kill(self.bots[name].pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        os.kill(self.bots[name].pid, signal.SIGCONT)

    def close(self) -> None:
        """End all of them."""
        for bot in self.bots.values():
            if bot.alive:
                os.kill(bot.pid, signal.SIGCONT)
                bot.kill()

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Read the database."""
        with closing(psycopg.connect(self.url, autocommit=True, row_factory=dict_row)) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def leader(self) -> str:
        """The name of the replica that leads; empty for none."""
        (row,) = self.rows("SELECT holder FROM slipway_replicas.leader")
        for name in self.bots:
            file = self.folder / name / "executor-id"
            if file.exists() and file.read_text().strip() == row["holder"]:
                return name
        return ""

    def expire(self) -> None:
        """Have the lease be free, as it is some time after its holder died."""
        self.rows("UPDATE slipway_replicas.leader SET holder = '', renewals = renewals + 1 RETURNING epoch")

    def state(self, operation: str = "") -> str:
        """The state of an operation, or of the newest."""
        rows = self.rows(
            "SELECT state FROM operation WHERE id LIKE %s ORDER BY sequence DESC LIMIT 1", f"{operation}%"
        )
        return str(rows[0]["state"]) if rows else ""

    def audit_holds(self) -> bool:
        """Whether the chain of the audit trail is unbroken."""

        async def walk() -> bool:
            database = Database(PostgresBackend(PostgresAccess(self.url)))
            try:
                return isinstance(await verify(database), Intact)
            finally:
                await database.close()

        return self.clouds.wait(walk())

    def reports(self) -> list[str]:
        """The titles of all reports that any replica said."""
        everybody = (*self.past, *self.bots.values())
        return [line["title"] for bot in everybody for line in bot.lines if is_report(line)]
