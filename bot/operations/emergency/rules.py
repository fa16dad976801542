"""Who may pass the approvals of what, and what nobody passes: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slipway.bot.config.settings import EmergencySettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.problems import listing
from slipway.bot.core.steps import Draft
from slipway.bot.operations.model import Policy, PolicyReason
from slipway.bot.operations.policies import in_words

OPTION = "--emergency"
"""What ends a line that asks for something in an emergency: the reason follows it."""

LONGEST_REASON = 300
"""Characters of the reason that are kept and told."""


_NOBODY = EmergencySettings()


@dataclass(frozen=True)
class Emergencies:
    """``[emergency]``: who may, and what.

    Attributes:
        settings: the table; without, nobody may.
    """

    settings: EmergencySettings = _NOBODY

    def permits(self, person: str, kind: str) -> bool:
        """Whether somebody may pass the approvals of such an operation."""
        return person in self.settings.people and kind in self.settings.kinds

    def check(self, person: str, kind: str) -> None:
        """See that somebody may.

        Raises:
            UserError: they may not, and who may.
        """
        people, kinds = self.settings.people, self.settings.kinds
        if not people or not kinds:
            raise UserError(
                f"`{OPTION}` is not set up here: nobody passes approvals. Whoever runs Slipway can name people and "
                "kinds in [emergency]. Ask without it."
            )
        if person not in people:
            raise UserError(f"You may not pass approvals. In an emergency, these may: {listing(people)}.")
        if kind not in kinds:
            raise UserError(
                f"No emergency passes the approvals of {kind}; only of {listing(kinds)}. Ask without it."
            )

    def passed(self, kind: str, usual: Policy, reason: str, draft: Draft[Any]) -> Policy:
        """The policy of an operation that is asked for in an emergency.

        Nobody else has to agree. Where a code is asked for, by the policy or by ``[emergency]``, whoever asks gives
        one of theirs, and nobody else can.

        Args:
            kind: of operation.
            usual: the policy that it would have.
            reason: why it cannot wait.
            draft: what is planned.

        Raises:
            UserError: the plan itself demands an approval, which no emergency passes.
        """
        if draft.needs_approval or draft.by_another:
            why = draft.needs_approval or "Somebody else has to agree to it than whoever asks."
            first = why.partition("\n")[0].rstrip(".")
            raise UserError(f"{first}. No emergency passes that: ask without `{OPTION}`.")
        code = usual.step_up or self.settings.step_up
        asks = "a code of whoever asked for it" if code else "nobody"
        by_table = PolicyReason(
            by=f"[policy.{kind}]", asks=in_words({each.role: each.approvals for each in usual.demands})
        )
        return usual.model_copy(
            update={
                "approvals": int(code),
                "also": (),
                "requester_may_approve": code or usual.requester_may_approve,
                "step_up": code,
                "emergency": reason,
                "asked_by": (
                    *(usual.asked_by or (by_table,)),
                    PolicyReason(by=f"[emergency]: {reason}", asks=asks),
                ),
            }
        )


NO_EMERGENCIES = Emergencies()
"""Nobody passes approvals."""
