"""What is allowed in slipway.toml and hardly meant: text of the example that nobody replaced, approvals that ask
nobody else, and what each table, chat and cloud finds odd. Warnings, no mistakes: the bot would start."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic import AliasChoices

from slipway.bot.config.http_checks import http_warnings
from slipway.bot.config.policies.defaults import by_requesters_alone
from slipway.bot.config.schema import key_of
from slipway.bot.config.settings import ScheduleSettings, SlipwaySettings
from slipway.bot.config.spec import CommandRight, ConfigSpec, gives
from slipway.bot.config.step_up import without_secrets
from slipway.bot.config.tables import Place, Plain
from slipway.bot.core.problems import Problem, listing, shown
from slipway.bot.core.settings import Settings

REVIEW = "emergency.review"
"""The right to review an emergency."""

_EXAMPLE_NAME = re.compile(
    r"(?<![\w-])(?:(?:[\w-]+\.)*example\.(?:org|com|net)|(?:[\w-]+\.)+example)(?![\w-]|\.\w)", re.IGNORECASE
)
"""Names that RFC 2606 keeps for examples: example.org, anything.example."""

_EXAMPLE_ID = re.compile(r"(?<!\w)(?:([0-9a-fA-F])\1{7}-(?:\1{4}-){3}\1{12}|[A-Z]0?123456789)(?!\w)")
"""A UUID of one digit, such as the one of zeros, and ids that count up, such as C0123456789."""


def warnings(settings: SlipwaySettings, written: Mapping[str, Plain], spec: ConfigSpec) -> list[Problem]:
    """Everything that looks unfinished or odd, in the order of the document.

    Args:
        settings: the configuration, which is right.
        written: the document that it was read from.
        spec: what slipway.toml may speak of.
    """
    document = dict(written)
    return [
        *_placeholders(document),
        *_former_names(document, spec),
        *_own_approvals(settings, spec),
        *_codes(settings, document, spec),
        *_reviewers(settings, spec),
        *_declared(settings, spec),
        *http_warnings(settings, spec),
    ]


def _former_names(document: dict[str, Plain], spec: ConfigSpec) -> Iterator[Problem]:
    """Keys that are called otherwise by now, and are understood all the same: those of tables that stand once, and of
    schedules."""
    for table in spec.tables:
        for former, said in _former(document.get(table.name), table.model):
            yield Problem(f"{table.name}.{former}", said)
    schedules = document.get("schedule")
    for number, written in enumerate(schedules if isinstance(schedules, list) else ()):
        for former, said in _former(written, ScheduleSettings):
            yield Problem(key_of(("schedule", number, former), document), said)


def _former(written: Plain, model: type[Settings]) -> Iterator[tuple[str, str]]:
    """The former names that a table has, and what is said of each."""
    for name, field in model.model_fields.items():
        names = field.validation_alias.choices if isinstance(field.validation_alias, AliasChoices) else []
        for former in names:
            if isinstance(former, str) and former != name and isinstance(written, dict) and former in written:
                yield former, f"this is called {name} by now; it counts under its former name, too, for now"


def _own_approvals(settings: SlipwaySettings, spec: ConfigSpec) -> Iterator[Problem]:
    """As `slipway init` writes it for somebody alone, where others came later."""
    kinds = by_requesters_alone(settings, spec.kinds)
    if kinds:
        said = (
            f"whoever asks may approve it alone, in everything that takes an approval ({listing(kinds)}), though "
            f"there are {len(settings.person)} persons; write false where somebody else shall agree"
        )
        yield Problem(f"policy.{kinds[0]}.requester_may_approve", said)


def _codes(settings: SlipwaySettings, document: dict[str, Plain], spec: ConfigSpec) -> Iterator[Problem]:
    """Whoever could approve, but for the code that it takes."""
    policies = document.get("policy")
    yield from without_secrets(spec, settings, tuple(policies) if isinstance(policies, dict) else ())


def _reviewers(settings: SlipwaySettings, spec: ConfigSpec) -> Iterator[Problem]:
    """Emergencies of persons that nobody else could ever review, and that stay a problem for ever."""
    right = CommandRight(REVIEW, REVIEW, guarded=True)
    giving = [name for name, role in settings.roles.items() if gives(role.may, right)]
    if any(settings.roles[name].groups(chat.group_key) for name in giving for chat in spec.chats):
        return  # whoever is in a user group of a platform
    able = [person.id for person in settings.person if not {*giving}.isdisjoint(person.roles)]
    alone = [each for each in settings.emergency.people if not {*able} - {each}]
    if alone:
        said = (
            f"nobody else could review what {listing(alone)} let run; give somebody else the right {REVIEW}"
        )
        yield Problem("emergency.people", said)


def _placeholders(document: dict[str, Plain]) -> Iterator[Problem]:
    for place, text in _texts(document, ()):
        found = None if _is_free(place) else _EXAMPLE_NAME.search(text) or _EXAMPLE_ID.search(text)
        if found is not None:
            said = f"{shown(found.group())} stands for an example; write your own"
            yield Problem(key_of(place, document), said)


def _is_free(place: Place) -> bool:
    """Whether people write there what they like."""
    return place[-1] in ("description", "name", "command")


def _texts(value: Plain, place: Place) -> Iterator[tuple[Place, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for key, inner in value.items():
                yield from _texts(inner, (*place, key))
        case list():
            for index, inner in enumerate(value):
                yield from _texts(inner, (*place, index))
        case _:
            return


def _declared(settings: SlipwaySettings, spec: ConfigSpec) -> Iterator[Problem]:
    for each in spec.tables:
        value = getattr(settings, each.name)
        if value:
            yield from each.warnings(value)
    for chat in spec.chats:
        table = getattr(settings, chat.platform)
        if table is not None and chat.enabled(table):
            for problem in chat.warnings(table, settings.state_dir):
                yield Problem(_key(chat.platform, problem), problem.said)
    for cloud, declared in spec.clouds.items():
        for name, account in getattr(settings, cloud).items():
            for problem in declared.warnings(account):
                yield Problem(_key(name, problem), problem.said)


def _key(table: str, problem: Problem) -> str:
    return f"{table}.{problem.key}" if problem.key else table
