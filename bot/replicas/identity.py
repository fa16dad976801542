"""What makes this process one replica, told from others."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from typing import Any

from slipway import __version__
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.replicas.model import ReplicaIdentity

_OWN: Mapping[str, Any] = {"state_dir": True, "log_format": True, "http": True, "slack": {"listen"}}
"""What may differ between replicas: where each keeps its files, writes its log and listens."""


def identity_of(id_: str, schema: str, configuration: str) -> ReplicaIdentity:
    """This process as a replica.

    Args:
        id_: kept in its state folder.
        schema: the newest migration that it knows.
        configuration: stands for what is configured.
    """
    return ReplicaIdentity(id_, socket.gethostname(), os.getpid(), __version__, schema, configuration)


def configuration_digest(settings: SlipwaySettings) -> str:
    """What is the same for two configurations under which replicas do the same. Of a secret counts whether there is
    one."""
    known = settings.model_dump(exclude={key: value for key, value in _OWN.items() if hasattr(settings, key)})
    text = json.dumps(known, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
