"""What Key Vault's refusals mean for a person, by the code within the error. Knows no SDK.

Source: “Common error codes for Azure Key Vault” and recorded answers: 403 with ``ForbiddenByRbac``,
``ForbiddenByPolicy``, ``ForbiddenByFirewall``, ``AccessDenied`` or ``SecretDisabled``, 409 with
``ObjectIsDeletedButRecoverable`` or ``ObjectIsBeingDeleted``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy

DISABLED = "SecretDisabled"
"""The inner code of a look at a secret whose newest version is disabled."""

_ACTION = re.compile(r"Action: '([A-Za-z./]+)'")
"""How a refusal by RBAC names the right that is lacking."""

_LATER = "; rights that were given just now count within minutes"


@dataclass(frozen=True)
class _Refusal:
    kind: CloudErrorKind
    why: str
    when: str


_KNOWN = {
    "ForbiddenByFirewall": _Refusal(
        CloudErrorKind.REFUSED,
        "the vault's firewall does not let this machine in",
        "once the vault's network rules allow this machine",
    ),
    "ForbiddenByConnection": _Refusal(
        CloudErrorKind.REFUSED,
        "the vault takes connections by a private link alone",
        "once the vault's network rules allow this machine",
    ),
    "ForbiddenByPolicy": _Refusal(
        CloudErrorKind.REFUSED,
        "the vault's access policy does not give Slipway's identity the right; get and set of secrets are needed",
        "once it is permitted",
    ),
    "ObjectIsDeletedButRecoverable": _Refusal(
        CloudErrorKind.CONFIGURATION,
        "a secret of that name was deleted and is kept to be recovered; somebody recovers it, or purges it",
        "once that is put right",
    ),
    "ObjectIsBeingDeleted": _Refusal(
        CloudErrorKind.CONFLICT, "the secret of that name is being deleted", "in some minutes"
    ),
    "ObjectIsBeingRecovered": _Refusal(
        CloudErrorKind.CONFLICT, "the secret of that name is being recovered", "in some minutes"
    ),
}


def refusal(account: AzureAccount, action: str, inner: str, error: CloudError, body: str) -> CloudError:
    """The error in plain words; an error that says enough by itself comes back as it is.

    Args:
        account: which it is of.
        action: completes “Key Vault did not …”.
        inner: the code within Key Vault's error; empty for none.
        error: the error without it.
        body: Key Vault's error as it came.
    """
    known = _KNOWN.get(inner)
    if inner == "ForbiddenByRbac":
        named = _ACTION.search(body)
        right = named[1] if named else "to do that"
        known = _Refusal(
            CloudErrorKind.REFUSED,
            f"Slipway's identity lacks the right {right}{_LATER}",
            "once it is permitted",
        )
    if known is None:
        error.code = inner or error.code
        return error
    told = account.error(known.kind, f"{account.title} did not {action}: {known.why} ({inner}).", inner)
    told.remedy = Remedy(when=known.when)
    return told
