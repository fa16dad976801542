"""Whether there is what profiles name, for `slipway doctor`."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.subjects.machines.doubts import machines_at
from slipway.bot.subjects.machines.settings import ProfileSettings

WHAT = "launching"
"""How the probe is called."""


async def missing_templates(profiles: Mapping[str, ProfileSettings], clouds: Clouds) -> Finding:
    """Whether every launch template that a profile names is there, wherever the profile launches. Changes nothing."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for name, profile in profiles.items():
        for region in profile.regions or ("",):
            wanted.setdefault((profile.cloud, region), set()).add(profile.template_name(name))
    missing: list[str] = []
    for (cloud, region), names in wanted.items():
        try:
            machines = machines_at(clouds, cloud, region)
            missing += await _troubles(machines, names)
        except CloudError:  # which its own probe tells
            why = f"The launch templates that profiles name cannot be looked for while {cloud} does not work."
            step = f"make {cloud} work; then `slipway doctor`"
            return Finding(WHAT, "does not work", (why,), step, connection=False)
        except UserError as error:
            there = cloud in clouds.all(MACHINES)
            detail = f"a profile names a {'region' if there else 'cloud'} that is not there"
            step = f"add {region} to {cloud}.regions" if there else f"add [{cloud}]"
            return Finding(WHAT, detail, (error.sentence,), step, connection=False)
    count = len({(cloud, name) for (cloud, _), names in wanted.items() for name in names})
    detail = f"{count} launch template{'s' if count != 1 else ''} named"
    step = "make the template, or change [profiles]" if missing else ""
    return Finding(WHAT, detail, tuple(missing), step, connection=False)


async def _troubles(machines: Machines, wanted: set[str]) -> list[str]:
    """What is wrong with templates of these names: there is none, also by id and among template specs; or none can be
    made by it."""
    troubles = []
    for name in sorted(wanted - set(await machines.template_names())):
        try:
            await machines.template(name)
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            troubles.append(
                f"There is no launch template `{name}` in {machines.region}, which a profile names."
            )
        except UserError as error:
            troubles.append(error.sentence)
    return troubles
