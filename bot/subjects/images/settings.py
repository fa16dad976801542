"""``[retention]``."""

from __future__ import annotations

from pydantic import Field

from slipway.bot.core.settings import Settings


class RetentionSettings(Settings):
    """What a clean-up keeps. Defaults are those of Fedora's uploader SOP."""

    keep_candidates: int = Field(7, ge=1)
    keep_rolling: int = Field(7, ge=1)
    rolling_pattern: str = "*Rawhide*"
    owner: str = "fedora-cloud"  # versions whose tag `owner` names another are left alone
    approval_share: float = Field(0.5, gt=0, le=1)  # a larger share of a definition needs an approval
