"""`slipway doctor`: tries every connection that is configured, changes nothing, and says what to do next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable

from slipway.bot.chat.model import SYMBOLS, Card, Table, Tone
from slipway.bot.clouds.capabilities import Adapter
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import CloudError, SlipwayError
from slipway.bot.core.probes import Finding
from slipway.bot.declared import Declarations

PATIENCE = 60.0
"""Seconds for one connection, all tries included."""


async def examine(settings: SlipwaySettings, declarations: Declarations) -> tuple[Finding, ...]:
    """Try everything that is configured, side by side: chats, clouds, and what subjects need of them."""
    clouds = declarations.open_clouds(settings, os.environ)
    try:
        looks: list[tuple[str, Awaitable[Finding]]] = [
            (chat.platform, chat.probe(settings.optional(chat.table), str(settings.state_dir)))
            for chat in declarations.enabled_chats(settings)
            if chat.probe is not None
        ]
        for cloud in declarations.clouds:
            for name, account in settings.named(cloud.table).items():
                ports = {each: clouds.get(each, name) for each in cloud.provides}
                looks.append((name, cloud.probe(account, Adapter(name, ports))))
        looks += [
            (probe.what, probe.look(settings, clouds))
            for subject in declarations.registry.subjects
            for probe in subject.probes
            if probe.wanted(settings)
        ]
        return tuple(await asyncio.gather(*(_in_time(name, look) for name, look in looks)))
    finally:
        await clouds.close()


def card(findings: tuple[Finding, ...]) -> Card:
    """What was found, as a table with the next steps below it."""
    unwell = [finding for finding in findings if not finding.well]
    rows = tuple(
        (
            finding.what,
            f"{SYMBOLS[Tone.DONE if finding.well else Tone.FAILED]} {'works' if finding.well else 'does not work'}",
            finding.detail,
        )
        for finding in findings
    )
    notes = [f"{finding.what}: {problem}" for finding in unwell for problem in finding.problems]
    notes += [f"{finding.what}: next: {finding.next}" for finding in unwell if finding.next]
    return Card(
        tone=Tone.FAILED if unwell else Tone.DONE,
        title=f"{len(unwell)} of {len(findings)} connections do not work"
        if unwell
        else "All connections work",
        tables=(Table(columns=("Connection", "", "Found"), rows=rows),) if rows else (),
        notes=tuple(notes),
    )


async def _in_time(name: str, look: Awaitable[Finding]) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            return await look
    except CloudError as error:
        return Finding.of_error(name, error)
    except SlipwayError as error:
        return Finding(name, "does not work", (str(error),), "mend what it says, then `slipway doctor`")
    except TimeoutError:
        why = f"It did not answer within {PATIENCE:.0f} seconds."
        return Finding(
            name, "no answer", (why,), "look whether this machine can reach it, then `slipway doctor`"
        )
