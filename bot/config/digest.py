"""A digest of the whole configuration, by which two of them are told apart without a word of either."""

from __future__ import annotations

import hashlib
import json

from slipway.bot.config.settings import SlipwaySettings


def digest_of(settings: SlipwaySettings) -> str:
    """SHA-256 over all settings, in 64 hexadecimal digits. Of a secret it counts whether there is one, alone."""
    text = json.dumps(settings.model_dump(), default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
