"""Killed while public keys are added or removed."""

from __future__ import annotations

from tests.crash.clouds import CrashFaults, CrashTiming
from tests.crash.installation import Installation
from tests.crash.scenario import Scenario, after_lines, at_commits, at_requests
from tests.support.ssh_keys import ed25519

BEFORE, AFTER, LATE = CrashTiming

KEYS = 2
"""How many an account lists."""


class Addition(Scenario):
    """Two keys of an account that is nobody's in the configuration, so that somebody else agrees."""

    kind = "sshkey-add"
    points = (*at_commits(AFTER, 14), *at_requests(BEFORE, 2), *at_requests(AFTER, 1), *after_lines(2))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        self.account = f"crash-{self.number}"
        accounts = installation.clouds.accounts
        numbers = (1000 * (self.number + 1) + each for each in range(KEYS))
        made = accounts.add(accounts.github, self.account, map(ed25519, numbers))
        self.account_id = str(made.id)
        self.before = self.rows()

    @property
    def faults(self) -> CrashFaults:
        """GitHub's."""
        return self.installation.clouds.accounts_faults

    @property
    def command(self) -> str:
        """``!sshkey add github:…``."""
        return f"!sshkey add github:{self.account}"

    def check(self) -> None:
        """Both keys are there, bound to the account's number, and no other key was touched."""
        fresh = [row for row in self.rows() if row not in self.before]
        assert [row["account_id"] for row in fresh] == [self.account_id] * KEYS
        assert all(row in self.rows() for row in self.before)

    def rows(self) -> list[dict[str, object]]:
        """The keys that the database has."""
        return self.installation.rows("SELECT person, fingerprint, account, account_id FROM ssh_key")


class Removal(Addition):
    """The keys of one account, of several that there are; no approval needed."""

    kind = "sshkey-remove"
    shown_by = "sshkey-add"
    approved = False
    points = (*at_commits(AFTER, 7), *at_commits(BEFORE, 9), *after_lines(1))

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        bot = installation.bot
        bot.skip_output()
        bot.say(super().command)
        card = bot.until(lambda line: bool(line["buttons"]))
        number = next(each["number"] for each in card["buttons"] if each["choice"] == "approve")
        bot.say(f"@bob: {number}")
        bot.report()
        installation.settle()
        super().check()

    @property
    def command(self) -> str:
        """``!sshkey remove github:…``."""
        return f"!sshkey remove github:{self.account}"

    def check(self) -> None:
        """They are gone, and every other key is there."""
        assert self.rows() == self.before
