"""One installation through all its crashes: a state folder, its configuration, and the present bot process."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from slipway.bot.operations.audit import Intact, verify
from slipway.bot.store.database import Database
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend
from tests.crash.bot_process import BotProcess
from tests.crash.clouds import APPLICATION, TIMEOUT_SECONDS, SimulatedClouds

LEASE = "60 10 1"
"""Seconds of a lease on PostgreSQL, and of its parts: longer than a real one, so that a busy machine loses none."""

_LOOK_EVERY = 0.02  # seconds between two looks at a database

FAMILIES = 400
"""Families of images on AWS: every crash uses one of its own."""

FAMILY_REGION = "us-east-1"

FAMILY_TABLES = "".join(
    f"""
[family.Amis-{number}]
name = "Amis-{number}-{{date}}.{{respin}}"
version = "43.{{date}}.{{respin}}"
regions = ["{FAMILY_REGION}"]
"""
    for number in range(FAMILIES)
)
"""Their tables; to read them all takes a call each."""

_PROTECTED = """
[promotion."Protect*"]
protect = true

[promotion."Amis-*"]
protect = true

[promotion."*"]"""
"""What the tables of promotion are, with those before that protect what is latest."""

_AZURE_MACHINES = """
[azure.vms]
endpoint = "{url}"
subscription_id = "00000000-0000-4000-8000-00000000fed0"
resource_group = "fedora-cloud"
gallery = "Fedora"
machines_group = "slipway-machines"
regions = ["eastus"]

[profiles.cloudy]
cloud = "azure.vms"
max_count = 3

[profiles.cloudy.machine]
size = "Standard_B2s"
subnet = "machines-{{region}}/default"
security_group = "ssh-{{region}}"

[profiles.specified]
cloud = "azure.vms"
template = "spec:templates/small"
"""

_CREDENTIALS = """
[credentials.crash]
application = "{application}"
owner = "alice"
deliver = ["file:{folder}/rotated"]
grace = "1s"
"""

_REPLICATION = """
[replication."Retry-*"]
regions = ["eastus", "uksouth"]

[replication."Left-*"]
regions = ["eastus", "westeurope", "uksouth"]

[replication."Waves-*"]
regions = ["eastus", "westeurope", "northeurope"]
waves = [
  { name = "first", regions = ["eastus"], bake = "1s" },
  { name = "second", regions = ["westeurope"], bake = "1s" },
]

[replication."Between-*"]
regions = ["eastus", "westeurope"]
waves = [{ name = "first", regions = ["eastus"], bake = "1h" }]
"""

Row = dict[str, Any]


def until(what: str, condition: Callable[[], bool]) -> None:
    """Look again and again until the condition holds; fail after a minute."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(_LOOK_EVERY)


@dataclass
class Installation:
    """An installation of the bot."""

    folder: Path
    clouds: SimulatedClouds
    deployment: str
    url: str = ""
    """Of its PostgreSQL; empty where its databases are files."""
    _bot: BotProcess | None = None
    past: list[BotProcess] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    """Operations that wait for longer than any test, which nobody has to wait for."""

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.config = self.folder / "slipway.toml"
        self.config.write_text(self._document())
        self.state = self.folder / "state"
        self.crash_file = self.folder / "crash-at"
        self.failed = False

    @property
    def bot(self) -> BotProcess:
        """The process that runs now."""
        assert self._bot is not None
        return self._bot

    def start(self) -> BotProcess:
        """Start the bot, and wait until it is ready."""
        self.launch().ready()
        return self.bot

    def launch(self) -> BotProcess:
        """Start the bot, and wait for nothing."""
        if self._bot is not None:
            self.past.append(self._bot)
        environ = {"SLIPWAY_LEASE": LEASE, "PGPORT": _port(self.url)} if self.url else {}
        self._bot = BotProcess(self.config, self.crash_file, environ)
        return self._bot

    def running(self) -> BotProcess:
        """The bot, started if it is not there."""
        return self.bot if self._bot is not None and self._bot.alive else self.start()

    def crash_at_commit(self, timing: str, number: int, *, schema: bool = False, table: str = "") -> None:
        """Have the bot die at its n-th commit from now on; ``schema`` counts those that change no row, too, ``table``
        those alone that write to it, or, with a dot in it, what is done to the file of that name instead."""
        fresh = self.crash_file.with_suffix(".new")
        fresh.write_text(f"{timing} {number} {'any' if schema else table}")
        fresh.replace(self.crash_file)

    def disarm(self) -> None:
        """Have the bot die at no commit."""
        self.crash_file.unlink(missing_ok=True)

    def close(self) -> None:
        """End the bot."""
        if self._bot is not None:
            if self._bot.alive:
                self._bot.kill()
            else:
                self._bot.ended()

    def rows(self, query: str, *values: object) -> list[Row]:
        """Read Slipway's own database."""
        if self.url:
            return self._rows_of_server(query, values)
        return _rows(self.state / "slipway.db", query, values)

    def write(self, statement: str) -> None:
        """Change Slipway's own database, for what would take days to come about."""
        with closing(sqlite3.connect(self.state / "slipway.db", timeout=TIMEOUT_SECONDS)) as connection:
            connection.execute(statement)
            connection.commit()

    def announce_long_ago(self, command: str, check: Callable[[], None] = lambda: None) -> None:
        """Have a clean-up announce what goes, check that, and let the days go by that it stays."""
        self.bot.skip_output()
        self.bot.say(command)
        self.bot.report()
        self.settle()
        check()
        self.write(
            "UPDATE image_announcement SET at = datetime(at, '-3 days'), until = datetime(until, '-3 days'), "
            "boot = 'the one before'"
        )

    def workflows(self, query: str, *values: object) -> list[Row]:
        """Read the workflow database."""
        if self.url:
            return self._rows_of_server(query.replace("workflow_status", "dbos.workflow_status"), values)
        return _rows(self.state / "workflows.db", query, values)

    def quiet(self) -> bool:
        """Whether nothing is left to do: no workflow is under way, no approved operation waits to be run."""
        pending = self.workflows(
            "SELECT workflow_uuid FROM workflow_status WHERE status NOT IN ('SUCCESS', 'ERROR', 'CANCELLED')"
        )
        others = {row["workflow_uuid"] for row in pending} - {f"do:{each}" for each in self.waiting}
        begun = self.rows("SELECT id FROM operation WHERE state IN ('approved', 'running')")
        return not others and {row["id"] for row in begun} <= self.waiting

    def settle(self) -> None:
        """Wait until nothing is left to do."""
        until("all is settled", self.quiet)

    def operations(self) -> list[Row]:
        """Every operation, oldest first."""
        return self.rows("SELECT * FROM operation ORDER BY sequence")

    def audit_holds(self) -> bool:
        """Whether the chain of the audit trail is unbroken."""

        async def walk() -> bool:
            where = PostgresBackend(PostgresAccess(self.url)) if self.url else self.state / "slipway.db"
            database = Database(where)
            try:
                return isinstance(await verify(database), Intact)
            finally:
                await database.close()

        return self.clouds.wait(walk())

    def _document(self) -> str:
        demo = files("slipway.bot.cli").joinpath("demo.toml").read_text("utf-8")
        return (
            demo[: demo.index("[[schedule]]")]
            .replace('name = "slipway-demo"', f'name = "{self.deployment}"\nstate_dir = "state"')
            .replace("[aws]", f'[aws]\nendpoint = "{self.clouds.aws.url}"')
            .replace(
                "[azure]",
                f'[azure]\nendpoint = "{self.clouds.azure.url}"\ngraph_endpoint = "{self.clouds.directory.url}"',
            )
            .replace('\n[promotion."*"]', _PROTECTED)
            .replace('profiles = ["small", "arm"]', 'profiles = ["small", "arm", "cloudy"]')
            + '[retention]\nannounce = "3d"\n'
            + f'[keys]\nmost = 50\ngithub = "{self.clouds.accounts.github_url}"\n'
            + _AZURE_MACHINES.format(url=self.clouds.azure_machines.url)
            + _REPLICATION
            + _CREDENTIALS.format(application=APPLICATION, folder=self.folder)
            + FAMILY_TABLES
            + _SCHEDULE
            + '[emergency]\npeople = ["bob"]\nkinds = ["hold"]\n'
            + (f'[database]\nurl = "{self.url}"\n' if self.url else "")
        )

    def _rows_of_server(self, query: str, values: tuple[object, ...]) -> list[Row]:
        with closing(psycopg.connect(self.url, autocommit=True, row_factory=dict_row)) as connection:
            return connection.execute(query.replace("%", "%%").replace("?", "%s").encode(), values).fetchall()


_SCHEDULE = """
[[schedule]]
name = "yearly"
cron = "0 0 1 1 *"
command = "images"
room = "console:console"
roles = ["reader"]
enabled = false
"""
"""One to pause. It never runs, so that it adds no transactions to those that are counted."""


def _port(url: str) -> str:
    """By whose presence commits on a server are boundaries, too."""
    return str(conninfo_to_dict(url).get("port") or 5432)


def _rows(path: Path, query: str, values: tuple[object, ...]) -> list[Row]:
    with closing(sqlite3.connect(path, timeout=TIMEOUT_SECONDS)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]
