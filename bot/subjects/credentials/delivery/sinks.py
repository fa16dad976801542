"""The sinks of an entry, made of what slipway.toml says of them."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.subjects.credentials.delivery.addresses import Form, SinkAddress, SinkKind
from slipway.bot.subjects.credentials.delivery.files import FileSink
from slipway.bot.subjects.credentials.delivery.model import Sink
from slipway.bot.subjects.credentials.delivery.programs import CommandSink
from slipway.bot.subjects.credentials.settings import CredentialSettings, SourceKind


def sinks_of(entry: CredentialSettings) -> Sequence[Sink]:
    """All sinks of an entry. Touches none of them."""
    return tuple(_sink(entry, each) for each in entry.sinks)


def _sink(entry: CredentialSettings, address: SinkAddress) -> Sink:
    form, timeout = (
        address.form or usual_form(entry.source, address.kind),
        entry.deliver_timeout.total_seconds(),
    )
    match address.kind:
        case SinkKind.FILE:
            return FileSink(address.title, address.path, form, timeout)
        case SinkKind.COMMAND:
            return CommandSink(address.title, address.words, form, timeout)


def usual_form(source: SourceKind, kind: SinkKind) -> Form:
    """How a secret is written where nobody says: an access key is of two parts, which belong together."""
    if source is SourceKind.APPLICATION:
        return Form.SECRET
    return Form.AWS if kind is SinkKind.FILE else Form.JSON
