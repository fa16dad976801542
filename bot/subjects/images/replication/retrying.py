"""Planning to see to what is owed, as far as people agreed to it when a promotion left it out.

What is planned is a part of what they agreed to then, done later: the plan names that operation. What nobody agreed
to is left to a promotion, which asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.replication.agreed import agreed_regions
from slipway.bot.subjects.images.replication.debts import NEWEST, AboutVersions, Debts
from slipway.bot.subjects.images.replication.owed import Owed, in_words, pin_of, steps_of
from slipway.bot.subjects.images.replication.reach import Debt
from slipway.bot.subjects.images.replication.requests import RegionRetry
from slipway.bot.subjects.images.replication.standing import DebtState, Standing, next_of
from slipway.bot.subjects.images.versions import newest_latest

_COVERED = (DebtState.DUE, DebtState.LATER, DebtState.REFUSED, DebtState.GIVEN_UP)
"""What people agreed to. That it was stopped, or tried often, keeps nobody from asking for it again."""


class RetryPlanner:
    """Plans :class:`.requests.RegionRetry`.

    Args:
        catalogue: reads the galleries.
        debts: reads what is owed.
        operations: tell what was agreed to.
        history: what was rolled back.
        prefix: of command lines.
        name: what to call a person by their id.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        debts: Debts,
        operations: AboutVersions,
        history: RollbackHistory,
        prefix: str,
        name: Callable[[str], str],
    ) -> None:
        self._catalogue = catalogue
        self._debts = debts
        self._operations = operations
        self._history = history
        self._prefix = prefix
        self._name = name

    async def plan(self, request: RegionRetry, now: datetime) -> Draft[RegionRetry]:
        """Plan to copy what is owed to where it is owed, and to promote it there.

        Raises:
            UserError: no such definition; or what was planned first is owed no more, or must not be promoted now.
            CloudError: a gallery cannot be read.
        """
        if request.debts is not None:
            await self._check(request.debts)
            return _draft(request, request.debts, ())
        found = await self._debts.of(request.definition)
        debts = [await self._debt(each) for each in found if each.state in _COVERED]
        others = [_other(each, self._prefix) for each in found if each.state not in _COVERED]
        pinned = request.model_copy(update={"debts": tuple(debts)})
        return _draft(pinned, debts, others, [(each, await self._who(each)) for each in debts])

    async def _debt(self, standing: Standing) -> Debt:
        """What is to be done, with what covers it."""
        owed: Owed = standing.owed
        seen = await self._history.look_up([owed.pin])
        debt = owed.debt(standing.regions, rollbacks=seen.ended.get(owed.pin.target, 0))
        agreed = agreed_regions(owed.pin, await self._operations.about(owed.pin.target, NEWEST))
        covers = agreed[standing.regions[0]]
        return debt.model_copy(update={"agreed": covers.operation_id, "overridden": covers.overridden})

    async def _who(self, debt: Debt) -> str:
        """Who agreed to it, and in which operation."""
        for operation in await self._operations.about(pin_of(debt).target, NEWEST):
            if operation.id == debt.agreed:
                voted = [each.person for each in operation.votes if each.choice.value == "approve"]
                by = ", ".join(self._name(each) for each in voted or [operation.requester])
                return f"{operation.id}, by {by}"
        return debt.agreed

    async def _check(self, debts: Sequence[Debt]) -> None:
        """Refuse what is owed no more.

        Raises:
            UserError: then.
        """
        listed = await self._catalogue.versions_of(dict.fromkeys(pin_of(debt).ref for debt in debts))
        barred = await self._debts.barred([pin_of(debt) for debt in debts])
        for debt in debts:
            pin = pin_of(debt)
            top = newest_latest(listed[pin.ref])
            if top is None or str(top.number) != pin.version:
                raise UserError(
                    f"{pin.version} is not the newest promoted version of {pin.ref} any more, so nothing is owed of "
                    "it.",
                    hint=f"regions {pin.ref}",
                )
            if why := barred.get(pin.target):
                raise UserError(
                    f"{pin.version} of {pin.ref} {why}; it is promoted nowhere else.",
                    hint=f"images {pin.ref}",
                )


def _other(standing: Standing, prefix: str) -> str:
    owed = standing.owed
    where = ", ".join(standing.regions)
    return f"{owed.version.number} of {owed.definition} is left alone in {where}. {next_of(standing, prefix)}"


def _draft(
    request: RegionRetry,
    debts: Sequence[Debt],
    others: Sequence[str],
    agreed: Sequence[tuple[Debt, str]] = (),
) -> Draft[RegionRetry]:
    if not debts:
        told = " ".join(others) or "Every promoted version is where it is wanted."
        return Draft(request, f"Nothing to try again. {told}", (), {})
    alone = len(debts) == 1
    return Draft(
        request=request,
        summary=" ".join(f"{in_words(debt)} That was agreed to in {debt.agreed}." for debt in debts),
        steps=tuple(steps_of(debts)),
        observed={f"newest promoted of {pin_of(debt).ref}": debt.version for debt in debts},
        evidence=tuple(
            ("Agreed to in" if alone else f"Agreed to in, of {pin_of(debt).ref}", who) for debt, who in agreed
        ),
        warnings=tuple(others),
        independent=not alone,
    )
