"""``[profiles.NAME]``."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from slipway.bot.core.settings import Duration, Settings


class ProfileSettings(Settings):
    """A launch template, and how much of it people may ask for."""

    template: str = Field(description="the name of a launch template, like slipway-small")
    template_version: int | None = Field(None, ge=1)  # None: the template's default, resolved when planning
    # The table of the account in which it launches: aws, or aws.NAME. Profiles that were written before there was a
    # second cloud do not say it, and mean aws.
    cloud: str = "aws"
    description: str = ""
    max_count: int = Field(1, ge=1, le=50)
    default_for: Duration = timedelta(hours=3)
    max_for: Duration = timedelta(days=3)
