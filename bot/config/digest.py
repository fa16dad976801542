"""A digest of the whole configuration, by which two of them are told apart without a word of either."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from slipway.bot.config.settings import SlipwaySettings

OWN_OF_A_REPLICA: Mapping[str, Any] = {
    "state_dir": True,
    "log_format": True,
    "http": True,
    "slack": {"listen"},
}
"""What may differ between replicas: where each keeps its files, writes its log and listens. As pydantic names what is
left out."""


def digest_of(settings: SlipwaySettings, leave_out: Mapping[str, Any] | None = None) -> str:
    """SHA-256 over all settings, in 64 hexadecimal digits. Of a secret it counts whether there is one, alone.

    Args:
        settings: what is configured.
        leave_out: what does not count, such as :data:`OWN_OF_A_REPLICA`.
    """
    left_out = {key: value for key, value in (leave_out or {}).items() if hasattr(settings, key)}
    text = json.dumps(settings.model_dump(exclude=left_out), default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
