"""``[profiles.NAME]``."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from slipway.bot.core.settings import Duration, Settings


class ProfileSettings(Settings):
    """A launch template, and how much of it people may ask for."""

    template: str = Field(description="the name of a launch template, like slipway-small")
    template_version: int | None = Field(None, ge=1)  # None: the template's default, resolved when planning
    cloud: str = "aws"  # the table of the account in which it launches: aws, or aws.NAME
    description: str = ""
    max_count: int = Field(1, ge=1, le=50)
    default_for: Duration = timedelta(hours=3)
    max_for: Duration = timedelta(days=3)
