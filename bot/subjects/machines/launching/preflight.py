"""What a cloud tells of a launch before it, put into words: permission, SSH, quotas. What forbids it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from slipway.bot.clouds.machine_model import LaunchSpec, Permission, Preflight, QuotaUse, SshAccess
from slipway.bot.clouds.ports.machines import ChecksLaunches, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy, UserError
from slipway.bot.core.model import Json

_SHOWN_SOURCES = 4


@dataclass(frozen=True)
class Forecast:
    """What is shown of it, and what a plan rests on."""

    evidence: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    observed: dict[str, Json] = field(default_factory=dict)


async def forecast(machines: Machines, spec: LaunchSpec, *, cloud: str, ssh: bool) -> Forecast:
    """Look at a launch before it.

    Args:
        machines: where.
        spec: what is to be launched.
        cloud: the name of the account.
        ssh: whether somebody is to log in.

    Raises:
        UserError: nobody could log in.
        CloudError: it is not permitted, a quota does not hold, or the cloud cannot be reached.
    """
    if not isinstance(machines, ChecksLaunches):
        return Forecast(warnings=(f"{machines.title} does not tell before a launch whether it would work.",))
    found = await machines.preflight(spec)
    _check_permission(found, machines, cloud)
    _check_quotas(found, machines, cloud)
    granted = found.permission is Permission.GRANTED
    evidence: list[tuple[str, str]] = [("Permission", "granted, as the cloud says")] if granted else []
    warnings: list[str] = []
    if found.permission is Permission.UNKNOWN and found.why:
        warnings.append(f"It is not known whether the launch is permitted: {found.why}")
    if found.ssh is not None:
        evidence.append(("SSH", _reached(found.ssh)))
        warnings += _ssh_warnings(found.ssh, machines, ssh=ssh)
    elif ssh:
        warnings.append(f"It is not known from where port 22 is reached: {found.ssh_unknown}")
    evidence += [("Quota", _used(quota)) for quota in found.quotas]
    observed: dict[str, Json] = {}
    if found.ssh is not None:
        observed["reached by SSH from"] = list(found.ssh.sources)
    return Forecast(tuple(evidence), tuple(warnings), observed)


def _check_permission(found: Preflight, machines: Machines, cloud: str) -> None:
    if found.permission is Permission.DENIED:
        raise CloudError(
            CloudErrorKind.REFUSED,
            cloud=cloud,
            sentence=f"{machines.title} does not let Slipway launch this: {found.why}",
            remedy=Remedy(when="once it is permitted"),
        )


def _check_quotas(found: Preflight, machines: Machines, cloud: str) -> None:
    short = next((each for each in found.quotas if not each.enough), None)
    if short is not None:
        raise CloudError(
            CloudErrorKind.QUOTA,
            cloud=cloud,
            sentence=(
                f"{machines.title} would refuse this for a quota of the account: {_used(short)}, and this takes "
                f"{_number(short.needed)}."
            ),
            remedy=Remedy("instances --all", "to see what could be ended"),
        )


def _ssh_warnings(access: SshAccess, machines: Machines, *, ssh: bool) -> list[str]:
    if access.closed and ssh:
        raise UserError(
            f"The firewall of this profile's template lets nobody reach port 22 in {machines.region}, so that nobody "
            "could log in; add `--no-ssh` if nobody has to, or take another profile.",
            hint="profiles",
        )
    found = []
    if access.open_to_world:
        found.append("Port 22 of these machines is open to the whole world.")
    if ssh and access.public_address is False:
        found.append("These machines get no public address: they are reached only from inside their network.")
    return found


def _reached(access: SshAccess) -> str:
    if access.closed:
        return "port 22 is closed"
    shown = ", ".join(access.sources[:_SHOWN_SOURCES])
    more = len(access.sources) - _SHOWN_SOURCES
    return f"from {shown}" + (f" and {more} more" if more > 0 else "")


def _used(quota: QuotaUse) -> str:
    return f"{_number(quota.used)} of {_number(quota.limit)} {quota.unit} in use ({quota.name})"


def _number(value: float) -> str:
    return f"{value:g}"
