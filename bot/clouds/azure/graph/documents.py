"""Microsoft Graph's JSON read into the port's words. Whatever does not look as documented is an error, never a guess.

Source: Microsoft Graph v1.0 reference, “application”, “passwordCredential”, “keyCredential”. The hint, which is the
beginning of a secret, is never read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import Page
from slipway.bot.clouds.ports.app_credentials import AppCredential, AppCredentialKind, Application

SELECT = "id,appId,displayName,passwordCredentials,keyCredentials"

_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
"""Graph writes up to seven digits of a second."""

_UNSET = datetime(1990, 1, 1, tzinfo=UTC)
"""What is earlier is no date that anybody meant: .NET writes an unset one as the first day of the year 1."""


class _GraphModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Credential(_GraphModel):
    key_id: StrictStr = Field(min_length=1)
    display_name: StrictStr | None = None
    start_date_time: StrictStr | None = None
    end_date_time: StrictStr | None = None


class _Application(_GraphModel):
    id: StrictStr = Field(min_length=1)
    app_id: StrictStr = Field(min_length=1)
    display_name: StrictStr | None = None
    password_credentials: tuple[_Credential, ...]
    key_credentials: tuple[_Credential, ...]


class _Page(_GraphModel):
    value: tuple[object, ...]
    next_link: StrictStr | None = Field(None, alias="@odata.nextLink")


def read_page(body: bytes, account: AzureAccount) -> Page[tuple[Application, ...]]:
    """One page of a listing, whole: an application that cannot be read is an error, for its secrets would be missing.

    Raises:
        CloudError: UNEXPECTED_ANSWER.
        ValueError: the body is no JSON.
    """
    document = json.loads(body)
    try:
        page = _Page.model_validate(document)
    except ValidationError as error:
        raise _unexpected(account, "a page of its applications", error) from error
    return Page(tuple(_application(each, account) for each in page.value), page.next_link or None)


def read_application(body: bytes, account: AzureAccount) -> Application:
    """One application; raises as :func:`read_page` does."""
    return _application(json.loads(body), account)


def _application(document: object, account: AzureAccount) -> Application:
    try:
        found = _Application.model_validate(document)
    except ValidationError as error:
        raise _unexpected(account, "an application", error) from error
    secrets = _credentials(found.password_credentials, AppCredentialKind.SECRET)
    certificates = _credentials(found.key_credentials, AppCredentialKind.CERTIFICATE)
    return Application(found.id, found.app_id, found.display_name or "", (*secrets, *certificates))


def _credentials(found: Iterable[_Credential], kind: AppCredentialKind) -> tuple[AppCredential, ...]:
    """A certificate that both verifies and signs is listed twice, under two ids: each is one."""
    return tuple(
        AppCredential(
            id=each.key_id,
            kind=kind,
            label=each.display_name or "",
            starts_at=read_date(each.start_date_time),
            ends_at=read_date(each.end_date_time),
        )
        for each in found
    )


def read_date(text: str | None) -> datetime | None:
    """A date of Graph's; None where there is none, or nothing that can be one."""
    match = _DATE.fullmatch(text or "")
    if match is None:
        return None
    try:
        found = datetime.fromisoformat(f"{match[1]}{match[2].replace('Z', '+00:00')}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found >= _UNSET else None


def _unexpected(account: AzureAccount, what: str, error: ValidationError) -> Exception:
    places = sorted({".".join(str(part) for part in each["loc"]) for each in error.errors()})
    return account.unexpected_answer(
        f"{account.title} gave {what} that cannot be read, for {places[0] or 'it'} is not as documented."
    )
