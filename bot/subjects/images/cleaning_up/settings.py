"""``[retention]``."""

from __future__ import annotations

from datetime import timedelta

from pydantic import AliasChoices, Field

from slipway.bot.core.settings import Duration, Settings


class RetentionSettings(Settings):
    """What a clean-up keeps. Defaults are those of Fedora's uploader SOP."""

    keep_candidates: int = Field(7, ge=1)
    keep_rolling: int = Field(7, ge=1)
    rolling_pattern: str = "*Rawhide*"
    owner: str = "fedora-cloud"  # versions whose tag `owner` names another are left alone
    # Where a clean-up disables before it deletes (AWS): so long what it disabled can be brought back.
    keep_disabled: Duration = timedelta(days=7)
    # What was launched within this time counts as in use, where a cloud tells when that was (AWS).
    spare_launched_within: Duration = timedelta(days=30)
    # What is due is announced first, and goes so much later or more, if it is due still; None: it goes at once.
    announce: Duration | None = None
    # A larger share of a definition needs an approval. It was called `approval_share` first.
    max_share: float = Field(0.5, gt=0, le=1, validation_alias=AliasChoices("max_share", "approval_share"))
