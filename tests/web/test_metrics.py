"""What `/metrics` tells, to whom, and what it never tells."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from slipway.bot.app import App
from slipway.bot.chat.model import Choice
from slipway.bot.core.measuring.meter import OTHER, UNMETERED, Bound, Counter, Gauge, Histogram
from slipway.bot.core.measuring.metrics import (
    LINES,
    METRICS,
    QUEUE,
    STEP_SECONDS,
    THROTTLES,
    TRANSITIONS,
)
from slipway.bot.web.metrics.prometheus import MOST_VALUES, PrometheusMeter, Sample
from tests.deploy.test_monitoring import alerts
from tests.documentation import metrics_page
from tests.slack.bot_process import free_port
from tests.support.azure import X64
from tests.support.configuration import DECLARED, simulated_settings
from tests.support.harness import propose, running_bot
from tests.support.quality import ROOT
from tests.web.raw import PATIENCE, get, say, statuses

BOUNDS = {Bound.COMMANDS: frozenset({"promote"}), Bound.CLOUDS: frozenset({"azure"})}


def rendered(
    meter: PrometheusMeter, *samples: Sample
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(meter.render(samples).decode())
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in families
        for each in family.samples
    }


def test_each_metric_is_named_and_told_apart_as_prometheus_wants() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert re.fullmatch(r"slipway_[a-z_]+", metric.name)
        assert metric.says.endswith("."), metric.name
        match metric:
            case Counter():
                assert metric.name.endswith("_total")
            case Histogram():
                assert metric.name.endswith("_seconds")
                assert list(metric.buckets) == sorted(metric.buckets)
            case Gauge():
                assert not metric.name.endswith("_total")


def test_what_is_reported_is_shown_and_two_meters_share_nothing() -> None:
    one, other = PrometheusMeter(BOUNDS), PrometheusMeter(BOUNDS)
    one.count(LINES, "promote", "answered")
    one.count(LINES, "promote", "answered")
    one.observe(STEP_SECONDS, 3.0, "set-excluded", "done")
    found = rendered(one, Sample(QUEUE, 3, ("slack",)))
    assert found["slipway_commands_total", (("command", "promote"), ("outcome", "answered"))] == 2
    assert found["slipway_step_seconds_sum", (("outcome", "done"), ("step", "set-excluded"))] == 3
    assert found["slipway_messages_waiting", (("platform", "slack"),)] == 3
    assert not any(name.startswith("slipway_commands_total") for name, _ in rendered(other))
    assert not any(name.endswith("_created") for name, _ in found)


def test_labels_keep_to_what_they_may_be() -> None:
    meter = PrometheusMeter(BOUNDS)
    meter.count(LINES, "@mallory:example.org", "hunter2")
    meter.count(THROTTLES, "gcp")
    for number in range(MOST_VALUES + 100):
        meter.count(TRANSITIONS, "kind", f"state {number}")
    found = rendered(meter)
    assert found["slipway_commands_total", (("command", OTHER), ("outcome", OTHER))] == 1
    assert found["slipway_cloud_throttles_total", (("cloud", OTHER),)] == 1
    assert found["slipway_operations_total", (("kind", "kind"), ("state", OTHER))] == 100
    assert "mallory" not in str(found)


def test_what_alerts_count_is_there_before_it_first_happens() -> None:
    """Prometheus sees no rise in a series that begins with it: a weekly schedule's first delay would be lost."""
    assert all(
        isinstance(label.values, type) or label.values is not Bound.CODE
        for metric in METRICS
        if not isinstance(metric, Gauge) and metric.from_zero
        for label in metric.labels
    )
    bounds = {
        Bound.KINDS: frozenset({"promote"}),
        Bound.STATES: frozenset({"failed"}),
        Bound.SCHEDULES: frozenset({"weekly"}),
    }
    found = rendered(PrometheusMeter(bounds))
    assert found["slipway_operations_total", (("kind", "promote"), ("state", "failed"))] == 0
    assert found["slipway_schedule_late_seconds_bucket", (("le", "300.0"), ("schedule", "weekly"))] == 0
    counted = {name for alert in alerts() for name in re.findall(r"increase\((slipway_\w+)", alert["expr"])}
    assert counted, "alerts count something"
    for name in counted:
        assert any(each.startswith(name) for each, _ in found), f"{name} begins with its first rise"


async def test_a_bot_at_work_is_measured_and_nobody_and_nothing_is_named(tmp_path: Path) -> None:
    port = free_port()
    ops = {"http": {"ops": {"listen": f"127.0.0.1:{port}"}}}
    async with running_bot(tmp_path, changes=ops) as bot:
        await bot.say("alice", "!images")
        await bot.say("mallory", "!imagse")
        card, operation_id = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        async with asyncio.timeout(PATIENCE):  # of a busy machine, the database may not answer in time
            while b"slipway_ready 1" not in (answer := await say(port, get("/metrics"))):
                pass
    assert statuses(answer) == [200]
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert "text/plain; version=0.0.4" in head
    found = {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(body)
        for each in family.samples
    }
    commands = {labels: value for (name, labels), value in found.items() if name == "slipway_commands_total"}
    assert commands[("command", "images"), ("outcome", "answered")] == 1
    assert commands[("command", "promote"), ("outcome", "proposed")] == 1
    assert commands[("command", OTHER), ("outcome", "objected")] == 1
    for state in ("proposed", "approved", "running", "done"):
        assert found["slipway_operations_total", (("kind", "promote"), ("state", state))] == 1, state
    assert found["slipway_votes_total", (("choice", "approve"), ("kind", "promote"))] == 1
    decided = ("decided", "approved"), ("kind", "promote")
    assert found["slipway_approval_wait_seconds_count", decided] == 1
    assert found["slipway_step_seconds_count", (("outcome", "done"), ("step", "set-excluded"))] >= 1
    calls = [dict(labels) for name, labels in found if name == "slipway_cloud_call_seconds_count"]
    assert {"azure"} == {each["cloud"] for each in calls}
    assert {"list", "show"} & {each["call"] for each in calls}, calls
    assert found["slipway_ready", ()] == 1
    assert found["slipway_role_info", (("deployment", "slipway-demo"), ("role", "alone"))] == 1
    assert found["slipway_chat_connected", (("platform", "console"),)] == 1
    assert found["slipway_messages_waiting", (("platform", "console"),)] == 0
    assert found["slipway_look_failed", ()] == 0
    assert ("process_resident_memory_bytes", ()) in found
    for secret in ("alice", "bob", "mallory", "imagse", operation_id, X64, "Fedora"):
        assert secret not in body, secret


def test_without_operators_nothing_is_counted(tmp_path: Path) -> None:
    azure = {"gallery": "x", "resource_group": "x", "subscription_id": "x"}
    settings = simulated_settings(tmp_path, None, changes={"azure": azure})
    assert App(settings, DECLARED)._web.meter is UNMETERED


def test_the_reference_is_what_the_code_says() -> None:
    written = (ROOT / "docs/metrics.md").read_text("utf-8")
    assert written == metrics_page(), "python -m tests.documentation"
