"""Every secret of a bot on Matrix, EC2 and PostgreSQL, planted and looked for wherever one could come to stand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.matrix.scenario import scenario_in
from tests.matrix.test_codes import changes as with_codes
from tests.matrix.test_codes import direct_chat
from tests.slack.bot_process import free_port
from tests.support.aws import simulated_aws
from tests.support.azure import X64
from tests.support.codes import Apps
from tests.support.log_lines import lines
from tests.support.processes.postgres import Postgres
from tests.support.processes.synapse import Synapse
from tests.web.raw import get, say

__all__ = ["lines"]  # a fixture

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTEDPLANTED00",
    "AWS_SECRET_ACCESS_KEY": "planted/aws/secret/key/0123456789abcdef",
    "AWS_SESSION_TOKEN": "plantedAwsSessionToken0123456789",
}
"""As a role's credentials come to boto3."""

DATABASE_PASSWORD = "planted-database-password"
METRICS_TOKEN = "planted-metrics-token-0123456789"


def rows(url: str) -> Iterator[str]:
    """All that stands in a database, a row each."""
    with closing(psycopg.connect(url)) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'dbos')"
        ).fetchall()
        for table in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(*table))
            yield from (str(row[0]) for row in connection.execute(query))


@pytest.mark.slow
async def test_no_secret_stands_in_the_log_a_room_the_database_metrics_or_the_state_folder(
    synapse: Synapse,
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    state, url, port = tmp_path / "state", await asyncio.to_thread(postgres.new), free_port()
    token_file = tmp_path / "metrics-token"
    token_file.touch(0o600)
    token_file.write_text(METRICS_TOKEN)
    async with scenario_in(synapse, state) as scenario, simulated_aws() as aws:
        state.mkdir(mode=0o700)
        apps, bob = Apps(tmp_path / "secrets", scenario.clock), scenario.bob
        secrets = {
            "SLIPWAY_DATABASE_PASSWORD": DATABASE_PASSWORD,
            "SLIPWAY_MATRIX_PASSWORD": scenario.account.password,
        }
        matrix = {
            "homeserver": synapse.url,
            "user_id": scenario.bot_id,
            "rooms": [scenario.room],
            "edit_interval": "1s",
        }
        changes = with_codes(scenario, apps) | {
            "matrix": matrix,
            "database": {"url": url},
            "http": {"ops": {"listen": f"127.0.0.1:{port}", "token_file": str(token_file)}},
        }
        async with scenario.bot(aws, secrets, **changes):
            direct = await direct_chat(scenario, bob)
            aws.faults.add(Fault(kind=FaultKind.ERROR, match="DescribeInstances", times=1))
            await scenario.ask(scenario.carol, "!instances")
            await scenario.ask(scenario.carol, "!status", "Slipway")
            await scenario.ask(scenario.carol, "!problems")
            scenario.azure.faults.add(Fault(kind=FaultKind.ERROR, match="PUT *", times=1))
            card = await scenario.ask(scenario.alice, f"!promote {X64}", "waits for 1 approval")
            await bob.say(scenario.room, "!approve")
            await bob.message(direct, "your approval takes a code", sender=scenario.bot_id)
            await bob.say(direct, apps.code())
            await scenario.shows(card, "promote: ")
            await scenario.settle()
            shown = {}
            for token in (METRICS_TOKEN, f"{METRICS_TOKEN}x"):
                bearer = f"Authorization: Bearer {token}"
                shown[token] = (await say(port, get("/metrics", bearer))).decode()
            kept = AccountStore.in_state_dir(state).secrets
            secrets_there = {
                *ENVIRONMENT.values(),
                *secrets.values(),
                METRICS_TOKEN,
                *kept,
                *apps.secrets,
                *apps.shown,
            }
            assert len(kept) == 4, "the login's token, and the seeds that give the bot's identity back"
            heard = {room: scenario.alice.events[room] for room in scenario.alice.events}
            await bob.sync()
            said_to_bob = [each for each in bob.events[direct] if each["sender"] == scenario.bot_id]
        everywhere = {
            "the log": json.dumps(lines(), ensure_ascii=False),
            "the room": json.dumps(heard),
            "the direct chat": json.dumps(said_to_bob),
            "the database": "\n".join(await asyncio.to_thread(lambda: list(rows(url)))),
            "metrics": "".join(shown.values()),
            "the state folder": "".join(
                each.read_bytes().decode("latin-1")
                for each in state.rglob("*")
                if each.is_file() and each.name not in ("login.json", "cross-signing-seeds.json")
            ),
        }
    for place in ("the log", "the room", "the direct chat", "the database"):
        assert "op-" in everywhere[place], place
    for place, text in everywhere.items():
        assert not [each for each in secrets_there if each in text], place
