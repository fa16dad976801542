"""Where credentials are found: each source turned into :class:`.model.Credential`, by its own ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from slipway.bot.chat.declaration import TokenFacts
from slipway.bot.clouds.ports.access_keys import AccessKey, AccessKeys
from slipway.bot.clouds.ports.app_credentials import AppCredentialKind, Application
from slipway.bot.core.errors import ChatError
from slipway.bot.core.patterns import fits
from slipway.bot.subjects.credentials.certificates import (
    CertificateDates,
    certificate_of_file,
    certificate_of_server,
)
from slipway.bot.subjects.credentials.model import (
    Credential,
    CredentialKind,
    LastUse,
    UnreadableError,
    aged,
    short_ids,
)
from slipway.bot.subjects.credentials.settings import CredentialSettings, SourceKind, is_pattern

AskToken = Callable[[], Awaitable[TokenFacts]]
"""Asks a chat platform about the bot's own token there."""

_KINDS = {
    AppCredentialKind.SECRET: CredentialKind.APP_SECRET,
    AppCredentialKind.CERTIFICATE: CredentialKind.APP_CERTIFICATE,
}


def of_applications(entry: str, account: str, applications: Iterable[Application]) -> tuple[Credential, ...]:
    """The secrets and certificates of applications; two of one label differ by their ids."""
    held = [(app, each) for app in applications for each in app.credentials]
    short = short_ids([each.id for _, each in held])
    return tuple(
        Credential(
            key=f"{account}:application:{app.id}:{each.id}",
            entry=entry,
            name=f"{entry}/{short[each.id]}",
            kind=_KINDS[each.kind],
            title=f"{each.kind} {_quoted(each.label)}of {app.name or app.client_id}",
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            group=f"{account}:application:{app.id}",
            source_id=each.id,
            holder=app.client_id,
        )
        for app, each in held
    )


def _quoted(label: str) -> str:
    return f"“{' '.join(label.split())[:60]}” " if label.strip() else ""


async def of_users(
    entry: str, account: str, port: AccessKeys, wanted: str, known: Sequence[str], max_age: timedelta
) -> tuple[Credential, ...]:
    """The access keys of users. ``known`` are all users, where ``wanted`` is a pattern."""
    users = [user for user in known if fits(user, wanted)] if is_pattern(wanted) else [wanted]
    keys = [key for user in users for key in await port.keys(user)]
    short = short_ids([key.id for key in keys], from_end=True)
    return tuple(_of_key(entry, account, key, short[key.id], max_age) for key in keys)


def _of_key(entry: str, account: str, key: AccessKey, short: str, max_age: timedelta) -> Credential:
    used = f", used for {key.used_for}" if key.used_for else ""
    return Credential(
        key=f"{account}:key:{key.user}:{key.id}",
        entry=entry,
        name=f"{entry}/{short}",
        kind=CredentialKind.ACCESS_KEY,
        title=f"key of {key.user}{'' if key.active else ', inactive'}{used}",
        starts_at=key.created_at,
        ends_at=aged(key.created_at, max_age),
        by_age=True,
        active=key.active,
        use=LastUse(key.used_at),
        group=f"{account}:user:{key.user}",
        source_id=key.id,
        holder=key.user,
    )


async def of_single(entry: str, settings: CredentialSettings, tokens: Mapping[str, AskToken]) -> Credential:
    """The one credential of an entry that is in no cloud.

    Raises:
        UnreadableError: its source cannot be read.
    """
    plain = Credential(
        key=f"{settings.source}:{entry}", entry=entry, name=entry, kind=CredentialKind.DECLARED, title=entry
    )
    match settings.source:
        case SourceKind.ENDPOINT:
            found = await certificate_of_server(*settings.address)
            return _of_certificate(plain, found, f"certificate of {settings.endpoint}")
        case SourceKind.CERTIFICATE if settings.certificate is not None:
            return _of_certificate(
                plain, await certificate_of_file(settings.certificate), "certificate in a file"
            )
        case SourceKind.CHAT:
            return await _of_token(plain, settings.chat, tokens)
    if settings.made is not None and settings.max_age is not None:
        made = _midnight(settings.made)
        return replace(
            plain, title="by its age", starts_at=made, ends_at=aged(made, settings.max_age), by_age=True
        )
    ends = _midnight(settings.expires) if settings.expires is not None else None
    return replace(plain, title="by a date in slipway.toml", ends_at=ends)


def _of_certificate(plain: Credential, found: CertificateDates, title: str) -> Credential:
    return replace(
        plain,
        kind=CredentialKind.TLS,
        title=title,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        generation=found.fingerprint,
    )


async def _of_token(plain: Credential, platform: str, tokens: Mapping[str, AskToken]) -> Credential:
    ask = tokens.get(platform)
    if ask is None:
        raise UnreadableError(f"This Slipway is on no chat {platform} whose token it could ask about.")
    try:
        facts = await ask()
    except ChatError as error:
        raise UnreadableError(str(error)) from None
    return replace(
        plain, kind=CredentialKind.CHAT_TOKEN, title=f"token of {facts.account}", ends_at=facts.ends_at
    )


def _midnight(day: date) -> datetime:
    """What is written as a day ends as it begins, by UTC: too early by a day at most, and never too late."""
    return datetime.combine(day, time(), UTC)
