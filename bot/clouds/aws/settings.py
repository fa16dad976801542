"""``[aws]`` and ``[aws.NAME]``: EC2 in one region each."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr

from slipway.bot.core.settings import Duration, Settings


class AwsSettings(Settings):
    """One AWS account in one region. Credentials from here, or boto3's own chain."""

    region: str = Field(description="the region's name, like eu-west-1")
    owners: tuple[str, ...] = ("125523088429",)  # Fedora's account
    endpoint: str | None = None
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    timeout: Duration = timedelta(seconds=20)
    max_attempts: int = Field(4, ge=1, le=10)
