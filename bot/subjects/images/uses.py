"""What publishing images does with which accounts, for the rights that this takes. A gallery's own account says of
itself that it has one."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.clouds.rights import EVERY, Purpose, Use
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.subjects.images.families import FAMILY
from slipway.bot.subjects.images.rules.settings import PROMOTION
from slipway.bot.subjects.images.watching.declared import WATCHING


def uses(settings: SlipwaySettings) -> Iterator[Use]:
    """By the families, and by what is protected and watched."""
    families = settings.named(FAMILY)
    accounts = dict.fromkeys(family.cloud for family in families.values())
    protects = any(table.protect for table in settings.named(PROMOTION).values())
    for account in accounts:
        yield Use(account, Purpose.IMAGES)
    for family in families.values():
        if family.parameter is not None:
            yield Use(family.cloud, Purpose.POINT, (family.parameter,))
        if family.template is not None:
            yield Use(family.cloud, Purpose.TEMPLATE, (family.template,))
    if protects:
        yield Use(EVERY, Purpose.PROTECT)
    if settings.optional(WATCHING) is not None:
        yield Use(EVERY, Purpose.AUTHORS)
