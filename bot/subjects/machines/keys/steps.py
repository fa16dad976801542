"""The changes to people's keys. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach, Step, Target


class StoreKey(Step):
    """Take one key for the machines that a person launches from now on."""

    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["store-ssh-key"] = "store-ssh-key"
    person: str
    fingerprint: str
    words: str  # what kind of key it is
    line: str
    account: str = ""  # empty: it was pasted
    account_id: str = ""

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The key, by whose it is."""
        return (Target(self.person, item=self.fingerprint),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"add {self.fingerprint} ({self.words})"

    @property
    def reason(self) -> str:
        """Where it comes from."""
        return f"{self.account} lists it" if self.account else f"{self.person} pasted it"


class ForgetKey(Step):
    """Leave one key out of the machines that a person launches from now on."""

    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["forget-ssh-key"] = "forget-ssh-key"
    person: str
    fingerprint: str
    source: str

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The key, by whose it is."""
        return (Target(self.person, item=self.fingerprint),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"remove {self.fingerprint} ({self.source})"

    @property
    def reason(self) -> str:
        """Who wants it so."""
        return f"{self.person} asked for it"
