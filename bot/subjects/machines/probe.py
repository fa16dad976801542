"""Whether there is what profiles name, for `slipway doctor`."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.subjects.machines.settings import ProfileSettings

WHAT = "launching"
"""How the probe is called."""


async def missing_templates(profiles: Mapping[str, ProfileSettings], clouds: Clouds) -> Finding:
    """Whether every launch template that a profile names is there. Changes nothing."""
    wanted: dict[str, set[str]] = {}
    for name, profile in profiles.items():
        wanted.setdefault(profile.cloud, set()).add(profile.template_name(name))
    missing: list[str] = []
    for cloud, names in wanted.items():
        try:
            there = await clouds.get(MACHINES, cloud).template_names()
        except CloudError:  # which its own probe tells
            why = f"The launch templates that profiles name cannot be looked for while {cloud} does not work."
            step = f"make {cloud} work; then `slipway doctor`"
            return Finding(WHAT, "does not work", (why,), step, connection=False)
        except UserError as error:
            detail = "a profile names a cloud that is not there"
            return Finding(WHAT, detail, (error.sentence,), f"add [{cloud}]", connection=False)
        missing += [
            f"There is no launch template `{name}`, which a profile names."
            for name in sorted(names - set(there))
        ]
    count = sum(len(names) for names in wanted.values())
    detail = f"{count} launch template{'s' if count != 1 else ''} named"
    step = "make the template, or change [profiles]" if missing else ""
    return Finding(WHAT, detail, tuple(missing), step, connection=False)
