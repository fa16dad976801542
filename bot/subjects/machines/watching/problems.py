"""What may be wrong with machines and with people's keys, for the list of problems."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look, Mend
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.services import MachineServices


def _configured(services: Services) -> bool:
    return bool(services.get(MachineServices).profiles)


async def look_at_ends(services: Services) -> Look:
    """Machines whose end was tried so often that it needs a person."""
    machines = services.get(MachineServices)
    return Look.of(_unended(await machines.leases.living(), machines.rules.attempts))


def _unended(living: tuple[Machine, ...], attempts: int) -> Iterator[Found]:
    for machine in living:
        if machine.attempts > attempts:
            yield Found(
                key=f"{machine.cloud}:{machine.instance_id}",
                what=f"{machine.instance_id} could not be ended though its time is up.",
                scope=machine.cloud,
                detail=f"{attempts} tries to end it failed, so the cost goes on. Slipway tries again each hour.",
                since=machine.lease_ends_at,
                owner=machine.owner,
                move="Whose move it is: whoever runs Slipway.",
                mend=Mend(label="Try at once, and see why", command=f"terminate {machine.instance_id}"),
            )


async def look_at_keys(services: Services) -> Look:
    """Accounts from which people's keys come, and which were renamed or taken over since."""
    stored = services.get(MachineServices).keys.stored
    return Look.of(
        Found(
            key=f"{lost.person} {lost.account}",
            what=f"The SSH keys of {lost.account} are not used any more: {lost.why}",
            detail="Whoever has that name by now gets into nothing that is launched.",
            since=lost.since,
            owner=lost.person,
            move="Its person has its new name written into the configuration, and adds it then; or forgets its keys.",
            mend=Mend(label="Forget its keys", command=f"sshkey remove {lost.account}"),
        )
        for lost in await stored.lost()
    )


SOURCES = (
    ProblemSource("machine-ends", "the ends of machines", look_at_ends, tells=False, wanted=_configured),
    ProblemSource("ssh-keys", "people's SSH keys", look_at_keys, tells=False, wanted=_configured),
)
