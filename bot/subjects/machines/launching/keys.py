"""Which keys of a person are put into a machine: their own cloud may not take each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from slipway.bot.clouds.ports.machines import JudgesKeys, Machines


class Keys(Protocol):
    """Public keys that can be put into a machine now."""

    @property
    def lines(self) -> tuple[str, ...]:
        """For authorized_keys."""
        ...

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """As people compare them, in the order of the lines."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Which others were left out, and why, a sentence each."""
        ...


@dataclass(frozen=True)
class ChosenKeys:
    """Those of somebody's keys that a launch puts in; none where nobody keeps any."""

    lines: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def taken_by(machines: Machines, held: Keys) -> Keys:
    """Those keys that a cloud takes; the notes say which it does not, and which rest on the image, and why."""
    if not isinstance(machines, JudgesKeys):
        return held
    lines, fingerprints, notes = [], [], list(held.notes)
    for line, fingerprint in zip(held.lines, held.fingerprints, strict=True):
        verdict = machines.key_verdict(line)
        if verdict.taken:
            lines.append(line)
            fingerprints.append(fingerprint)
        if verdict.why:
            out = "" if verdict.taken else " is left out: it"
            notes.append(f"{fingerprint}{out} {verdict.why}.")
    return ChosenKeys(tuple(lines), tuple(fingerprints), tuple(notes))
