"""How long a boot test may take, and what its machine is launched with. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.bot.operations.model import sibling_token
from slipway.bot.subjects.machines.steps import LaunchMachines
from slipway.bot.subjects.machines.tags import launch_tags
from slipway.bot.subjects.machines.testing.steps import LaunchForTest

ENDING = timedelta(minutes=5)
"""How much longer than it may take to come up a machine may live: a test that is over ends it by itself, and only
where it does not, its time is up, and the watch of leases ends it."""


def until_of(step: LaunchForTest, asked_at: datetime) -> datetime:
    """Until when a machine may live that is asked for at a moment."""
    return asked_at.replace(microsecond=0) + timedelta(seconds=step.seconds) + ENDING


def launch_of(step: LaunchForTest, until: datetime) -> LaunchMachines:
    """The launch of a test: of one machine, whose lease and whole life end together."""
    return LaunchMachines(
        image_id=step.image_id,
        image_name=step.image_name,
        template_id=step.template_id,
        template_name=step.template_name,
        template_version=step.template_version,
        count=1,
        until=until,
        requester=step.requester,
        tags=launch_tags(owner=step.requester, profile=step.profile, image_id=step.image_id, until=until),
        cloud=step.cloud,
        region=step.region,
        profile=step.profile,
        login=step.login,
        keys=step.keys,
        ends_at=until,
    )


def launch_token(token: str, launch: int) -> str:
    """The token by which the machine of a test was launched; its reservation is called so, too.

    Args:
        token: of a later step of the test.
        launch: the number of the step that launched it.
    """
    return sibling_token(token, launch)
