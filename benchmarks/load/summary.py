"""One table of all aims: what was seen, what was aimed at, met or missed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def table(aims: Mapping[str, Mapping[str, Any]]) -> str:
    """The aims as a table to read, below the machine's load at its end."""
    head = ("aim", "seen", "limit", "unit", "")
    rows = [
        (name.removesuffix(": "), f"{each['value']:g}", f"{each['limit']:g}", each["unit"], _verdict(each))
        for name, each in aims.items()
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (head, *rows)]
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return "\n".join(["", *lines, f"Load average at the end, of {os.cpu_count()} cores: {load}"])


def _verdict(each: Mapping[str, Any]) -> str:
    return "met" if each["met"] else "MISSED"
