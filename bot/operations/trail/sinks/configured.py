"""The sinks that a configuration names."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.config.settings import AuditSettings
from slipway.bot.core.syslog_address import SyslogAddress
from slipway.bot.core.times import Clock
from slipway.bot.operations.trail.sinks.file_sink import FileSink
from slipway.bot.operations.trail.sinks.model import Sink
from slipway.bot.operations.trail.sinks.syslog_sink import SyslogSink


def sinks_of(settings: AuditSettings, clock: Clock) -> Iterator[Sink]:
    """All of them; none where none is named."""
    if settings.entries_file is not None:
        yield FileSink(settings.entries_file)
    if settings.syslog:
        address = SyslogAddress.parse(settings.syslog)
        yield SyslogSink(address, authorities=settings.syslog_ca, clock=clock)
