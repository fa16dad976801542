"""A machine's console as text that people read. Pure."""

from __future__ import annotations

import re

_SEQUENCES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])"
)
"""What steers a terminal. Source: ECMA-48, 5.4 and 5.6; xterm control sequences."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def readable(console: str) -> str:
    """What was written, without what would steer the terminal or the page that shows it."""
    plain = _SEQUENCES.sub("", console).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", plain).strip("\n")
