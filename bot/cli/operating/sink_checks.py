"""Tries where entries of the audit trail go, for `slipway doctor`. Gives them nothing."""

from __future__ import annotations

from slipway.bot.config.settings import AuditSettings
from slipway.bot.core.probes import Finding, reach
from slipway.bot.core.syslog_address import SyslogAddress, SyslogTransport
from slipway.bot.operations.trail.sinks.model import Sink, SinkError


async def examine_sink(sink: Sink, settings: AuditSettings) -> Finding:
    """Whether a sink would take entries; it is closed then.

    Args:
        sink: what is tried.
        settings: the table that names it.
    """
    syslog = SyslogAddress.parse(settings.syslog) if sink.setting == "audit.syslog" else None
    try:
        await sink.try_it()
    except SinkError as error:
        why = f"{sink.name} would take no entry of the audit trail: {str(error).rstrip('.')}."
        return Finding(sink.setting, "does not work", (why,), f"{_remedy(syslog)}; then `slipway doctor`")
    finally:
        await sink.close()
    unseen = syslog is not None and syslog.transport is SyslogTransport.UDP
    return Finding(
        sink.setting, f"{sink.name}{', but over UDP nobody can tell who hears it' if unseen else ''}"
    )


def _remedy(syslog: SyslogAddress | None) -> str:
    if syslog is None:
        return "let the user as whom Slipway runs write the file and its folder"
    if syslog.transport is SyslogTransport.UNIX:
        return "look whether this machine's syslog or journal runs and listens there"
    certificate = "; audit.syslog_ca names a file of whose certificates to believe"
    return f"{reach(str(syslog))}{certificate if syslog.transport is SyslogTransport.TLS else ''}"
