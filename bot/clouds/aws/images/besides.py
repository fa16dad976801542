"""What follows what is latest in a region: a parameter, a launch template's default version, times of deprecation.

What has to change is found by comparing what is with what the family's table asks for, so that it is the same whether
it is asked before a promotion, after a crash in the midst of one, or when all is done: then it is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.clouds.aws.images.pointers import ParameterSeen, TemplateSeen
from slipway.bot.clouds.aws.images.reading import Ami, AmiState, Family
from slipway.bot.clouds.aws.images.tags import former_deprecation, has_former_deprecation
from slipway.bot.clouds.image_family import ImageFamily
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_publishing import Besides
from slipway.bot.core.times import format_duration

_PUBLIC_LIFE = timedelta(days=730)
"""After so long a public AMI is deprecated whatever its owner says (EC2 API Reference, EnableImageDeprecation)."""

_ROUNDING = timedelta(minutes=1)
"""EC2 rounds times of deprecation to minutes."""


@dataclass(frozen=True)
class MoveParameter:
    """Write the id of what is latest into the region's parameter."""

    region: str
    seen: ParameterSeen
    to: Ami

    @property
    def shown(self) -> Besides:
        """What changes, for whoever agrees."""
        return Besides(
            f"Parameter {self.seen.name}", self.region, f"{self.seen.value or 'none'} → {self.to.id}"
        )


@dataclass(frozen=True)
class MoveTemplate:
    """Make a version of the region's template with what is latest its default one."""

    region: str
    seen: TemplateSeen
    to: Ami
    number: VersionNumber

    @property
    def shown(self) -> Besides:
        """What changes, for whoever agrees."""
        what = f"Default image of template {self.seen.name}"
        return Besides(what, self.region, f"{self.seen.image or 'none'} → {self.to.id}")


@dataclass(frozen=True)
class Deprecate:
    """Deprecate what was latest before, some time from now."""

    ami: Ami
    number: VersionNumber
    after: timedelta

    @property
    def lags(self) -> bool:
        """Whether a promotion left it undone: no time before is noted, or it is still the one that is noted. Where it
        was done, and somebody chose another time since, that stays."""
        if not has_former_deprecation(self.ami.tags):
            return True
        return self.ami.deprecated_at == former_deprecation(self.ami.tags)

    @property
    def shown(self) -> Besides:
        """What changes, for whoever agrees."""
        move = f"{_day(self.ami.deprecated_at)} → in {format_duration(self.after)}"
        return Besides(f"Deprecation of {self.number}", self.ami.region, move, lags=self.lags)


@dataclass(frozen=True)
class KeepDeprecation:
    """Give what is latest the time of deprecation back that it had before a newer version was promoted."""

    ami: Ami
    number: VersionNumber
    former: datetime | None

    @property
    def shown(self) -> Besides:
        """What changes, for whoever agrees."""
        move = f"{_day(self.ami.deprecated_at)} → {_day(self.former)}"
        return Besides(f"Deprecation of {self.number}", self.ami.region, move)


Change = MoveParameter | MoveTemplate | Deprecate | KeepDeprecation


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"


def public_in(family: Family, region: str, assumed: Mapping[str, bool]) -> list[tuple[VersionNumber, Ami]]:
    """What may be launched by everybody in a region, the newest version first.

    Args:
        family: all that there is.
        region: where.
        assumed: what is taken for public, or not, whatever it is, by the AMI's id.
    """
    found = [
        (number, ami)
        for number, each in family.versions.items()
        if (ami := each.amis.get(region)) is not None
        and ami.state is AmiState.AVAILABLE
        and assumed.get(ami.id, ami.public)
    ]
    return sorted(found, key=lambda pair: pair[0], reverse=True)


def changes_in(
    settings: ImageFamily,
    region: str,
    public: Sequence[tuple[VersionNumber, Ami]],
    seen: tuple[ParameterSeen | None, TemplateSeen | None],
    now: datetime,
    *,
    promoted: bool,
) -> list[Change]:
    """What has to change in a region for what is latest there; in the order in which it is done.

    Args:
        settings: the family's table.
        region: where.
        public: what :func:`public_in` found; nothing follows where it is empty.
        seen: the parameter and the template as they are; None where the family has none there.
        now: the present.
        promoted: whether something is promoted, and not taken back: then what was latest before is deprecated.
    """
    if not public:
        return []
    (number, latest), *older = public
    parameter, template = seen
    found: list[Change] = []
    if has_former_deprecation(latest.tags):
        found.append(KeepDeprecation(latest, number, former_deprecation(latest.tags)))
    if parameter is not None and parameter.value != latest.id:
        found.append(MoveParameter(region, parameter, latest))
    if template is not None and template.image != latest.id:
        found.append(MoveTemplate(region, template, latest, number))
    if promoted and settings.deprecate_after is not None and older:
        before, predecessor = older[0]
        wanted = deprecation_time(predecessor, settings.deprecate_after, now)
        current = predecessor.deprecated_at
        if wanted is not None and (current is None or current > wanted + _ROUNDING):
            found.append(Deprecate(predecessor, before, settings.deprecate_after))
    return found


def deprecation_time(ami: Ami, after: timedelta, now: datetime) -> datetime | None:
    """When a predecessor is to be deprecated, within what EC2 allows, in whole minutes; None where its public life is
    over by then anyway, so that it is deprecated by itself."""
    wanted = (now + after).replace(second=0, microsecond=0) + timedelta(minutes=1)
    if ami.created_at is not None and wanted >= ami.created_at + _PUBLIC_LIFE:
        return None
    return wanted
