"""The tags that tell whose a machine is and until when it may live, and how to read them."""

from __future__ import annotations

from datetime import UTC, datetime

from slipway.bot.clouds.machine_model import Instance

NAME = "Name"
OWNER = "slipway:owner"
UNTIL = "slipway:until"
PROFILE = "slipway:profile"
IMAGE = "slipway:image"
CAP = "slipway:cap"
RESERVATION = "slipway:reservation"
DEPLOYMENT = "slipway"
TOKEN = "slipway:token"  # noqa: S105 - the name of a tag, no secret
"""The last two are set by the clouds' adapters, on everything that they make."""

LONGEST_VALUE = 256
"""The most characters of a tag's value that every cloud takes. Sources: EC2 User Guide, "Tag your Amazon EC2
resources"; Azure Resource Manager, "Use tags to organize your Azure resources"."""


def launch_tags(*, owner: str, profile: str, image_id: str, until: datetime) -> dict[str, str]:
    """The tags of a launch; the same for the same launch, however often it is tried."""
    return {
        NAME: f"{owner}-{profile}"[:LONGEST_VALUE],
        OWNER: owner,
        UNTIL: write_until(until),
        PROFILE: profile[:LONGEST_VALUE],
        IMAGE: image_id,
    }


def lease_tags(*, owner: str, until: datetime, cap: datetime) -> dict[str, str]:
    """What the database has of a lease, as tags: so that a lost database can be rebuilt."""
    return {OWNER: owner, UNTIL: write_until(until), CAP: write_until(cap)}


def write_until(until: datetime) -> str:
    """A moment as the tag holds it: UTC, whole seconds, ``2026-11-20T17:05:00Z``."""
    return until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def owner_of(instance: Instance) -> str:
    """The person who asked for the machine, on one line; empty where no tag says.

    Whoever may write the cloud's tags can write anything: a line break must not forge a line on a card.
    """
    return " ".join(instance.tags.get(OWNER, "").split())


def profile_of(instance: Instance) -> str:
    """The profile that it was launched by; empty where no tag says."""
    return " ".join(instance.tags.get(PROFILE, "").split())


def until_of(instance: Instance) -> datetime | None:
    """Until when the machine may live; None where no tag says, or what it says is no moment in time."""
    return _moment(instance, UNTIL)


def cap_of(instance: Instance) -> datetime | None:
    """The end of its whole life; None as for :func:`until_of`."""
    return _moment(instance, CAP)


def _moment(instance: Instance, tag: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(instance.tags.get(tag, ""))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def is_overdue(instance: Instance, now: datetime) -> bool:
    """Whether its time is up. A machine without a readable time is never overdue: nobody set one."""
    until = until_of(instance)
    return until is not None and until <= now
