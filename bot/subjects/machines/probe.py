"""Whether there is what profiles name, for `slipway doctor`."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.subjects.machines.settings import ProfileSettings

_WHAT = "profiles"


async def missing_templates(profiles: Mapping[str, ProfileSettings], clouds: Clouds) -> Finding:
    """Whether every launch template that a profile names is there. Changes nothing."""
    wanted: dict[str, set[str]] = {}
    for profile in profiles.values():
        wanted.setdefault(profile.cloud, set()).add(profile.template)
    missing: list[str] = []
    for cloud, names in wanted.items():
        try:
            there = await clouds.get(MACHINES, cloud).template_names()
        except CloudError as error:
            return Finding.of_error(_WHAT, error)
        except UserError as error:
            return Finding(_WHAT, "name a cloud that is not there", (error.sentence,), f"add [{cloud}]")
        missing += [
            f"There is no launch template `{name}`, which a profile names."
            for name in sorted(names - set(there))
        ]
    count = sum(len(names) for names in wanted.values())
    detail = f"{count} launch template{'s' if count != 1 else ''} named"
    return Finding(
        _WHAT, detail, tuple(missing), "make the template, or change [profiles]" if missing else ""
    )
