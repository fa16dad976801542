"""What looking after credentials does with which accounts, for the rights that this takes."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.clouds.rights import Purpose, Use
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.subjects.credentials.settings import CREDENTIALS, SourceKind


def uses(settings: SlipwaySettings) -> Iterator[Use]:
    """By the entries that are found in a cloud, and by where new secrets are put."""
    for entry in settings.named(CREDENTIALS).values():
        if entry.source in (SourceKind.APPLICATION, SourceKind.USER):
            yield Use(entry.account, Purpose.LIST_CREDENTIALS)
            if entry.holder:
                yield Use(entry.account, Purpose.ROTATE, (entry.holder,))
        for sink in entry.sinks:
            if sink.account:
                yield Use(sink.account, Purpose.DELIVER, (sink.place.rpartition(":")[2],))
