"""A good configuration in a few lines, for whoever starts the bot. Never a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from slipway.bot.config.http_settings import Pages
from slipway.bot.config.policies.settings import PolicySettings, rule_name
from slipway.bot.config.settings import AuditSettings, ScheduleMode, ScheduleSettings, SlipwaySettings
from slipway.bot.config.spec import ConfigSpec, KindSpec
from slipway.bot.core.text import counted
from slipway.bot.core.times import format_duration


def describe(
    settings: SlipwaySettings,
    spec: ConfigSpec,
    times: Callable[[ScheduleSettings], str] | None = None,
) -> list[str]:
    """What was understood, a line a subject: chats, clouds, people, approvals, schedules and so on.

    ``times`` says when a schedule runs next, where that is to be told.
    """
    persons = counted([person.id for person in settings.person], "person")
    return [
        f"{settings.name}: state in {settings.state_dir}, times in {settings.zone.key}",
        f"chat: {'; '.join(_chats(settings, spec)) or 'none'}",
        f"clouds: {'; '.join(_clouds(settings, spec)) or 'none'}",
        f"people: {persons}, {counted(settings.roles, 'role')}",
        f"approvals: {'; '.join(_policy(settings, kind) for kind in spec.kinds)}",
        *(line for lines in spec.summaries for line in lines(settings)),
        *(line for entry in settings.schedule for line in _schedule(entry, times)),
        _problems(settings),
        _audit(settings.audit),
        *_http(settings),
        f"secrets: {_secrets(settings)}",
    ]


def _chats(settings: SlipwaySettings, spec: ConfigSpec) -> Iterator[str]:
    for chat in spec.chats:
        table = getattr(settings, chat.platform)
        if table is not None and chat.enabled(table):
            yield chat.describe(table)


def _clouds(settings: SlipwaySettings, spec: ConfigSpec) -> Iterator[str]:
    for cloud, declared in spec.clouds.items():
        for name, account in getattr(settings, cloud).items():
            yield f"{name} {declared.describe(account)}"


def _policy(settings: SlipwaySettings, kind: KindSpec) -> str:
    policy = settings.policy.get(kind.name)
    if policy is None:
        return f"{kind.name} not set"
    rules = (
        f"{rule_name(rule, number)} {_asked(policy.by_rule(rule))}"
        for number, rule in enumerate(policy.rule, 1)
    )
    by_rule = ", ".join(rules)
    return f"{kind.name} {_asked(policy)}{f' ({by_rule})' if by_rule else ''}"


def _asked(policy: PolicySettings) -> str:
    """What a table or a rule asks for."""
    roles = {policy.role: policy.approvals} | policy.also
    asked = [f"{count} by {role or 'whoever may ask'}" for role, count in roles.items() if count]
    words = " and ".join(asked) or "none"
    if policy.needed and policy.step_up:
        words += ", with a code"
    if policy.needed and policy.requester_may_approve:
        words += ", the requester too"
    if policy.approvals_scheduled not in (None, policy.approvals):
        words += f", {policy.approvals_scheduled or 'none'} when scheduled"
    return words


_MODES = {
    ScheduleMode.POLICY: "",
    ScheduleMode.RUN: ", without asking",
    ScheduleMode.ASK: ", when somebody agrees",
    ScheduleMode.REPORT: ", as a report alone",
}


def _schedule(entry: ScheduleSettings, times: Callable[[ScheduleSettings], str] | None) -> Iterator[str]:
    off = "" if entry.enabled else " (switched off)"
    jitter = f", up to {format_duration(entry.jitter)} later" if entry.jitter else ""
    when = f"{entry.cron} {entry.zone.key}{jitter}"
    yield f"schedule {entry.name}: {entry.command} at {when} in {entry.room}{_MODES[entry.mode]}{off}"
    if entry.enabled and times is not None:
        yield f"  next: {times(entry)}"


def _problems(settings: SlipwaySettings) -> str:
    room = settings.problems.room or settings.commands.room
    owner = f", for {settings.problems.owner}" if settings.problems.owner else ""
    return f"problems: told in {room or 'the log alone'}{owner}"


def _audit(audit: AuditSettings) -> str:
    places = [str(each) for each in (audit.room, audit.file) if each]
    told = f"told at {audit.cron} {audit.zone.key} in {' and '.join(places)}" if places else "told nowhere"
    return f"audit: its head is {told}"


def _http(settings: SlipwaySettings) -> Iterator[str]:
    ops = settings.http.ops
    if ops is not None:
        token = ", with a token" if ops.token is not None else ""
        whom = ", ".join(map(str, ops.networks)) or "nobody"
        pages = "none" if ops.pages is Pages.OFF else f"by {ops.pages}"
        yield f"http: for operators at {ops.listen}; metrics for {whom}{token}; pages {pages}"


def _secrets(settings: SlipwaySettings) -> str:
    return "; ".join(f"{key} from {source}" for key, source in settings.secret_sources.items()) or "none"
