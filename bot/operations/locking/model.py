"""Claims of operations on what they change, and whose turn it is: pure rules.

An operation claims all that it needs at once, and gets a ticket with that. It has it once nobody with a smaller
ticket claims any of it. As everybody waits for smaller tickets alone, no two ever wait for each other; as nobody
overtakes, everybody's turn comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Claim:
    """An operation's place in the lines before what it changes: it has all of that, or waits for all of it.

    Attributes:
        operation_id: whose it is; an operation has one claim at a time.
        targets: names of what is claimed, as :attr:`slipway.bot.operations.declarations.StepKind.touches` gives them.
        ticket: its place: smaller ones come first.
        asked_at: when it was made.
        since: since when it is held; None while it waits.
    """

    operation_id: str
    targets: frozenset[str]
    ticket: int
    asked_at: datetime
    since: datetime | None = None

    @property
    def held(self) -> bool:
        """Whether the operation has what it claims."""
        return self.since is not None


def ahead(claim: Claim, claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims of others that come before one, the first at the front; none where it may be held."""
    before = (
        each
        for each in claims
        if each.operation_id != claim.operation_id
        and each.ticket < claim.ticket
        and each.targets & claim.targets
    )
    return tuple(sorted(before, key=lambda each: each.ticket))


def lines(claims: Collection[Claim]) -> Mapping[str, tuple[Claim, ...]]:
    """Who stands in the line before each target, the first at the front."""
    found: dict[str, list[Claim]] = {}
    for claim in sorted(claims, key=lambda each: each.ticket):
        for target in claim.targets:
            found.setdefault(target, []).append(claim)
    return {target: tuple(found[target]) for target in sorted(found)}
