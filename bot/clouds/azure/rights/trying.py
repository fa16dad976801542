"""Compares what Azure says that Slipway may do with what a configuration takes, for `slipway doctor`."""

from __future__ import annotations

import asyncio

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.machines.calls import PERMISSIONS
from slipway.bot.clouds.azure.machines.rights import lacking
from slipway.bot.clouds.azure.rights.roles import wanted
from slipway.bot.clouds.azure.rights.table import Right, Scope
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.rights import Usage
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.probes import Check, Verdict

_ELSEWHERE = (
    "it counts on what profiles and deliveries name: `!launch --dry-run`, and the probes below, look there"
)

ADD = "give the identity what `slipway permissions azure` prints"


async def rights(
    settings: AzureSettings, gallery: AzureGallery, usage: Usage, account: AzureAccount
) -> Check:
    """What came of each right, by its action, grouped by where it has to be given.

    Raises:
        CloudError: Azure cannot be reached.
    """
    asked = wanted(settings, usage)
    scopes = [scope for scope in Scope if any(right.scope is scope for right in asked)]
    parts = await asyncio.gather(
        *(
            _at(scope, [each for each in asked if each.scope is scope], settings, gallery, account)
            for scope in scopes
        )
    )
    return Check("rights", says="compared with what Azure lists", parts=tuple(parts))


def place(scope: Scope, settings: AzureSettings) -> str:
    """The id of where rights of a scope have to be given."""
    subscription = f"/subscriptions/{settings.subscription_id}"
    match scope:
        case Scope.GALLERY:
            group = f"{subscription}/resourceGroups/{settings.resource_group}"
            return f"{group}/providers/Microsoft.Compute/galleries/{settings.gallery}"
        case Scope.MACHINES:
            return f"{subscription}/resourceGroups/{settings.machines_group}"
        case _:
            return subscription


async def _at(
    scope: Scope,
    asked: list[Right],
    settings: AzureSettings,
    gallery: AzureGallery,
    account: AzureAccount,
) -> Check:
    if scope is Scope.ELSEWHERE:
        parts = tuple(Check(each.action, Verdict.UNTRIED, f"Not tried: {_ELSEWHERE}.") for each in asked)
        return Check(scope.value, parts=parts)
    where = place(scope, settings)
    try:
        allowed = await _permissions(where, settings, gallery, account)
    except CloudError as error:
        if error.kind in (CloudErrorKind.UNREACHABLE, CloudErrorKind.TIMED_OUT):
            raise
        why = f"What Slipway may do at {where} is not told: {error.words}"
        parts = tuple(Check(each.action, Verdict.UNTRIED, "Not known.") for each in asked)
        return Check(
            scope.value, Verdict.WARN, why, "allow Microsoft.Authorization/permissions/read there", parts
        )
    missing = lacking([each.action for each in asked], allowed, account)
    return Check(
        scope.value,
        parts=tuple(
            Check(
                each.action,
                Verdict.FAIL if each.action in missing else Verdict.PASS,
                f"{each.action} is not allowed at {where}." if each.action in missing else "",
                ADD if each.action in missing else "",
            )
            for each in asked
        ),
    )


async def _permissions(
    where: str, settings: AzureSettings, gallery: AzureGallery, account: AzureAccount
) -> list[object]:
    what = "what Slipway's identity may do"
    found: list[object] = []
    limit = settings.timeout * settings.max_attempts
    try:
        async with asyncio.timeout(limit.total_seconds()):
            arm = await gallery.connect()
            listing = arm.listing(
                f"{where}/providers/{PERMISSIONS.type}", {"api-version": PERMISSIONS.version}, what
            )
            while not listing.ended:
                found += await listing.next_page()
    except TimeoutError:
        raise CloudError(
            CloudErrorKind.TIMED_OUT,
            cloud=account.name,
            sentence=f"{account.title} did not list {what}: no answer came in time.",
        ) from None
    return found
