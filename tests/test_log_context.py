"""What lines of the log bear, and what none ever holds."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.slack.bot_process import free_port
from tests.slack.simulator import SimulatedSlack
from tests.slack.whole_bot import slack_bot
from tests.support.azure import X64
from tests.support.clock import FakeClock
from tests.support.harness import inject_fault, propose, running_bot
from tests.support.log_lines import lines
from tests.support.processes.postgres import Postgres

__all__ = ["lines"]  # a fixture


async def test_what_is_logged_of_an_operation_bears_its_id_and_the_event_that_led_to_it(
    tmp_path: Path, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    async with running_bot(tmp_path) as bot:
        card, operation_id = await propose(bot)
        inject_fault(bot, FaultKind.ERROR, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, event_id="press-1")
        structlog.get_logger("elsewhere").info("of nothing")
    found = lines()
    of_run = [line for line in found if line.get("workflow") == f"do:{operation_id}"]
    assert of_run, found
    assert all((line["operation"], line["kind"]) == (operation_id, "promote") for line in of_run), of_run
    (other,) = [line for line in found if line["event"] == "of nothing"]
    assert "operation" not in other
    assert "workflow" not in other


async def test_each_line_of_a_replica_says_which_it_is(
    tmp_path: Path, lines: Callable[[], list[dict[str, Any]]], postgres: Postgres
) -> None:
    changes = {"database": {"url": await asyncio.to_thread(postgres.new)}}
    async with running_bot(tmp_path, changes=changes) as bot:
        await bot.say("carol", "!status")
        await asyncio.to_thread(logging.getLogger("a library").warning, "of a thread")
    (id_,) = (tmp_path / "executor-id").read_text().split()
    found = lines()
    assert {"ready", "of a thread"} <= {line["event"] for line in found}
    assert {line.get("replica") for line in found} == {id_[:8]}


async def test_no_line_of_a_noisy_run_holds_a_secret_or_what_somebody_said(
    tmp_path: Path, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    token, said = "planted-metrics-token-0123456789", "planted-words"
    port, clock = free_port(), FakeClock()
    async with SimulatedSlack(clock=clock) as sim:
        sim.faults.refuse("chat.postMessage", "ratelimited")
        (tmp_path / "token").write_text(token)
        (tmp_path / "token").chmod(0o600)
        ops = {"listen": f"127.0.0.1:{port}", "token_file": str(tmp_path / "token")}
        state = tmp_path / "state"
        state.mkdir(mode=0o700)
        changes = {"http": {"ops": ops}}
        async with (
            slack_bot(state, sim, clock=clock, over_http=True, changes=changes) as bot,
            aiohttp.ClientSession() as session,
        ):
            ask = f"http://127.0.0.1:{port}/metrics"
            for shown in (token, f"{token}x"):
                async with session.get(ask, headers={"Authorization": f"Bearer {shown}"}) as answer:
                    assert answer.status == (200 if shown == token else 401)
            events = f"http://127.0.0.1:{bot.chat.port}/slack/events"
            async with session.post(
                events, data=f"{said}", headers={"X-Slack-Signature": "v0=planted"}
            ) as answer:
                assert answer.status == 401
            alice, bob = sim.person("alice"), sim.person("bob")
            await alice.post("images", f"!promote {X64} {said}")
            await bob.post("images", f"!imagse {said}")
            await alice.post("images", f"!promote {X64}")
            card = await bot.wait_for_message("images", "waits for 1 approval")
            inject = Fault(kind=FaultKind.ERROR, match="PUT *")
            bot.azure.faults.add(inject)
            await (await bob.press(card, "Approve")).acked()
            await bot.settled()
        secrets = (sim.bot_token, sim.app_token, sim.signing_secret, token)
    found = lines()
    assert found
    for secret in (*secrets, said):
        assert secret not in json.dumps(found, ensure_ascii=False), secret
