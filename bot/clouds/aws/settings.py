"""``[aws]`` and ``[aws.NAME]``: EC2 in an account each."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from slipway.bot.core.secret_text import Token
from slipway.bot.core.settings import Duration, Settings


class AwsSettings(Settings):
    """One AWS account. Credentials from here, or boto3's own chain."""

    region: str = Field(description="the region's name, like eu-west-1")
    regions: tuple[str, ...] = ()  # further regions in which profiles may launch
    owners: tuple[str, ...] = ("125523088429",)  # Fedora's account
    endpoint: str | None = None
    access_key_id: Token | None = None
    secret_access_key: Token | None = None
    timeout: Duration = timedelta(seconds=20)
    max_attempts: int = Field(4, ge=1, le=10)
    # What is latest, where that is protected: whether EC2 keeps it for 24 hours after the protection is lifted, too.
    protection_cooldown: bool = True
