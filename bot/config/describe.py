"""A good configuration in a few lines, for whoever starts the bot. Never a secret."""

from __future__ import annotations

from collections.abc import Iterable

from slipway.bot.config.settings import OperationKind, ScheduleSettings, SlipwaySettings
from slipway.bot.core.times import format_duration

_NAMED = 6  # more names than this are counted instead


def describe(settings: SlipwaySettings) -> list[str]:
    """What was understood, a line a subject: chats, clouds, people, approvals, schedules and so on."""
    persons = _count(settings.person, "person", (person.id for person in settings.person))
    return [
        f"{settings.name}: state in {settings.state_dir}, times in {settings.zone.key}",
        f"chat: {'; '.join(_chats(settings)) or 'none'}",
        f"clouds: {'; '.join(_clouds(settings)) or 'none'}",
        f"people: {persons}, {_count(settings.roles, 'role', settings.roles)}",
        f"approvals: {'; '.join(_policy(settings, kind) for kind in OperationKind)}",
        f"profiles: {_profiles(settings)}",
        *(_schedule(entry) for entry in settings.schedule),
        f"secrets: {_secrets(settings)}",
    ]


def _chats(settings: SlipwaySettings) -> list[str]:
    chats = []
    if settings.console.enabled:
        chats.append(f"console as {settings.console.speaker}")
    if settings.matrix is not None:
        rooms = _count(settings.matrix.rooms, "room", settings.matrix.rooms)
        chats.append(f"matrix as {settings.matrix.user_id} on {settings.matrix.homeserver} in {rooms}")
    if settings.slack is not None:
        channels = _count(settings.slack.channels, "channel", settings.slack.channels)
        chats.append(f"slack by {settings.slack.transport}, changes in {channels}")
    return chats


def _clouds(settings: SlipwaySettings) -> list[str]:
    clouds = []
    if settings.aws is not None:
        clouds.append(f"aws {settings.aws.region}{_at(settings.aws.endpoint)}")
    if settings.azure is not None:
        azure = settings.azure
        clouds.append(f"azure gallery {azure.gallery} in {azure.resource_group}{_at(azure.endpoint)}")
    return clouds


def _at(endpoint: str | None) -> str:
    return f" at {endpoint}" if endpoint else ""


def _policy(settings: SlipwaySettings, kind: OperationKind) -> str:
    policy = settings.policy.get(kind)
    if policy is None:
        return f"{kind} not set"
    words = f"{policy.approvals} by {policy.role}" if policy.approvals else "none"
    if policy.approvals and policy.requester_may_approve:
        words += ", the requester too"
    if policy.approvals_scheduled not in (None, policy.approvals):
        words += f", {policy.approvals_scheduled or 'none'} when scheduled"
    return f"{kind} {words}"


def _profiles(settings: SlipwaySettings) -> str:
    return (
        "; ".join(
            f"{name} up to {profile.max_count} for {format_duration(profile.max_for)}"
            for name, profile in settings.profiles.items()
        )
        or "none"
    )


def _schedule(entry: ScheduleSettings) -> str:
    off = "" if entry.enabled else " (switched off)"
    return f"schedule {entry.name}: {entry.command} at {entry.cron} {entry.zone.key} in {entry.room}{off}"


def _secrets(settings: SlipwaySettings) -> str:
    return "; ".join(f"{key} from {source}" for key, source in settings.secret_sources.items()) or "none"


def _count(things: Iterable[object], word: str, names: Iterable[str]) -> str:
    count = len(tuple(things))
    plural = "" if count == 1 else "s"
    named = ", ".join(names)
    return f"{count} {word}{plural}" + (f" ({named})" if 0 < count <= _NAMED else "")
