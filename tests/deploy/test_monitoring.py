"""Prometheus' alerts and Grafana's dashboard: by promtool, and by the metrics that the code has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.processes.program import ROOT

RULES = ROOT / "deploy/prometheus/slipway.rules.yaml"
RULE_TESTS = sorted((ROOT / "deploy/prometheus").glob("*.test.yaml"))
DASHBOARD = ROOT / "deploy/grafana/slipway.json"
METRICS = ROOT / "docs/metrics.md"
WIDTH = 24
"""Columns of a dashboard in Grafana."""

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="no promtool: Debian's package prometheus has it"
)

_OWN = re.compile(r"\bslipway_[a-z0-9_]+")
_SELECTED = re.compile(r"(slipway_[a-z0-9_]+)\{([^}]*)\}")
_PARTS = ("_bucket", "_sum", "_count")


def promtool(*arguments: str) -> None:
    found = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def expressions() -> Iterator[str]:
    """What the dashboard asks for, with Grafana's own variables filled in."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$__rate_interval", "5m").replace("$instance", "a|b")


def told() -> dict[str, set[str]]:
    """Each metric that the code has, with its labels, by the page that is made of it."""
    rows = re.findall(
        r"^\| `(slipway_\w+)` \| (\w+) \| .* \| ([^|]*) \|$", METRICS.read_text("utf-8"), re.MULTILINE
    )
    found = {}
    for name, kind, labels in rows:
        held = set(re.findall(r"`(\w+)`:", labels))
        for part in _PARTS if kind == "histogram" else ("",):
            found[name + part] = held
    return found


@needs_promtool
def test_promtool_understands_the_alerts_and_they_say_what_they_should() -> None:
    promtool("check", "rules", str(RULES))
    promtool("test", "rules", *map(str, RULE_TESTS))


def test_each_alert_is_tried_and_says_whose_move_it_is() -> None:
    tried = "".join(file.read_text("utf-8") for file in RULE_TESTS)
    for alert in alerts():
        assert alert["alert"] in tried
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"].keys() == {"summary", "action"}


@needs_promtool
def test_promtool_understands_what_the_dashboard_asks_for(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions())]
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(file))


def test_every_metric_that_is_asked_for_is_there_with_its_labels() -> None:
    known = told()
    asked = [*expressions(), *(alert["expr"] for alert in alerts())]
    for text in asked:
        for name in _OWN.findall(text):
            assert name in known, f"{name} in {text}"
        for name, selectors in _SELECTED.findall(text):
            labels = set(re.findall(r"(\w+)\s*[=!]~?", selectors)) - {"instance", "job"}
            assert labels <= known[name], text
        for grouped in re.findall(r"by \(([^)]*)\)", text):
            labels = {label.strip() for label in grouped.split(",")} - {"le", "instance"}
            assert all(labels <= known[name] for name in _OWN.findall(text)), text


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """As Grafana's “Dashboard JSON model” has it; panels have room of their own, and one source that is chosen."""
    board = dashboard()
    assert board.keys() >= {"title", "uid", "schemaVersion", "panels", "templating", "time"}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert [target["refId"] for target in panel["targets"]] == list("ABC"[: len(panel["targets"])])
