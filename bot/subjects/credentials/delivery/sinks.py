"""The sinks of an entry, made of what slipway.toml says of them."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.secret_stores import SECRET_STORE
from slipway.bot.subjects.credentials.delivery.addresses import Form, SinkAddress, SinkKind
from slipway.bot.subjects.credentials.delivery.files import FileSink
from slipway.bot.subjects.credentials.delivery.model import Sink
from slipway.bot.subjects.credentials.delivery.programs import CommandSink
from slipway.bot.subjects.credentials.delivery.stores import StoreSink
from slipway.bot.subjects.credentials.settings import CredentialSettings, SourceKind


def sinks_of(entry: CredentialSettings, clouds: Clouds) -> Sequence[Sink]:
    """All sinks of an entry, those first that are likelier to refuse. Touches none of them."""
    kinds = list(SinkKind)
    return tuple(
        _sink(entry, each, clouds) for each in sorted(entry.sinks, key=lambda each: kinds.index(each.kind))
    )


def _sink(entry: CredentialSettings, address: SinkAddress, clouds: Clouds) -> Sink:
    form, timeout = (
        address.form or usual_form(entry.source, address.kind),
        entry.deliver_timeout.total_seconds(),
    )
    match address.kind:
        case SinkKind.FILE:
            return FileSink(address.title, address.path, form, timeout)
        case SinkKind.COMMAND:
            return CommandSink(address.title, address.words, form, timeout)
        case SinkKind.VAULT | SinkKind.SECRETS_MANAGER:
            store = clouds.get(SECRET_STORE, address.account)
            return StoreSink(address.title, store, address.place, form, timeout)


def usual_form(source: SourceKind, kind: SinkKind) -> Form:
    """How a secret is written where nobody says: an access key is of two parts, which belong together."""
    if source is SourceKind.APPLICATION:
        return Form.SECRET
    return Form.AWS if kind is SinkKind.FILE else Form.JSON
