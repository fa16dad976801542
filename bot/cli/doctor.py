"""`slipway doctor`: tries every connection that is configured, changes nothing, and says what to do next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slipway.bot.app import build_clouds
from slipway.bot.chat.model import SYMBOLS, Card, Table, Tone
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ChatError, CloudError

PATIENCE = 60.0
"""Seconds for one connection, all tries included."""


@dataclass(frozen=True)
class Finding:
    """How one connection is.

    Attributes:
        what: the connection, such as ``slack``.
        detail: what was found, in a few words.
        problems: a sentence for each thing that is wrong.
        next: the command to type, or what to do; empty if all is well.
    """

    what: str
    detail: str
    problems: tuple[str, ...] = ()
    next: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


Look = Callable[[SlipwaySettings], Awaitable[Finding]]


async def examine(settings: SlipwaySettings) -> tuple[Finding, ...]:
    """Try everything that is configured, side by side."""
    looks: list[tuple[str, Look]] = []
    if settings.matrix is not None:
        looks.append(("matrix", _matrix))
    if settings.slack is not None:
        looks.append(("slack", _slack))
    if settings.azure is not None:
        looks.append(("azure", _azure))
    if settings.aws is not None:
        looks.append(("aws", _aws))
    return tuple(await asyncio.gather(*(_in_time(name, look, settings) for name, look in looks)))


def card(findings: tuple[Finding, ...]) -> Card:
    """What was found, as a table with the next steps below it."""
    sick = [finding for finding in findings if not finding.well]
    rows = tuple(
        (
            finding.what,
            f"{SYMBOLS[Tone.DONE if finding.well else Tone.FAILED]} {'well' if finding.well else 'trouble'}",
            finding.detail,
        )
        for finding in findings
    )
    notes = [f"{finding.what}: {problem}" for finding in sick for problem in finding.problems]
    notes += [f"{finding.what}: next: {finding.next}" for finding in sick if finding.next]
    return Card(
        tone=Tone.FAILED if sick else Tone.DONE,
        title=f"{len(sick)} of {len(findings)} connections are in trouble"
        if sick
        else "All connections are well",
        tables=(Table(columns=("Connection", "", "Found"), rows=rows),) if rows else (),
        notes=tuple(notes),
    )


async def _in_time(name: str, look: Look, settings: SlipwaySettings) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            return await look(settings)
    except TimeoutError:
        why = f"It did not answer within {PATIENCE:.0f} seconds."
        return Finding(
            name, "no answer", (why,), "look whether this machine can reach it, then `slipway doctor`"
        )


async def _slack(settings: SlipwaySettings) -> Finding:
    from slipway.bot.chat.slack.examine import examine as examine_slack

    assert settings.slack is not None  # noqa: S101 - for the type checker; the caller looked
    try:
        detail, problems = await examine_slack(settings.slack)
    except ChatError as error:
        return Finding("slack", "does not work", (str(error),), "`slipway slack manifest`; docs/slack.md")
    fix = "give Slack what `slipway slack manifest` prints, and install the app again" if problems else ""
    return Finding("slack", detail, problems, fix)


async def _matrix(settings: SlipwaySettings) -> Finding:
    from slipway.bot.chat.matrix.account.account_store import Folder
    from slipway.bot.chat.matrix.account.status import Status

    assert settings.matrix is not None  # noqa: S101 - for the type checker; the caller looked
    try:
        report = await Status(settings.matrix, Folder.of(settings.state_dir)).report()
    except ChatError as error:
        return Finding("matrix", "does not work", (str(error),), "`slipway matrix status`")
    commands = dict.fromkeys(f"`{wrong.command}`" for wrong in report.wrong if wrong.command)
    return Finding(
        "matrix",
        f"{settings.matrix.user_id} on {settings.matrix.homeserver}",
        tuple(wrong.sentence for wrong in report.wrong),
        ", ".join(commands) or ("`slipway matrix status`" if report.wrong else ""),
    )


async def _azure(settings: SlipwaySettings) -> Finding:
    gallery, machines = build_clouds(settings.model_copy(update={"aws": None}))
    assert gallery is not None  # noqa: S101 - for the type checker; the caller looked
    assert machines is None  # noqa: S101
    try:
        found = len(await gallery.definitions())
    except CloudError as error:
        return Finding("azure", "does not work", (error.sentence,), _cloud_next(error))
    finally:
        await gallery.close()
    return Finding("azure", f"{found} image definition{'s' if found != 1 else ''} in the gallery")


async def _aws(settings: SlipwaySettings) -> Finding:
    gallery, machines = build_clouds(settings.model_copy(update={"azure": None}))
    assert gallery is None  # noqa: S101
    assert machines is not None  # noqa: S101 - for the type checker; the caller looked
    try:
        names = await machines.template_names()
    except CloudError as error:
        return Finding("aws", "does not work", (error.sentence,), _cloud_next(error))
    finally:
        await machines.close()
    wanted = {profile.template for profile in settings.profiles.values()}
    missing = tuple(
        f"There is no launch template `{name}`, which a profile names."
        for name in sorted(wanted - set(names))
    )
    detail = f"{len(names)} launch template{'s' if len(names) != 1 else ''} in {machines.region}"
    return Finding("aws", detail, missing, "make the template, or change [profiles]" if missing else "")


def _cloud_next(error: CloudError) -> str:
    return f"whose move: {error.mover}; then `slipway doctor`"
