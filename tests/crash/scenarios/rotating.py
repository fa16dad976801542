"""Killed while a secret is rotated: what nobody knows any more is found, taken away and made again."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from slipway.bot.clouds.simulated.azure.graph import SeedCredential
from tests.crash.clouds import CrashFaults, CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits, at_requests

BEFORE, AFTER, LATE = CrashTiming


def application_secret(label: str, *, left: timedelta) -> SeedCredential:
    """A secret as somebody made it by hand, half a year before."""
    ends = datetime.now(UTC) + left
    starts, ended = ((ends - timedelta(days=400)), ends)
    return SeedCredential(
        str(uuid4()), label, *(each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (starts, ended))
    )


class Rotation(Scenario):
    """The one secret of the application is rotated into a file."""

    kind = "credential-rotate"
    slow = True  # shown in tests/credentials/test_rotating.py
    points = (
        *at_requests(AFTER, 1, of="addPassword"),  # made, and nobody knows its secret
        *at_requests(BEFORE, 1, of="addPassword"),
        *at_requests(LATE, 1, of="addPassword"),
        *at_requests(AFTER, 1, 3, of="token"),  # tried, and delivered nowhere
        *at_requests(BEFORE, 1, of="removePassword"),
        *at_requests(AFTER, 1, of="removePassword"),
        *at_commits(AFTER, 14, 16, 18, 20, 22, 24, 26),
        *at_commits(BEFORE, 15, 17, 19, 21, 23, 25),
        *after_lines(1, 2),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.old = application_secret("by hand", left=timedelta(days=200))
        self.secrets[:] = [self.old]

    @property
    def secrets(self) -> list[SeedCredential]:
        """Those of the application."""
        return self.installation.clouds.directory.graph.applications[0].secrets

    @property
    def faults(self) -> CrashFaults:
        """The directory's."""
        return self.installation.clouds.directory_faults

    @property
    def command(self) -> str:
        """``!credential rotate crash/…``."""
        return f"!credential rotate crash/{self.old.id[:8]}"

    def check(self) -> None:
        """There is one secret, a new one, which the file holds; it stands in no database, and was not said."""
        (new,) = self.secrets
        assert new.id != self.old.id
        file = self.installation.folder / "rotated"
        assert file.read_text("utf-8") == new.text
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not list(self.installation.folder.glob(".rotated.*"))
        for path in self.installation.state.iterdir():
            assert not path.is_file() or new.text.encode() not in path.read_bytes(), path
        for bot in (*self.installation.past, self.installation.bot):
            assert new.text not in repr(bot.lines) + bot.stderr_text()


class Removal(Rotation):
    """What has ended beside the secret that is used is taken away."""

    kind = "credential-remove"
    shown_by = "credential-rotate"
    points = (
        *at_requests(AFTER, 1, of="removePassword"),
        *at_requests(BEFORE, 1, of="removePassword"),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.ended = application_secret("former", left=-timedelta(days=3))
        self.secrets.append(self.ended)

    @property
    def command(self) -> str:
        """``!credential remove crash``."""
        return "!credential remove crash"

    def check(self) -> None:
        """The one that is used is left."""
        assert self.secrets == [self.old]
