"""Killed while somebody answers a reminder of a credential: not now, or that it is seen to."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import at_commits
from tests.crash.scenarios.rotating import Rotation, application_secret

BEFORE, AFTER, LATE = CrashTiming


class Snooze(Rotation):
    """A reminder is put off; no approval needed."""

    kind = "credential-snooze"
    shown_by = "problem-ack"
    approved = False
    points = at_commits(AFTER, 7)

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.old = application_secret("ends soon", left=timedelta(days=5))
        self.secrets[:] = [self.old]

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What was answered about it."""
        rows = self.installation.rows(
            "SELECT name, value FROM chat_memory WHERE name LIKE 'credential answer %'"
        )
        return [json.loads(row["value"]) for row in rows if self.old.id in row["name"]]

    @property
    def command(self) -> str:
        """``!credential snooze --for 2d crash/…``."""
        return f"!credential snooze --for 2d crash/{self.old.id[:8]}"

    def check(self) -> None:
        """It was answered once, and nothing was changed at its source."""
        (answer,) = self.answers
        assert answer["person"] == "alice"
        assert (answer["until"] is None) is (self.kind == "credential-done")
        assert self.old in self.secrets


class Done(Snooze):
    """It is said that one is seen to, and its source shows that; no approval needed."""

    kind = "credential-done"
    points = at_commits(AFTER, 7)

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.secrets.append(application_secret("its successor", left=timedelta(days=300)))

    @property
    def command(self) -> str:
        """``!credential done crash/…``."""
        return f"!credential done crash/{self.old.id[:8]}"
