"""``[policy.KIND]``, its rules, and the environments that rules speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, PrivateAttr

from slipway.bot.core.settings import Duration, Settings

HOLDERS = "holders"
"""In :data:`Mention`: everybody whose approval counts."""

NOBODY = "nobody"
"""In :data:`Mention`: no one."""

MOST_APPROVALS = 5
"""Persons of one role that may be asked for at most."""


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One name, or a list of them."""

Mention = Names
"""Whom the card of an operation mentions that waits for approval: persons by their ids, or one of the words above."""

Count = Annotated[int, Field(ge=1, le=MOST_APPROVALS)]
"""Persons of a role."""


class WhenLocked(StrEnum):
    """What becomes of an operation while another one works on the same."""

    WAIT = "wait"  # it waits in line, behind those that came before it
    REFUSE = "refuse"  # it is not proposed, and one that was approved meanwhile does not begin


class EnvironmentSettings(Settings):
    """``[environment.NAME]``: what belongs together for policies, such as all of staging.

    What is in one of the accounts belongs to it, and whatever has a name that fits.
    """

    clouds: Names = Field((), description='accounts of clouds as a list, like ["azure.staging"]')
    targets: Names = Field(
        (), description='names or patterns as a list, like ["*-staging", "azure:Fedora-Cloud-44-*"]'
    )


class PolicyRuleSettings(Settings):
    """``[[policy.KIND.rule]]``: what counts in the place of the table's own, where it fits.

    It fits where all of its conditions do, which stand first. What it does not say is as the table says.
    """

    name: str = Field("", max_length=60, description="what people call it, like production")
    environment: Names = Field((), description='environments by their names, like "production"')
    cloud: Names = Field((), description='accounts of clouds, like "azure" or ["azure.*"]')
    target: Names = Field((), description='names or patterns, like "Fedora-Cloud-*" or "azure:Fedora-*"')
    min_targets: int | None = Field(None, ge=2)
    min_deletions: int | None = Field(None, ge=1)

    approvals: int | None = Field(None, ge=0, le=MOST_APPROVALS)
    approvals_scheduled: int | None = Field(None, ge=0, le=MOST_APPROVALS)
    role: str | None = None
    also: dict[str, Count] | None = Field(None, description="how many of which role, like { security = 1 }")
    requester_may_approve: bool | None = None
    expires: Duration | None = None
    remind: bool | None = None
    remind_after: Duration | None = None
    step_up: bool | None = None
    encrypted_reactions: bool | None = None
    mention: Mention | None = Field(
        None, description='"holders", "nobody", or persons by their ids, like ["alice", "bob"]'
    )

    @property
    def by_size(self) -> bool:
        """Whether it counts for large changes alone: it then adds to what else is asked for."""
        return self.min_targets is not None or self.min_deletions is not None

    @property
    def by_place(self) -> bool:
        """Whether it counts for some targets alone."""
        return bool(self.environment or self.cloud or self.target)


_CONDITIONS = frozenset({"name", "environment", "cloud", "target", "min_targets", "min_deletions"})
"""Keys of a rule that say when it counts, and not what it asks for."""


class PolicySettings(Settings):
    """``[policy.KIND]``: who must agree before an operation of that kind runs."""

    approvals: int = Field(1, ge=0, le=MOST_APPROVALS)
    approvals_scheduled: int | None = Field(
        None, ge=0, le=MOST_APPROVALS
    )  # asked by a schedule; None: the same
    role: str = (
        ""  # approvers hold it; empty only where no approval is ever asked for, or one confirms it oneself
    )
    also: dict[str, Count] = Field(  # beside those of `role`, by other persons
        default_factory=dict, description="how many of which role, like { security = 1 }"
    )
    requester_may_approve: bool = False
    expires: Duration = timedelta(hours=24)
    remind: bool = True  # whether those who can still approve are called once more
    remind_after: Duration | None = None  # how long after it was asked for; None: half of `expires`
    step_up: bool = False  # whether an approval takes a single-use code of its giver's
    encrypted_reactions: bool | None = None  # whether a reaction counts in an encrypted room; None: by kind
    mention: Mention = Field(
        (HOLDERS,), description='"holders", "nobody", or persons by their ids, like ["alice", "bob"]'
    )
    when_locked: WhenLocked = WhenLocked.WAIT
    rule: tuple[PolicyRuleSettings, ...] = ()

    _written_as: str = PrivateAttr("")

    @property
    def written_as(self) -> str:
        """The kind under which it stands in slipway.toml; empty where that is not known."""
        return self._written_as

    def written_under(self, kind: str) -> PolicySettings:
        """The same, knowing the kind under which it stands in slipway.toml."""
        copy = self.model_copy()
        copy._written_as = kind
        return copy

    def by_rule(self, rule: PolicyRuleSettings) -> PolicySettings:
        """What is asked for where one of the rules counts.

        How many a schedule is asked for, and when somebody is reminded, are not taken over where the rule changes
        what they were written for: that is the number of approvals, and how long they are waited for.
        """
        written = {name: getattr(rule, name) for name in PolicyRuleSettings.model_fields.keys() - _CONDITIONS}
        said = {name: value for name, value in written.items() if value is not None}
        changes: dict[str, object] = {"rule": ()}
        if rule.approvals is not None:
            changes["approvals_scheduled"] = None
        if rule.expires is not None:
            changes["remind_after"] = None
        return self.model_copy(update=changes | said)

    @property
    def alone(self) -> PolicySettings:
        """The same without its rules: what is asked for where none of them counts."""
        return self.model_copy(update={"rule": ()})

    def everywhere(self) -> Iterator[tuple[str, PolicySettings]]:
        """All that it may ask for, each without rules of its own, by where that is written below the table: first the
        table itself, by the empty word, then each rule, as problems call it: `` .rule #1``."""
        yield "", self.alone
        for number, rule in enumerate(self.rule, 1):
            yield f".rule #{number}", self.by_rule(rule)

    @property
    def roles(self) -> frozenset[str]:
        """Every role that may be asked for; the empty word is no role, and is not among them."""
        return frozenset(role for _, each in self.everywhere() for role in (each.role, *each.also) if role)

    @property
    def needed(self) -> int:
        """How many persons it asks for where none of its rules counts."""
        return self.approvals + sum(self.also.values())

    @property
    def most(self) -> int:
        """How many persons it asks for at most: several rules may count for one plan."""
        each = [(each.role, each.approvals, each.also) for _, each in self.everywhere()]
        demands: dict[str, int] = {}
        for role, approvals, also in each:
            for name, count in ((role, approvals), *also.items()):
                demands[name] = max(demands.get(name, 0), count)
        return sum(demands.values())


Environments = Mapping[str, EnvironmentSettings]
"""The environments, in the order of slipway.toml."""


def rule_name(rule: PolicyRuleSettings, number: int) -> str:
    """What a rule is called: its name, or its number, from 1 on."""
    return f"“{rule.name}”" if rule.name else f"#{number}"
