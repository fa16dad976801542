"""`python -m benchmarks [NAME]…`: figures as JSON, progress on standard error."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine
from datetime import timedelta
from importlib import import_module
from typing import Any

import click

from benchmarks import load
from benchmarks.figures import Figures, machine, say
from benchmarks.load import PARTS

NAMES = (
    "start",
    "memory",
    "reply",
    "work",
    "plan",
    "due",
    "deletions",
    "chart",
    "history",
    "matrix",
    "slack",
    "text",
    "launches",
    "load",
)
BY_ITSELF = "load"
"""Measured only where it is named: it takes longer than all others together."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--runs", default=5, type=click.IntRange(1), help="Processes started, and plans computed.")
@click.option("--messages", default=300, type=click.IntRange(1), help="Answers of `reply` and `matrix`.")
@click.option("--commands", default=1000, type=click.IntRange(1), help="Commands of `memory`.")
@click.option("--definitions", default=1000, type=click.IntRange(1), help="Definitions of `plan` and `due`.")
@click.option(
    "--versions", default=10, type=click.IntRange(4), help="Versions a definition of `plan` and `due`."
)
@click.option(
    "--more-at-once", default=64, type=click.IntRange(1, 64), help="Calls at once of `due`, beside 16."
)
@click.option(
    "--operations", default=50_000, type=click.IntRange(1), help="Operations of the year of `history`."
)
@click.option("--events", default=500_000, type=click.IntRange(1), help="Events of the year of `history`.")
@click.option(
    "--small", default=100, type=click.IntRange(1), help="Operations of the small past of `history`."
)
@click.option("--latency", default=20, type=click.IntRange(0), help="Milliseconds of a far cloud's answer.")
@click.option("--far", default=1000, type=click.IntRange(0), help="Milliseconds of an answer in `launches`.")
@click.option("--rate", default=20, type=click.IntRange(1), help="Commands a second of `slack`.")
@click.option("--seconds", default=60, type=click.IntRange(1), help="How long `slack` asks.")
@click.option(
    "--matrix/--no-matrix", default=True, help="Start on a real Synapse too, where one is installed."
)
@click.option(
    "--part", "parts", multiple=True, type=click.Choice(PARTS), help="Of `load`, these parts; else all."
)
@click.option(
    "--share", default=1.0, type=click.FloatRange(0.001, 1), help="Of the commands and seconds of `load`."
)
@click.option("--aws/--no-aws", default=True, help="With the simulated AWS too, where moto is installed.")
def main(names: tuple[str, ...], **sizes: Any) -> None:
    """Measure Slipway: all of it, or what is named.

    \b
    start   seconds until `slipway run` is ready
    memory  idle, after many commands, and with the clouds in use
    reply   milliseconds from the dispatcher to the chat, with and without the durable record
    work    transactions and look-ups of a vote and the run after it
    plan    a clean-up of a large gallery: requests, seconds, own computing
    due     `promote --due`, a clean-up and the list of one, by rules, copies, waves and holds, beside a bare client
    deletions hundreds of deletions under the clouds' documented limits, beside the least time that they allow
    chart   the first picture of a process, with the loading of matplotlib
    history every command and the proof of the audit trail, with a year behind them
    matrix  an answer on a real Synapse beside a bare nio bot's, and what bursts lose
    slack   from Slack's event to its acknowledgement, on a simulated Slack, beside a bare Bolt app's
    text    lines built to be slow, and names like a mistyped one among many
    launches ten launches asked for at once before a far EC2, beside each alone
    load    10,000 commands over Slack and 2,000 over Matrix, 200 operations that wait, two replicas, idling
            (only where it is named)
    """
    names = names or tuple(name for name in NAMES if name != BY_ITSELF)
    figures: Figures = {"machine": machine()}
    for name in names:
        work = _load(sizes) if name == BY_ITSELF else _benchmark(name, sizes)
        figures[name] = asyncio.run(work)
    figures["load_average_at_the_end"] = [round(each, 2) for each in os.getloadavg()]
    click.echo(json.dumps(figures, indent=2))
    missed = [name for name in names if _missed(figures[name])]
    say(f"Aims missed: {', '.join(missed)}." if missed else "Every aim is met.")


def _load(sizes: dict[str, Any]) -> Coroutine[Any, Any, Figures]:
    return load.measure(sizes["parts"] or PARTS, load.Sizes().times(sizes["share"]))


def _benchmark(name: str, sizes: dict[str, Any]) -> Coroutine[Any, Any, Figures]:
    # Each is imported only when it is its turn: what one loads must not count for another.
    match name:
        case "start":
            from benchmarks import start

            return start.measure(runs=sizes["runs"], matrix=sizes["matrix"], aws=sizes["aws"])
        case "memory":
            from benchmarks import memory

            return memory.measure(runs=sizes["runs"], commands=sizes["commands"], aws=sizes["aws"])
        case "reply":
            from benchmarks import reply

            return reply.measure(messages=sizes["messages"])
        case "work" | "text" | "deletions" | "chart":  # without sizes
            given = {"aws": sizes["aws"]} if name == "deletions" else {}
            measured: Coroutine[Any, Any, Figures] = import_module(f"benchmarks.{name}").measure(**given)
            return measured
        case "plan" | "due":
            given = {"more_at_once": sizes["more_at_once"]} if name == "due" else {}
            planned: Coroutine[Any, Any, Figures] = import_module(f"benchmarks.{name}").measure(
                definitions=sizes["definitions"],
                versions=sizes["versions"],
                runs=sizes["runs"],
                latency=timedelta(milliseconds=sizes["latency"]),
                **given,
            )
            return planned
        case "history":
            from benchmarks import history

            return history.measure(
                operations=sizes["operations"],
                events=sizes["events"],
                small=sizes["small"],
                runs=sizes["runs"],
            )
        case "matrix":
            from benchmarks import matrix

            return matrix.measure(messages=sizes["messages"])
        case "slack":
            from benchmarks import slack

            return slack.measure(rate=sizes["rate"], seconds=sizes["seconds"])
        case "launches":
            from benchmarks import launches

            return launches.measure(latency=sizes["far"] / 1000, runs=sizes["runs"])
        case _:
            raise ValueError(name)


def _missed(figures: object) -> bool:
    """Whether a benchmark has aims (`memory` has none) and misses one."""
    if not isinstance(figures, dict):
        return False
    aims = [figures.get("aim"), *figures.get("aims", {}).values()]
    return any(isinstance(each, dict) and not each["met"] for each in aims)


main()
