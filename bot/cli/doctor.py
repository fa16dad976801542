"""`slipway doctor`: tries every connection that is configured, changes nothing, and says what to do next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from textwrap import fill
from typing import Any, TextIO

from slipway.bot.chat.model import SYMBOLS, Tone
from slipway.bot.cli.operating.telling import part_lines
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.declaration import CloudDeclaration
from slipway.bot.clouds.rights import Usage
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import CloudError, SlipwayError, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import one_line
from slipway.bot.core.text import nearest
from slipway.bot.core.times import system_clock
from slipway.bot.declared import Declarations
from slipway.bot.store.settings import DATABASE_TABLE

PATIENCE = 60.0
"""Seconds for one connection, all tries included."""

_ERASE = "\r\x1b[K"


@dataclass(frozen=True)
class Look:
    """A connection to try: its name, and what tries it."""

    name: str
    look: Callable[[], Awaitable[Finding]]


class Progress:
    """Says how each connection is as soon as that is known, and what is still being tried where somebody watches.

    Args:
        stream: where to say it.
        sources: where each secret came from, by its key: ``azure.client_secret``.
        silent: whether nothing is to be said, as all of it is said otherwise in the end.
    """

    def __init__(self, stream: TextIO, sources: Mapping[str, str], *, silent: bool = False) -> None:
        self._stream = stream
        self._silent = silent
        self._sources = sources
        self._pending: list[str] = []

    def begin(self, names: list[str]) -> None:
        """These are tried now."""
        self._pending = list(names)
        self._wait()

    def tell(self, finding: Finding) -> None:
        """One of them is done."""
        self._pending.remove(finding.what)
        if self._silent:
            return
        erase = _ERASE if self._stream.isatty() else ""
        text = "\n".join(map(self._wrapped, lines(finding, self._sources)))
        self._stream.write(f"{erase}{text}\n")
        self._wait()

    def _wrapped(self, line: str) -> str:
        """Broken between words where somebody watches; a program gets a line for a line."""
        if not self._stream.isatty():
            return line
        indent = " " * (len(line) - len(line.lstrip()) or 4)
        return fill(
            line, self._columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )

    @property
    def _columns(self) -> int:
        return max(20, os.get_terminal_size(self._stream.fileno()).columns)

    def _wait(self) -> None:
        if self._stream.isatty() and self._pending and not self._silent:
            waiting = f"Trying {', '.join(self._pending)}…"
            self._stream.write(waiting if len(waiting) < self._columns else f"Trying {len(self._pending)}…")
        self._stream.flush()


def lines(finding: Finding, sources: Mapping[str, str]) -> Iterator[str]:
    """How one connection is: what was found, as whom, what is wrong, and what to do about it.

    Args:
        finding: what trying it brought.
        sources: where each secret came from, by its key.
    """
    detail = finding.detail if finding.well or finding.detail != "does not work" else ""
    symbol = SYMBOLS[Tone.DONE if finding.well else Tone.FAILED]
    state = "works" if finding.well else "does not work"
    yield one_line(f"{symbol} {finding.what} {state}{f': {detail}' if detail else ''}")
    own = [
        f"{key} from {source}" for key, source in sources.items() if key.rpartition(".")[0] == finding.what
    ]
    if by := "; ".join(filter(None, (finding.by, *own))):
        yield one_line(f"    by {by}")
    for problem in finding.problems:
        yield one_line(f"    {problem}")
    for warning in finding.warnings:
        yield one_line(f"    {SYMBOLS[Tone.WARNING]} {warning}")
    if finding.next and not finding.well:
        yield one_line(f"    Next: {finding.next}")
    yield from map(one_line, part_lines(finding.parts))


def conclusion(findings: tuple[Finding, ...]) -> str:
    """All of it in one sentence."""
    if not findings:
        return "There is no connection to try."
    tried = [finding for finding in findings if finding.connection]
    beside = [
        finding.what.capitalize() for finding in findings if not finding.connection and not finding.well
    ]
    unwell = sum(not finding.well for finding in tried)
    if unwell:
        words = f"{unwell} of {len(tried)} connections {'does' if unwell == 1 else 'do'} not work."
    else:
        words = "All connections work." if len(tried) > 1 else "The connection works."
    return " ".join([words, *(f"{what} does not." for what in beside)])


async def examine(
    settings: SlipwaySettings,
    declarations: Declarations,
    *,
    further: Sequence[Look] = (),
    skip: Collection[str] = (),
    begin: Callable[[list[str]], None] = lambda _names: None,
    tell: Callable[[Finding], None] = lambda _finding: None,
) -> tuple[Finding, ...]:
    """Try everything that is configured, side by side: chats, clouds, and what subjects need of them.

    Args:
        settings: a checked configuration.
        declarations: what it was checked against.
        further: what to look at besides, before all else.
        skip: names of what is not to be tried.
        begin: gets the names of all connections, before they are tried.
        tell: gets what was found, as soon as that is known.

    Returns:
        What was found, in the order of the names.

    Raises:
        UserError: something is to be skipped that is not there.
    """
    adapters, unopened = _open(settings, declarations)
    clouds = Clouds(adapters)
    try:
        looks = [
            *further,
            *_chats(settings, declarations),
            *_clouds(settings, declarations, adapters),
            *_probes(settings, declarations, clouds),
        ]
        _check_skipped(skip, [each.name for each in looks] + [each.what for each in unopened])
        looks = [each for each in looks if each.name not in skip]
        unopened = [each for each in unopened if each.what not in skip]
        begin([*(look.name for look in looks), *(finding.what for finding in unopened)])
        for finding in unopened:
            tell(finding)

        async def try_it(look: Look) -> Finding:
            finding = await _in_time(look)
            tell(finding)
            return finding

        return (*await asyncio.gather(*map(try_it, looks)), *unopened)
    finally:
        await clouds.close()


def local_looks(settings: SlipwaySettings, now: datetime) -> tuple[Look, ...]:
    """The state folder, PostgreSQL where that has the database, and where entries of the audit trail go."""
    from slipway.bot.cli.operating.server_checks import WHAT as SERVER
    from slipway.bot.cli.operating.server_checks import examine_server
    from slipway.bot.cli.operating.sink_checks import examine_sink
    from slipway.bot.cli.operating.state_checks import WHAT, examine_state
    from slipway.bot.operations.trail.sinks.configured import sinks_of
    from slipway.bot.replicas.identity import configuration_of

    table = settings.optional(DATABASE_TABLE)
    files = table is None
    state = Look(WHAT, partial(asyncio.to_thread, examine_state, settings.state_dir, now, files=files))
    server: tuple[Look, ...] = ()
    if table is not None:
        examine = partial(examine_server, table.access, configuration_of(settings), system_clock)
        server = (Look(SERVER, examine),)
    sinks = sinks_of(settings.audit, system_clock)
    return (
        state,
        *server,
        *(Look(each.setting, partial(examine_sink, each, settings.audit)) for each in sinks),
    )


def _open(settings: SlipwaySettings, declarations: Declarations) -> tuple[list[Adapter], list[Finding]]:
    """Every account that can be opened, and what is said of the others, which keep nobody from being tried."""
    adapters, unopened = [], []
    for cloud in declarations.clouds:
        for name in settings.named(cloud.table):
            try:
                adapters.append(declarations.open_account(cloud, name, settings, os.environ))
            except SlipwayError as error:
                unopened.append(_cannot(name, error))
    return adapters, unopened


def _chats(settings: SlipwaySettings, declarations: Declarations) -> Iterator[Look]:
    for chat in declarations.enabled_chats(settings):
        if chat.probe is not None:
            yield Look(
                chat.platform, partial(chat.probe, settings.optional(chat.table), str(settings.state_dir))
            )


def _clouds(settings: SlipwaySettings, declarations: Declarations, adapters: list[Adapter]) -> Iterator[Look]:
    by_name = {adapter.name: adapter for adapter in adapters}
    for cloud in declarations.clouds:
        for name, account in settings.named(cloud.table).items():
            if name in by_name:
                usage = declarations.usage(settings, name)
                yield Look(name, partial(_cloud, cloud, account, by_name[name], usage))


async def _cloud(cloud: CloudDeclaration[Any], account: Any, adapter: Adapter, usage: Usage) -> Finding:
    """The connection; and where that works, each right that the configuration takes."""
    found = await cloud.probe(account, adapter)
    if cloud.rights is None or not found.well:
        return found
    return replace(found, parts=(*found.parts, await cloud.rights(account, adapter, usage)))


def _probes(settings: SlipwaySettings, declarations: Declarations, clouds: Clouds) -> Iterator[Look]:
    for subject in declarations.registry.subjects:
        for probe in subject.probes:
            if probe.wanted(settings):
                yield Look(probe.what, partial(probe.look, settings, clouds))


def _check_skipped(skip: Collection[str], names: Sequence[str]) -> None:
    for name in skip:
        if name not in names:
            there = ", ".join(names)
            raise UserError(
                f"Nothing that is looked at is called {name}; there are: {there}.",
                nearest=nearest(name, names),
                given=name,
            )


def _cannot(name: str, error: SlipwayError) -> Finding:
    return Finding(name, "does not work", (str(error),), "mend what it says, then `slipway doctor`")


async def _in_time(look: Look) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE):
            return await look.look()
    except CloudError as error:
        return Finding.of_error(look.name, error)
    except SlipwayError as error:
        return _cannot(look.name, error)
    except TimeoutError:
        why = f"It did not answer within {PATIENCE:.0f} seconds."
        return Finding(
            look.name, "no answer", (why,), "look whether this machine can reach it, then `slipway doctor`"
        )
