"""Whether a new credential works: several times in a row, since a cloud's front ends learn of it one by one."""

from __future__ import annotations

from datetime import timedelta

from slipway.bot.clouds.ports.credential_rotation import CredentialRotation, FreshKey
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.times import format_duration
from slipway.bot.core.waiting import Polling

IN_A_ROW = 3
"""So many logins in a row have to succeed: one may, and the next fail at another front end."""

PASSING = frozenset(
    {
        CloudErrorKind.BROKEN,
        CloudErrorKind.CONFLICT,
        CloudErrorKind.THROTTLED,
        CloudErrorKind.TIMED_OUT,
        CloudErrorKind.UNREACHABLE,
        CloudErrorKind.UNVERIFIED,
    }
)
"""What may be over at the next try."""


async def prove(port: CredentialRotation, holder: str, fresh: FreshKey, polling: Polling) -> None:
    """Log in with it until it works everywhere.

    Args:
        port: the account that has it.
        holder: whose it is.
        fresh: itself.
        polling: how often, and how long between.

    Raises:
        CloudError: UNVERIFIED where it does not in that time; or it cannot work.
    """
    in_a_row, last = 0, "it is not accepted"
    for number in range(polling.looks):
        if number:
            await polling.sleep(polling.pause)
        try:
            accepted = await port.accepts(holder, fresh)
        except CloudError as error:
            if error.kind not in PASSING or error.kind is CloudErrorKind.CONFLICT:
                raise
            accepted, last = False, error.sentence.rstrip(".")
        in_a_row = in_a_row + 1 if accepted else 0
        if in_a_row == IN_A_ROW:
            return
    within = format_duration(timedelta(seconds=round(polling.looks * polling.pause)))
    raise CloudError(
        CloudErrorKind.UNVERIFIED,
        cloud="credentials",
        sentence=f"The new credential of {holder} did not work {IN_A_ROW} times in a row within {within}: {last}.",
        remedy=Remedy(when="once its source is well"),
    )
