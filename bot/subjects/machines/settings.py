"""``[profiles.NAME]``."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from slipway.bot.clouds.machine_description import DescribesMachines
from slipway.bot.core.settings import Duration


class IdleAction(StrEnum):
    """What becomes of a machine that nobody uses."""

    TELL = "tell"
    STOP = "stop"  # told first, and stopped where it is not used meanwhile


class Override(StrEnum):
    """What a person may choose otherwise than the template has it."""

    TYPE = "type"


class ProfileSettings(DescribesMachines):
    """A launch template or a description of machines, and how much of it people may ask for."""

    template: str | None = Field(
        None,
        min_length=1,
        description="a launch template by name or id, like slipway-small; on Azure like spec:GROUP/NAME",
    )
    template_version: int | None = Field(None, ge=1)  # None: the template's default, resolved when planning
    regions: tuple[str, ...] = ()  # the first one counts where nobody says; none: the account's own
    description: str = ""
    # Roles and persons who may launch by it; none: everybody who may launch.
    may: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    standing_approval: bool = True  # whether a launch within the limits below needs nobody's approval
    login: str = "fedora"  # whom to log in as
    max_count: int = Field(1, ge=1, le=50)
    default_for: Duration = timedelta(hours=3)
    max_for: Duration = timedelta(days=3)
    # The longest whole life of a machine, however often its lease is extended.
    cap: Duration = timedelta(days=7)
    # A machine that nobody used for so long is told of, and stopped where idle_action says so. None: never.
    idle_after: Duration | None = None
    idle_action: IdleAction = IdleAction.TELL

    def template_name(self, name: str) -> str:
        """By what the cloud knows the template; a description goes by the name of its profile."""
        return self.template or name
