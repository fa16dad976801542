"""The benchmarks run and print figures. How fast anything is, is not asked here: tests share the machine."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import aim
from benchmarks.load.summary import table
from benchmarks.program import write_toml

pytestmark = pytest.mark.timeout(600)  # however long a busy machine takes

ROOT = Path(__file__).parents[2]


def figures(*arguments: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["machine"]["cores"] >= 1
    assert len(found["machine"]["load_average"]) == 3
    return found


def test_a_configuration_that_a_program_is_started_with_is_what_was_written(tmp_path: Path) -> None:
    found = tomllib.loads(files("slipway.bot.cli").joinpath("demo.toml").read_text("utf-8"))
    assert any("." in kind for kind in found["prices"]["per_hour"]), "no key that TOML would take for two"
    write_toml(tmp_path / "slipway.toml", found)
    assert tomllib.loads((tmp_path / "slipway.toml").read_text()) == found


@pytest.mark.slow
def test_start_is_compared_with_its_baselines() -> None:
    found = figures("start", "--runs", "1", "--no-matrix", "--no-aws")["start"]
    assert found["python"]["median"] < found["python_and_dbos"]["median"]
    assert found["ready_first"]["samples"] == found["ready_again"]["samples"] == 1
    assert {"ready_again_to_python", "ready_again_processor_to_python_and_dbos"} < set(found["ratios"])
    assert found["aim"]["limit"] == 3.0
    assert "left out" in found["matrix"]


@pytest.mark.slow
def test_memory_is_compared_with_its_baseline() -> None:
    found = figures("memory", "--runs", "1", "--commands", "6", "--no-aws")["memory"]
    for name in ("floor_python_and_dbos", "idle", "after_commands", "after_as_many_again"):
        assert 0 < found[name]["uss_mib"] <= found[name]["rss_mib"]
    assert found["with_azure_in_use"]["uss_mib"] > found["idle"]["uss_mib"]


def test_a_reply_is_timed_with_and_without_its_record() -> None:
    found = figures("reply", "--messages", "3")["reply"]
    for name in ("with_record", "without_record", "floor_empty_workflow", "floor_commit", "overhead"):
        assert found[name]["samples"] == 3
    assert found["without_record"]["median"] > 0
    assert found["aim"]["limit"] == 15.0


def test_a_plan_counts_its_requests() -> None:
    sizes = ("--definitions", "60", "--versions", "10", "--runs", "1", "--latency", "5")
    both = figures("plan", "due", *sizes, "--more-at-once", "16")
    for name, measured in both["due"]["16_at_once"].items():
        assert measured["calls"] == measured["calls_needed"], name
        assert measured["calls_more_than_needed"] == 0, name
    found = both["plan"]
    quick = found["answers_at_once"]
    assert quick["requests_a_plan"] == {
        "definition_pages": 2,
        "version_listings": 60,
        "lock_listings": 1,
        "galleries": 0,
        "usage_listings": 2,
        "single_versions": 0,
        "others": 0,
        "allowed": 65,
        "none_a_version": True,
    }
    assert 1 < quick["most_listings_at_once"] <= quick["listings_allowed_at_once"]
    assert found["answers_after_5_ms"].keys() == {"16_at_once", "64_at_once"}
    assert found["versions"] == 600
    assert found["aim"]["limit"] == 0.5
    assert found["aims"]["processor_of_the_bare_client"]["limit"] == 3.0


@pytest.mark.slow
def test_acknowledgements_on_slack_are_compared_with_a_bare_bots() -> None:
    found = figures("slack", "--rate", "10", "--seconds", "2")["slack"]
    for name in ("acknowledged", "answered"):
        assert found[name]["samples"] == found["sent"] == 20
    assert found["acknowledged_by_bare_bolt"]["samples"] == 20
    assert (found["lost"], found["doubled"], found["refused_as_too_fast"]) == (0, 0, 0)
    assert found["memory"]["rss_mib"][0] > 0
    assert found["aim"]["limit"] == 50.0


def test_aims_are_summed_up_in_one_table() -> None:
    aims = {
        "chats: idle": aim(0.21, 0.3, "percent of a core"),
        "echo: ": aim(1.31, 1.15, "times a bare bot's round trip"),
    }
    lines = table(aims).splitlines()
    assert lines[2:4] == [
        "chats: idle  0.21  0.3    percent of a core              met",
        "echo         1.31  1.15   times a bare bot's round trip  MISSED",
    ]
    assert lines[-1].startswith("Load average at the end")


@pytest.mark.slow
def test_load_is_measured_over_both_chats_and_for_operations_that_wait() -> None:
    found = figures("load", "--part", "chats", "--part", "waiting", "--share", "0.002")["load"]
    for chat, sent in (("slack", 20), ("matrix", 4)):
        told = found["chats"][chat]
        assert (told["sent"], told["lost"], told["doubled"]) == (sent, 0, 0)
        assert told["answered"]["samples"] == sent
        assert told["processor_milliseconds_a_command"] > 0
    assert 0 <= found["chats"]["idle_percent_of_a_core"] < 100  # at this share it is looked at for a moment
    assert found["waiting"]["operations"] == 1
    assert found["aims"]["chats: Slack, lost"]["met"] is True


@pytest.mark.slow
def test_a_year_is_compared_with_a_small_past() -> None:
    sizes = ("--operations", "40", "--events", "60", "--small", "4", "--runs", "1")
    found = figures("history", *sizes)["history"]
    assert found["proof"]["entries"] > 40 * 7
    for each in found["commands_processor_milliseconds"].values():
        assert each["ratio"] > 0
        assert each["small"] > 0
    assert found["aim"]["commands"]["limit"] == 1.3
